"""Citizens for a demonstration: real SIP calls by sipp, watched in the line, told one by one."""

import random
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any, Literal

from rich.live import Live
from rich.table import Table

from cli.client import Api
from cli.errors import CommandError, Exit
from cli.messages import say
from cli.output import make_table, minutes, out, print_json, tell
from cli.phones import free_port, media_port, running
from config.native import Program
from config.privacy import mask
from telephony.demo.scenarios import Citizen, Place, citizens_argv

#: When the key is pressed, after the answer: the question has begun, and may be interrupted.
KEY_AFTER_S = 4.0
#: From the choice to #: the request is heard first, then the matter is spoken. A # before the beep would be type-ahead.
SPEAK_S = 26.0
#: A second # for machines that are slow to speak; harmless when the order is being told.
AGAIN_S = 10.0
#: New calls a second; a person can follow that.
RATE = 2.0
#: The ledger learns an outcome a moment after the caller is gone.
OUTCOME_S = 10.0
LOOK_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class Wish:
    """What the citizens are to do."""

    kind: Literal["wait", "decline"]
    callers: int
    stay_s: float
    number: str
    target: str
    service: str


@dataclass(slots=True)
class Sight:
    """What was seen of one caller. `number` is masked."""

    number: str
    call_id: str = ""
    state: str = ""
    position: int = 0
    waited_s: float = 0.0
    outcome: str = ""
    order: str = ""


@dataclass(slots=True)
class Watch:
    """Follows the line and keeps what concerns our callers."""

    api: Api
    sights: dict[str, Sight]
    over: Event = field(default_factory=Event)
    failed: list[CommandError] = field(default_factory=list)

    def run(self) -> None:
        try:
            while not self.over.is_set():
                for _, line in self.api.events("/api/line/stream"):
                    if self.over.is_set():
                        return
                    self._look(line)
        except CommandError as error:
            self.failed.append(error)

    def _look(self, line: dict[str, Any]) -> None:
        present = set()
        for caller in line["callers"]:
            sight = self.sights.get(caller["number"])
            if sight is not None:
                present.add(sight.number)
                sight.call_id, sight.state = caller["call_id"], caller["state"]
                sight.position, sight.waited_s = caller["position"], caller["waited_s"]
        for sight in self.sights.values():
            if sight.call_id and sight.number not in present and sight.state in ("waiting", "offered"):
                sight.state, sight.position = ("talking" if sight.state == "offered" else "left"), 0


def place_calls(api: Api, sipp: Program, wish: Wish, *, as_json: bool) -> bool:
    """Place the calls and tell what became of each; True when every one has its outcome."""
    api.get("/api/line")
    numbers = choose_numbers(wish)
    watch = Watch(api, {mask(number): Sight(mask(number)) for number in numbers})
    Thread(target=watch.run, daemon=True).start()
    begun = time.time()
    with TemporaryDirectory(prefix="hotline-dial-") as folder:
        _call(sipp, wish, numbers, Path(folder), watch, quiet=as_json)
    watch.over.set()
    learn_outcomes(api, watch.sights, begun)
    results = list(watch.sights.values())
    if as_json:
        print_json(
            [{name: getattr(sight, name) for name in ("number", "call_id", "outcome", "order")} for sight in results]
        )
    else:
        out.print(_draw(watch.sights))
        good = sum(bool(sight.outcome) for sight in results)
        tell("dial_done", good=good, bad=len(results) - good)
    return all(sight.outcome for sight in results)


def choose_numbers(wish: Wish) -> list[str]:
    """Numbers whose masked forms differ: the last four digits count up."""
    if wish.number and wish.callers == 1:
        return [wish.number]
    first = int(wish.number[-4:]) if wish.number[-4:].isdecimal() else random.randrange(10_000)  # noqa: S311
    stem = wish.number[:-4] if wish.number[-4:].isdecimal() else f"138{random.randrange(10_000):04d}"  # noqa: S311
    return [f"{stem}{(first + n) % 10_000:04d}" for n in range(wish.callers)]


def _call(sipp: Program, wish: Wish, numbers: list[str], folder: Path, watch: Watch, *, quiet: bool) -> None:
    keys = ((KEY_AFTER_S, "1"),) if wish.kind == "wait" else ((KEY_AFTER_S, "2"), (SPEAK_S, "#"), (AGAIN_S, "#"))
    citizen = Citizen(callers=tuple((number, "") for number in numbers), keys=keys, stay_s=wish.stay_s)
    place = Place(port=free_port(), media_port=media_port())
    argv = citizens_argv(sipp, citizen, folder, place, wish.target, wish.service, wish.callers, RATE)
    if not quiet:
        tell("dialling", count=wish.callers, number=wish.service)
    with running(sipp, argv, folder) as phone, Live(console=out, auto_refresh=False, transient=True) as live:
        while phone.poll() is None:
            if watch.failed:
                raise watch.failed[0]
            if not quiet and out.is_terminal:
                live.update(_draw(watch.sights), refresh=True)
            time.sleep(LOOK_EVERY_S)
    if phone.returncode not in (0, 1):
        raise CommandError(Exit.NEGATIVE, "phone_failed", detail=_complaint(folder / "citizen.err"))


def learn_outcomes(api: Api, sights: dict[str, Sight], begun: float) -> None:
    """Ask the ledger for each caller's outcome; who never stood in the line is found by the work order."""
    deadline = time.monotonic() + OUTCOME_S
    while time.monotonic() < deadline and not all(sight.outcome for sight in sights.values()):
        if not all(sight.call_id for sight in sights.values()):
            _find_by_orders(api, sights, begun)
        for sight in sights.values():
            if sight.call_id and not sight.outcome:
                call = api.get(f"/api/calls/{sight.call_id}")
                sight.outcome, sight.order = call["outcome"] or "", call["order_number"]
                sight.state = "ended" if sight.outcome else sight.state
        time.sleep(LOOK_EVERY_S)


def _find_by_orders(api: Api, sights: dict[str, Sight], begun: float) -> None:
    for order in api.get("/api/work-orders", {"limit": 200})["items"]:
        if not order["call_id"] or datetime.fromisoformat(order["created_at"]).timestamp() < begun - 1:
            continue
        number = api.get(f"/api/calls/{order['call_id']}")["number"]
        if number in sights and not sights[number].call_id:
            sights[number].call_id = order["call_id"]


def _draw(sights: dict[str, Sight]) -> Table:
    return make_table(
        ("col_number", "col_state", "col_position", "col_waited", "col_outcome", "col_order", "col_call"),
        [
            (
                sight.number, say(sight.state) if sight.state else "…", sight.position or "", minutes(sight.waited_s),
                say(sight.outcome) if sight.outcome else "", sight.order, sight.call_id,
            )
            for sight in sights.values()
        ],
    )  # fmt: skip


def _complaint(path: Path) -> str:
    """The last line of what sipp complained about."""
    lines = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
    return lines[-1][:200] if lines else "sipp"
