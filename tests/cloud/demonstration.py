"""One call on the terminal: what the caller hears as it comes, the keyboard as keypad."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tests.cloud.callee import ANYWHERE, Callee
from tests.cloud.cloud import Cloud
from tests.cloud.leg import Heard, Leg
from tests.cloud.script import When

#: A person thinks for a moment before pressing a key.
HESITATION_S = 4.0
#: How long the application may take to fetch and delete what was recorded.
FETCH_S = 20.0
#: Longest demonstration.
LONGEST_S = 4 * 3600.0
MARKS = {
    "say": "“{}”", "play": "♪ {}", "beep": "♪ beep", "pause": "…", "key": "[{}]", "lost_key": "[{}] (lost)", "ring": "☎ … {}",
    "bridged": "☎ {}", "error": "✗ {}",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What caller and leader do. Seconds; 0 = not by themselves."""

    caller: str
    number: str
    keys: tuple[str, ...]
    speak_s: float
    stay_s: float
    talk_s: float

    def script(self) -> Iterator[When]:
        """The caller's part."""
        for key in self.keys:
            yield When("", press=key, after_s=HESITATION_S)
        if self.speak_s:
            yield When("", speak_s=self.speak_s)
            yield When("", press="#", after_s=self.speak_s)
        if self.stay_s:
            yield When("", hang_up=True, after_s=self.stay_s)


async def demonstrate(cloud: Cloud, plan: Plan) -> Leg:
    """Place the call, tell it, and leave time for what comes after it. The call when all is over. SIGINT and SIGTERM hang up."""
    cloud.callees[ANYWHERE] = Callee(
        answer_after_s=3, talk_s=plan.talk_s or None, script=(When("", press="1", after_s=HESITATION_S),)
    )
    call = cloud.place_call(plan.caller, plan.number, script=tuple(plan.script()))
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, call.hang_up)
    keyboard = _read_keyboard(call) if sys.stdin.isatty() else None
    try:
        await _tell(cloud, call)
    finally:
        if keyboard is not None:
            asyncio.get_running_loop().remove_reader(keyboard)
    await cloud.quiet()
    await _let_fetch(cloud)
    return call


async def _tell(cloud: Cloud, call: Leg) -> None:
    told = 0
    while not (call.over and told == len(call.transcript)):
        await cloud.watch.until(lambda seen=told: len(call.transcript) > seen or call.over, LONGEST_S, "too long")  # type: ignore[misc]
        for heard in call.transcript[told:]:
            print(_line(heard, heard.at - call.created_at), flush=True)
        told = len(call.transcript)


def _line(heard: Heard, seconds: float) -> str:
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}  " + MARKS.get(heard.kind, heard.kind + " {}").format(heard.text).rstrip()


async def _let_fetch(cloud: Cloud) -> None:
    try:
        await cloud.watch.until(
            lambda: all(r.state in ("absent", "deleted") for r in cloud.recordings.kept.values()),
            FETCH_S,
            "not fetched",
        )
    except TimeoutError:
        print(f"(recordings were not fetched within {FETCH_S:.0f} s)", flush=True)


def _read_keyboard(call: Leg) -> int:
    def read_line() -> None:
        line = sys.stdin.readline()
        typed = line.strip()
        if not line:  # the terminal was closed
            asyncio.get_running_loop().remove_reader(file)
        elif typed == "h":
            call.hang_up()
        elif typed == "s":
            asyncio.ensure_future(call.speak(5))  # noqa: RUF006 - it ends with the recording
        else:
            call.press_now("".join(key for key in typed if key in "0123456789*#"))

    file = sys.stdin.fileno()
    asyncio.get_running_loop().add_reader(file, read_line)
    return file
