"""What a channel itself remembers of its call, so that calls and line can be made anew when Redis lost everything."""

import json
from typing import Any, Literal

import msgspec
import structlog
from msgspec.structs import replace

from calls.kept_places import TURNS_BEYOND
from config.numbers import read_number
from config.settings import Settings
from ivr.call import Call
from ivr.commands import AnyCommand, JoinLine, MakeOrder, Note, WakeAt
from ivr.moves import keeps_place
from telephony.asterisk import dialplan
from telephony.asterisk.channel import Channel
from telephony.asterisk.exchange import Exchange

log = structlog.get_logger()

#: AMI cuts a line at 1024 bytes; what would be longer is kept without what a call can be restored without.
LONGEST = 900
#: That, the dearest last: words, keys, and further lines to ring. Node, seat, token, recording and order always fit.
_SPARED = ("told_at", "told_position", "tries", "noticed_at", "typed", "contact", "reason", "more_lines", "leader_line")
_DEFAULTS: dict[str, Any] = {field.name: field.default for field in msgspec.structs.fields(Call)}
#: So often may somebody take a turn of a call that is put back.
ATTEMPTS = 5
#: Whom the ledger knows and nobody else does any more: beyond every turn such a call can have had.
LAST_TURN = 1_000_000
#: The leader's phone is rung for them, or theirs for the leader.
_CLAIMED = ("ringing", "calling", "screening")


def as_text(call: Call) -> str:
    """The call for its channel's variable; without the number, which the channel has anyway. What it holds is always of now: a
    channel that was told nothing would be restored as it was before."""
    said = replace(call, number="")
    spared = list(_SPARED)
    while len(text := _ascii(said)) > LONGEST and spared:
        said = replace(said, **{(field := spared.pop(0)): _DEFAULTS[field]})
    return text


def _ascii(call: Call) -> str:
    """JSON with every other character as an escape: nothing in it is cut, and nothing lost."""
    return json.dumps(msgspec.to_builtins(call), ensure_ascii=True, separators=(",", ":"))


def from_text(text: str, call_id: str) -> Call | None:
    """The call as its channel knows it; None when it knows nothing that can be read."""
    try:
        call = msgspec.json.decode(text, type=Call)
    except msgspec.DecodeError:
        return None
    return call if call.id == call_id and call.node != "ended" else None


class Memory:
    """One channel's: has it remember the call, for the day on which Redis remembers nothing."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        #: The scene and node of which it was told last.
        self._told: tuple[int, str] = (-1, "")

    def tell(self, call: Call) -> None:
        state = (call.scene, call.node)
        if self._channel.name and state != self._told and call.node != "ended" and (text := as_text(call)):
            self._told = state
            self._channel.in_background(self._channel.set_variable(dialplan.SAVED, text))


def new_call(settings: Settings, call_id: str, number: str, at: float) -> Call:
    """The record of a call that nobody knows yet. A withheld or unreadable number is empty."""
    return Call(
        id=call_id,
        carrier="asterisk",
        started_at=at,
        number=read_number(number, settings),
        host=settings.pbx_node,
        language=settings.language,
    )


async def restore(exchange: Exchange, channel: Channel, new: Call) -> Call:
    """Save a call that Redis does not know (any more): as its channel remembers it, else as `new`. Its place in the line,
    the leader's seat and an order that may not have been made come back with it. Repeatable."""
    remembered = from_text(await channel.get_variable(dialplan.SAVED), new.id)
    if remembered is None:
        return await exchange.calls.create(new)
    call = replace(remembered, number=new.number, seq=remembered.seq + TURNS_BEYOND)
    saved = await exchange.calls.create(call)
    if saved != call:
        return saved  # somebody was faster
    log.warning("a call that Redis had lost is restored from its channel", call_id=call.id, node=call.node)
    await _take_place(exchange, call)
    after = replace(call, seq=call.seq + 1)
    await exchange.calls.put_if_unchanged(call.seq, after, _commands(exchange, after))
    return await exchange.calls.get(call.id) or after


async def regain(exchange: Exchange, known: Call) -> None:
    """Redis came back older than it was (the server that took over lacks the last turns, of which we were told): the call stands
    again as it is `known`, beyond every id that was used. Nothing when it is not older, lost altogether, or over. Repeatable."""
    for _ in range(ATTEMPTS):
        saved = await exchange.calls.get(known.id)
        if saved is None or saved.seq >= known.seq or known.node == "ended":
            return
        call = replace(known, seq=known.seq + TURNS_BEYOND)
        call = replace(call, token=await _take_place(exchange, call) or call.token)
        if not _in_line(call):
            await exchange.line.leave(saved.seat_id, call.id, "restored", call.seq)
        if await exchange.calls.put_if_unchanged(saved.seq, call, _commands(exchange, call)):
            log.warning("a call of which Redis had lost the last turns stands again", call_id=call.id, node=call.node)
            return


async def _take_place(exchange: Exchange, call: Call) -> int:
    """In the line, at the seat; the token of the claim, 0 = none."""
    if _in_line(call):
        await exchange.line.join(call.seat_id, call.id, call.joined_at, call.seq)
    if call.node in _CLAIMED:
        return await exchange.line.restore(call.seat_id, call.id, call.token, "ringing", call.entered_at)
    if call.node == "talking":
        return await exchange.line.restore(call.seat_id, call.id, call.token, "talking", call.talk_started_at)
    return 0


def _in_line(call: Call) -> bool:
    return call.node == "waiting" or call.node in _CLAIMED or keeps_place(call)


def _commands(exchange: Exchange, call: Call) -> tuple[AnyCommand, ...]:
    at = exchange.now()
    commands: list[AnyCommand] = [Note(kind="restored", at=at, data={"node": call.node})]
    if _in_line(call):  # with it comes back the place of the number, and what the line shows
        mark: Literal["", "callback"] = "" if call.node in ("waiting", "ringing") else "callback"
        commands.append(JoinLine(seat_id=call.seat_id, joined_at=call.joined_at, mark=mark))
    if call.node == "waiting":
        commands.append(WakeAt(at=at + exchange.settings.announce_every_s))
    if call.ordered:
        # Made at most once a call: when it was made before, this only finds it.
        commands.append(MakeOrder(source=call.source, recording=call.recording, contact=call.contact, at=at))
    return tuple(commands)
