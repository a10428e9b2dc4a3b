"""Facts and calls to test with, and a player of events."""

from collections.abc import Iterable

from msgspec.structs import replace

from ivr.call import Call
from ivr.commands import AnyCommand, MakeOrder
from ivr.events import Answered, AnyEvent, Arrived, HungUp, Keyed, Offered, Recorded, Released, TimedOut
from ivr.facts import Facts, SeatFacts, SessionFacts
from ivr.flow import advance, present
from ivr.verbs import Prompt

NOW = 1_795_312_800.0
SEAT = SeatFacts(id="seat-1", unit="市教育局", leader="李明", state="talking", depth=2)
SESSION = SessionFacts(id="s-1", opens_at=NOW - 600, closes_at=NOW + 6600, seats=(SEAT,))
OPEN = Facts(now=NOW, session=SESSION, calls_back=True, depth=2, chance=0.6, wait_s=1100.0, can_serve=9)
CLOSED = Facts(now=NOW, next_session=SESSION)
NEW = Call(id="a-pbx1-1-1", carrier="asterisk", started_at=NOW, number="+8613812345678")
WITHHELD = Call(id="a-pbx1-1-2", carrier="asterisk", started_at=NOW)


def at(facts: Facts, seconds: float, **changes: object) -> Facts:
    """The same facts `seconds` after the beginning."""
    return replace(facts, **{"now": NOW + seconds, **changes})


def play(call: Call, *events: AnyEvent) -> tuple[Call, list[AnyCommand]]:
    """The call after these events, and all commands they gave."""
    given: list[AnyCommand] = []
    for event in events:
        call, commands = advance(call, event)
        given.extend(commands)
    return call, given


def names(commands: Iterable[AnyCommand]) -> list[str]:
    """The commands by name, without the notes for the ledger."""
    return [name for command in commands if (name := type(command).__name__) != "Note"]


def heard(call: Call, facts: Facts = OPEN) -> list[str]:
    """The keys of the sentences that are spoken now."""
    return [prompt.key for prompt in prompts(call, facts)]


def prompts(call: Call, facts: Facts = OPEN) -> list[Prompt]:
    return [prompt for verb in present(call, facts) for prompt in verb.prompts]


def offer(seconds: float = 0, token: int = 1, line: str = "sip:leader@127.0.0.1") -> Offered:
    return Offered(facts=at(OPEN, seconds), seat_id="seat-1", token=token, line=line)


def key(pressed: str, seconds: float = 0, facts: Facts = OPEN) -> Keyed:
    return Keyed(facts=at(facts, seconds), key=pressed)


def keyed(digits: str, seconds: float, number: str = "") -> tuple[Keyed, ...]:
    """A telephone number and #; `number`: E.164 of it, empty when it can be rung by nobody."""
    return (*(key(digit, seconds) for digit in digits), key("#", seconds + 1, replace(OPEN, dialable=number)))


def calls_at_every_node() -> dict[str, Call]:
    """One call at each node, led there by the flow itself."""
    operators = at(OPEN, 5, operators=True)
    question, _ = play(NEW, Arrived(facts=OPEN))
    waiting, _ = play(question, key("1", 3))
    ringing, _ = play(waiting, offer(20))
    talking, _ = play(ringing, Answered(facts=at(OPEN, 25)))
    message, _ = play(question, key("2", 3))
    order, _ = play(message, Recorded(facts=at(OPEN, 20), seconds=9.0, ended_by="key"))
    withheld, _ = play(WITHHELD, Arrived(facts=OPEN), key("2", 3), Recorded(facts=at(OPEN, 20), seconds=9.0))
    goodbye, _ = play(order, TimedOut(facts=at(OPEN, 40)))
    callback, _ = play(waiting, key("3", 30))
    kept, _ = play(callback, HungUp(facts=at(OPEN, 40)))
    calling, _ = play(kept, offer(60))
    screening, _ = play(calling, Arrived(facts=at(OPEN, 70), leg="back-1"))
    closed, _ = play(NEW, Arrived(facts=CLOSED))
    operator, _ = play(question, Released(facts=operators, to="operator", reason="operator"))
    fallback, _ = play(question, Released(facts=at(OPEN, 5), to="fallback", reason="error"))
    ended, _ = play(question, HungUp(facts=at(OPEN, 9)))
    found = (NEW, question, waiting, ringing, talking, message, withheld, order, goodbye, callback, kept, calling)
    return {call.node: call for call in (*found, screening, closed, operator, fallback, ended)}


def the_order(commands: list[object]) -> MakeOrder:
    """The one that is asked for."""
    (order,) = [command for command in commands if isinstance(command, MakeOrder)]
    return order
