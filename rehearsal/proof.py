"""What must hold after every rehearsal, whatever was broken on the way. Each violation is one sentence."""

from msgspec import Struct
from sqlalchemy import func, select

from calls.ledger import Ledger
from calls.model import LedgerEntry
from calls.served_order import fairness_of
from rehearsal.owed import unkept
from rehearsal.play import Play

#: What a dead process was to do to the line, another one has done after this at the latest.
TAKEN_OVER_S = 60.0


class Result(Struct, frozen=True):
    """What became of one session. No `violations`: everything holds."""

    seed: int
    calls: int
    outcomes: dict[str, int]
    #: Talks with the leader; those of who was called back have the outcome `callback`.
    talks: int
    orders: int
    unaccounted: int
    doubled: int
    deviations: int
    injected: dict[str, int]
    turns: int
    longest_depth: int
    violations: tuple[str, ...]


async def prove(play: Play) -> Result:
    """Looks at ledger, order book and Redis; changes nothing."""
    ledger = Ledger(play.database)
    summary = await ledger.summary()
    fairness = await fairness_of(play.database, play.session_id)
    broken = list(play.ledger.faults)
    broken += [f"{one.call_id} has no outcome, last: {one.last_kind}" for one in summary.unaccounted]
    if summary.calls != len(play.signals) or not summary.complete:
        broken.append(f"{len(play.signals)} signals, {summary.calls} calls, {sum(summary.outcomes.values())} outcomes")
    numbers = {call_id: phone.citizen.number for call_id, phone in play.phones.items()}
    broken += [f"{fact} was said by a turn and is not in the ledger" for fact in sorted(play.faults.said - play.ledger.facts.keys())]
    broken += unkept(play.ledger.facts.values(), numbers, play.orders)
    broken += [f"{call_id} was to have two orders" for call_id in play.orders.doubled]
    broken += await play.orders.compare(play.database)
    broken += [f"a position rose, {risen}" for risen in play.told.risen]
    broken += _swapped(play)
    broken += [
        f"{one.call_id} went before {' '.join(one.unexplained)}"
        for one in fairness.deviations
        if one.unexplained
    ]
    broken += await _left_behind(play)
    return Result(
        seed=play.plan.seed,
        calls=summary.calls,
        outcomes=summary.outcomes,
        talks=await _talks(play),
        orders=play.orders.orders,
        unaccounted=len(summary.unaccounted) + abs(len(play.signals) - summary.calls),
        doubled=len(play.orders.doubled),
        deviations=len(fairness.deviations),
        injected={**play.faults.struck, "restarts": play.told.restarts} if play.faults.on else {},
        turns=play.told.turns,
        longest_depth=max((depth for _, depth in play.told.depths), default=0),
        violations=tuple(broken),
    )


def _swapped(play: Play) -> list[str]:
    """Who stood behind somebody and then before them, who had not missed our call back meanwhile."""
    missed = [(one.call_id, one.at) for one in play.ledger.facts.values() if one.kind == "callback_missed"]
    return [
        f"{front} came to stand before {back}"
        for since, now, back, front in play.told.swapped
        if not any(call_id == back and since - TAKEN_OVER_S <= at <= now for call_id, at in missed)
    ]


async def _talks(play: Play) -> int:
    async with play.database.read() as database:
        query = select(func.count(LedgerEntry.call_id.distinct())).where(LedgerEntry.kind == "talked")
        return await database.scalar(query) or 0


async def _left_behind(play: Play) -> list[str]:
    """Claims, callers in a line, calls and commands that nobody will ever deal with."""
    process, broken = play.process, []
    for seat in await process.seats.all(play.seat_ids):
        if seat.state != "closed":
            broken.append(f"seat {seat.id} is {seat.state}")
        if waiting := await process.line.members(seat.id):
            broken.append(f"{len(waiting)} callers are still in a line")
    broken += [f"{call_id} is still alive" for call_id in await process.calls.live()]
    if (lag := await process.outbox.lag()).lanes:
        broken.append(f"{lag.lanes} lanes of commands were left behind, {lag.stuck} of them stuck")
    wanting = {call_id for call_id, phone in play.phones.items() if not phone.over}
    return broken + [f"{call_id} hangs on for ever" for call_id in sorted(wanting)]
