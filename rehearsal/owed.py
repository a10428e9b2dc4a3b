"""What the city owes its callers after a session: an order behind every call that was promised something, from the ledger alone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from calls.ledger import Entry
from rehearsal.books import OrderBook

#: Whoever talked, left a matter, is to be called back or met a fault of ours has an order.
OWED = ("talked", "work_order", "callback", "fallback")


def unkept(facts: Iterable[Entry], numbers: Mapping[str, str], book: OrderBook) -> list[str]:
    """A sentence for each order that is missing, or stands although its caller came back. `numbers`: of each call, if known."""
    of_call: dict[str, list[Entry]] = defaultdict(list)
    for fact in facts:
        of_call[fact.call_id].append(fact)
    broken = [
        f"{call_id} has no order, outcome: {outcome}"
        for call_id, told in of_call.items()
        if (outcome := _owing(told)) and call_id not in book.by_call
    ]
    gone, back = _gone_and_back(of_call, numbers)
    for number, gave_up_at in gone.items():
        came_back_at = back.get(number, 0.0)
        if book.is_to_be_called_back(number) != (gave_up_at > came_back_at):
            what = "gave up last and the order is withdrawn" if gave_up_at > came_back_at else "is back and the order stands"
            broken.append(f"a caller {what}: {next(one for one in of_call if numbers.get(one) == number)}")
    return broken


def _owing(told: list[Entry]) -> str:
    """The outcome that wants an order; empty for none. Who gave way to a newer call of the same number is owed by that one."""
    outcome = next((fact.outcome for fact in told if fact.outcome), "")
    left = {fact.data.get("reason") for fact in told if fact.kind == "left_line"}
    owes = outcome in OWED or (outcome == "abandoned" and "abandoned" in left)
    return str(outcome) if owes and "replaced" not in left else ""


def _gone_and_back(
    of_call: Mapping[str, list[Entry]], numbers: Mapping[str, str]
) -> tuple[dict[str, float], dict[str, float]]:
    """Of each number: when a caller last gave up waiting, and when one last took such a place back."""
    gone: dict[str, float] = {}
    back: dict[str, float] = {}
    gave_up = {call_id: fact for call_id, told in of_call.items() for fact in told if _gives_up(fact)}
    for call_id, fact in gave_up.items():
        if number := numbers.get(call_id, ""):
            gone[number] = max(gone.get(number, 0.0), fact.at)
    for call_id, told in of_call.items():
        for fact in told:
            if fact.kind == "place_taken_back" and fact.data.get("from_call") in gave_up:
                back[numbers[call_id]] = max(back.get(numbers[call_id], 0.0), fact.at)
    return gone, back


def _gives_up(fact: Entry) -> bool:
    return fact.kind == "left_line" and fact.data.get("reason") == "abandoned"
