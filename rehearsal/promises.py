"""What callers were told when they joined, against what came of it, over many rehearsals: the table of the session's report."""

from collections.abc import Iterable

from calls.report import Promise, draw_up
from rehearsal.company import House
from rehearsal.plan import OPENS_AT, SESSION_S, Plan


async def kept(place: House, plans: Iterable[Plan]) -> list[Promise]:
    """The promises of all these sessions together."""
    rows = [Promise(tenth / 10, 0, 0, 0) for tenth in range(10)]
    async for play, _ in place.rehearse_all(plans):
        report = draw_up(play.session_id, OPENS_AT, OPENS_AT + SESSION_S, "", list(play.ledger.facts.values()), {})
        rows = [_sum(row, one) for row, one in zip(rows, report.promises, strict=True)]
    return rows


def _sum(one: Promise, other: Promise) -> Promise:
    return Promise(one.least, one.told + other.told, one.stayed + other.stayed, one.served + other.served)
