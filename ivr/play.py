"""Plays a call with words for events: a world that answers the call's commands as line, switchboard and orders would."""

from msgspec.structs import replace

from ivr.call import Call, Language
from ivr.commands import AnyCommand, JoinLine, LeaveLine, MakeOrder, TakeSeat, WakeAt
from ivr.events import (
    Answered,
    AnyEvent,
    Arrived,
    HungUp,
    Keyed,
    Missed,
    Offered,
    OrderMade,
    Recorded,
    Released,
    TalkEnded,
    TimedOut,
    Woken,
)
from ivr.facts import Facts, SeatFacts, SessionFacts
from ivr.flow import advance, present
from ivr.verbs import AnyVerb, Ask, Await, CallBack, Connect, HangUp, Hold, Prompt, Record, Say, Transfer
from ivr.wording import render

HELP = """keys 0-9 * #      press a key               silence        the caller says and presses nothing
words [s]         a recorded message        empty          a recording without words
offer             a seat claims the caller  answer | miss | end    what becomes of the ringing or the talk
wait s            time passes               hangup         the caller hangs up
close | open      the session               operators      an operators' line is there
queue n           n others wait             release TO     work_order, operator, callback, fallback
back              the caller answers our call back
quit              leave, and print the test help           this"""
#: Wednesday, 25 November 2026, 09:00 in Shanghai.
OPENS_AT = 1_795_568_400.0
SESSION_S = 7200.0
FEWEST_KEYS = 7
NUMBER = "2026-1125-0007"


class Stage:
    """One call and the world around it. Not pure, but it only counts: the flow itself stays as it is."""

    def __init__(self, language: Language, *, withheld: bool = False, depth: int = 2) -> None:
        self.call = Call(
            id="a-play-1",
            carrier="asterisk",
            started_at=OPENS_AT,
            number="" if withheld else "+8613812345678",
            language=language,
        )
        self.start = self.call
        seat = SeatFacts(id="seat-1", unit="市教育局", leader="李明", state="free" if depth == 0 else "talking")
        self._session = SessionFacts(id="s-1", opens_at=OPENS_AT, closes_at=OPENS_AT + SESSION_S, seats=(seat,))
        self.facts = Facts(
            now=OPENS_AT, session=self._session, calls_back=True, depth=depth, chance=0.6, wait_s=570.0 * depth
        )
        self.first_facts = self.facts
        #: What happened, to print as a test.
        self.events: list[AnyEvent] = []
        self.commands: list[AnyCommand] = []
        self._wake_at = 0.0
        self._ordered = False
        self._tokens = 0

    def happen(self, event: AnyEvent) -> list[str]:
        """Take the turn and tell what it did, as lines of text."""
        before = self.call
        self.call, commands = advance(before, event)
        self.events.append(event)
        self.commands.extend(commands)
        told = [f"  ! {describe(command)}" for command in commands]
        if self.call.scene != before.scene:
            told += self.hear()
        elif self.call is before:
            told.append("  (nothing changes)")
        for command in commands:
            self._feel(command)
        if self._ordered:
            self._ordered = False
            told += self.happen(OrderMade(facts=self.facts, number=NUMBER))
        return told

    def _feel(self, command: AnyCommand) -> None:
        match command:
            case JoinLine():
                self.facts = replace(self.facts, position=self.facts.depth + 1, depth=self.facts.depth + 1)
            case LeaveLine() | TakeSeat():
                self.facts = replace(self.facts, position=0, depth=max(0, self.facts.depth - 1))
            case WakeAt(at=at):
                self._wake_at = at
            case MakeOrder():
                self._ordered = True
            case _:
                pass

    def hear(self) -> list[str]:
        """What the caller hears now."""
        return [line for verb in present(self.call, self.facts) for line in self._told(verb)]

    def _told(self, verb: AnyVerb) -> list[str]:
        lines = [f"  > {self._sentence(prompt)}" for prompt in verb.prompts]
        if isinstance(verb, Connect):
            lines += [f"  (to the leader) {self._sentence(prompt)}" for prompt in verb.whisper]
        return [*lines, f"  [{waits_for(verb)}]"]

    def _sentence(self, prompt: Prompt) -> str:
        return render(prompt, self.call.language)

    def pass_time(self, seconds: float) -> list[str]:
        """Let time pass; a wake-up that falls due is felt."""
        told: list[str] = []
        end = self.facts.now + seconds
        while 0 < self._wake_at <= end:
            due = max(self._wake_at, self.facts.now)
            self._wake_at = 0.0
            self.facts = replace(
                self.facts, now=due, position=max(1, self.facts.position) if self.facts.position else 0
            )
            told += self.happen(Woken(facts=self.facts))
        self.facts = replace(self.facts, now=end)
        return told

    def do(self, words: str) -> list[str]:
        """One line from the keyboard. Raises ValueError when it means nothing."""
        name, _, rest = words.strip().partition(" ")
        if words.strip() and all(key in "0123456789*#" for key in words.strip()):
            return [line for key in words.strip() for line in self._press(key)]
        if name in ("wait", "queue", "close", "open", "operators"):
            return self._change_world(name, rest)
        return self.happen(self._event(name, rest))

    def _press(self, key: str) -> list[str]:
        typed = self.call.typed  # in this world every number of so many keys can be rung
        return self.happen(Keyed(facts=replace(self.facts, dialable=typed if len(typed) >= FEWEST_KEYS else ""), key=key))

    def _change_world(self, name: str, rest: str) -> list[str]:
        match name:
            case "wait":
                return self.pass_time(float(rest or 45))
            case "queue":
                count = int(rest)
                self.facts = replace(self.facts, depth=count, position=count if self.facts.position else 0)
            case "close":
                self.facts = replace(self.facts, session=None, next_session=replace(self._session))
                return self.happen(Released(facts=self.facts, to="work_order", reason="session_closed"))
            case "open":
                self.facts = replace(self.facts, session=self._session)
            case _:
                self.facts = replace(self.facts, operators=True)
        return []

    def _event(self, name: str, rest: str) -> AnyEvent:
        match name:
            case "arrive":
                return Arrived(facts=self.facts)
            case "silence":
                return TimedOut(facts=self.facts)
            case "words":
                return Recorded(facts=self.facts, seconds=float(rest or 12), ended_by="key")
            case "empty":
                return Recorded(facts=self.facts, seconds=0.0, ended_by="silence")
            case "offer":
                self._tokens += 1
                line = rest or "sip:leader@127.0.0.1"
                return Offered(facts=self.facts, seat_id="seat-1", token=self._tokens, line=line)
            case "back":
                return Arrived(facts=self.facts, leg="back")
            case "hangup":
                return HungUp(facts=self.facts, seconds=float(rest or 0))
            case _:
                return self._outcome(name, rest)

    def _outcome(self, name: str, rest: str) -> AnyEvent:
        match name, rest:
            case "answer", _:
                return Answered(facts=self.facts)
            case "miss", ("" | "no_answer" | "busy" | "declined" | "unreachable" | "gone" | "unconfirmed"):
                return Missed(facts=self.facts, reason=rest or "no_answer")
            case "end", _:
                return TalkEnded(facts=self.facts, seconds=float(rest or 60))
            case "release", ("work_order" | "operator" | "callback" | "fallback"):
                return Released(facts=self.facts, to=rest, reason="operator")
            case _:
                raise ValueError(f"{name} {rest}".strip())


def describe(command: AnyCommand) -> str:
    """A command on one line."""
    fields = {name: getattr(command, name) for name in command.__struct_fields__ if name != "at"}
    return f"{type(command).__name__} " + " ".join(f"{name}={value}" for name, value in fields.items())


def waits_for(verb: AnyVerb) -> str:
    """What the carrier waits for."""
    match verb:
        case Ask(keys=keys, timeout_s=timeout_s):
            return f"keys {keys}, {timeout_s:g} s"
        case Hold(keys=keys):
            return f"music, keys {keys}"
        case Record(name=name, max_s=max_s):
            return f"records {name}, at most {max_s:g} s"
        case Connect(line=line, confirm=confirm):
            return f"rings {line}{', confirmed with 1' if confirm else ''}"
        case CallBack():
            return "calls the caller back"
        case Await() | Say():
            return "a moment"
        case Transfer():
            return "rings the operators"
        case HangUp():
            return "hangs up"
