"""`python -m ivr`: play a call with the keyboard as keypad; at the end a test is printed, ready to paste.

Reads lines from the terminal or from a script on standard input; a line that begins with `;` is a remark.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator

from ivr.call import Language
from ivr.events import AnyEvent
from ivr.play import HELP, Stage
from ivr.play_placed import PLACED_HELP, PlacedStage

LANGUAGES: tuple[Language, ...] = ("zh-Hans", "zh-Hant", "en")


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0; 2 when a script has a line that means nothing."""
    parser = argparse.ArgumentParser(prog="python -m ivr", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--language", choices=LANGUAGES, default="zh-Hans")
    parser.add_argument("--withheld", action="store_true", help="the caller's number is withheld")
    parser.add_argument(
        "--queue", type=int, default=2, metavar="N", help="N others wait already; 0 = the leader is free"
    )
    parser.add_argument("--placed", choices=("urgent", "follow_up"), help="a call that we place about an order instead")
    parser.add_argument("--operators", action="store_true", help="with --placed: an operators' line is there")
    chosen = parser.parse_args(arguments)
    if chosen.placed:
        return play_placed(PlacedStage(chosen.placed, chosen.language, operators=chosen.operators), lines())
    stage = Stage(chosen.language, withheld=chosen.withheld, depth=chosen.queue)
    tell([HELP, ""])
    tell(stage.do("arrive"))
    mistakes = play(stage, lines())
    tell(["", as_test(stage)])
    return 2 if mistakes and not sys.stdin.isatty() else 0


def play_placed(stage: PlacedStage, script: Iterable[str]) -> int:
    """The same for a call that we place; exit code as `main`."""
    tell([PLACED_HELP, "", *stage.hear()])
    mistakes = 0
    for line in script:
        if not sys.stdin.isatty():
            tell([f"call> {line}"])
        try:
            tell(stage.do(line))
        except ValueError as error:
            mistakes += 1
            tell([f"  ? {error}"])
        if stage.talk.stage == "over":
            break
    tell(["", stage.as_test()])
    return 2 if mistakes and not sys.stdin.isatty() else 0


def lines() -> Iterator[str]:
    """What is typed, or stands in the script, until its end or `quit`."""
    asks = sys.stdin.isatty()
    while True:
        if asks:
            print("call> ", end="", flush=True)
        line = sys.stdin.readline()
        if not line or line.strip() == "quit":
            return
        if line.strip() and not line.startswith(";"):
            yield line.strip()


def play(stage: Stage, script: Iterable[str]) -> int:
    """Do line by line until the caller is gone. Returns how many lines meant nothing."""
    mistakes = 0
    for line in script:
        if line == "help":
            tell([HELP])
            continue
        if not sys.stdin.isatty():
            tell([f"call> {line}"])
        try:
            tell(stage.do(line))
        except ValueError as error:
            mistakes += 1
            tell([f"  ? {error} (help tells what there is)"])
        if stage.call.node == "ended":
            tell([f"  the call is over: {stage.call.outcome}"])
            return mistakes
    return mistakes


def tell(text: Iterable[str]) -> None:
    for line in text:
        print(line)


def as_test(stage: Stage) -> str:
    """This call as a test of the flow, to paste into tests/unit/ivr."""
    steps = "\n".join(f"        {write(event, stage)}," for event in stage.events)
    used = ", ".join(sorted({type(event).__name__ for event in stage.events}))
    wanted = [type(command).__name__ for command in stage.commands]
    number = f", number={stage.start.number!r}" if stage.start.number else ""
    return f"""# ---- paste into tests/unit/ivr/test_played.py ----
from msgspec.structs import replace

from ivr.call import Call
from ivr.events import {used}
from ivr.facts import Facts, SeatFacts, SessionFacts
from ivr.flow import advance
from ivr.limits import Limits


def test_a_played_call() -> None:
    start = {stage.first_facts!r}
    call, given = Call("a-play-1", "asterisk", {stage.start.started_at!r}{number}), []
    for event in [
{steps}
    ]:
        call, commands = advance(call, event)
        given += [type(command).__name__ for command in commands]
    assert (call.node, call.outcome) == ({stage.call.node!r}, {stage.call.outcome!r})
    assert given == {wanted!r}"""


def write(event: AnyEvent, stage: Stage) -> str:
    """The event as source code; its facts as what differs from those of the beginning."""
    facts, first = event.facts, stage.first_facts
    names = [name for name in facts.__struct_fields__ if getattr(facts, name) != getattr(first, name)]
    changed = ", ".join(f"{name}={getattr(facts, name)!r}" for name in names)
    told = f"facts=replace(start, {changed})" if changed else "facts=start"
    rest = [f"{name}={getattr(event, name)!r}" for name in event.__struct_fields__ if name != "facts"]
    return f"{type(event).__name__}({', '.join([told, *rest])})"


if __name__ == "__main__":
    raise SystemExit(main())
