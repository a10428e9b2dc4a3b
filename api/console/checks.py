"""The check-list before a session opens: is every part there, can every prompt be played, can recordings be kept."""

import asyncio
import shutil
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from api.console.catalogue import Words
from api.health import check_parts
from api.parts import Parts
from config.settings import Settings
from ivr.facts import SessionFacts
from sessions.board import read_board
from sessions.model import Seat, Session
from telephony.prompts import Prompts
from telephony.test_calls import TestCall

#: A two-hour session with two seats records 230 MB; this is a month of them.
LEAST_FREE_GB = 2.0
_GB = 1_000_000_000


class Check(Struct, frozen=True):
    """One line: `result` is ok, off or failed."""

    part: str
    result: str
    detail: str = ""


#: What came of a test call -> how the line of the check-list ends, and its sentence.
_CALLED: dict[str, tuple[str, str]] = {
    "": ("unknown", "check.calling"),
    "answered": ("ok", "check.answered"),
    "silent": ("failed", "check.silent"),
    "no_answer": ("failed", "check.no_answer"),
    "unreachable": ("failed", "check.unreachable"),
    "unchecked": ("unknown", "check.unchecked"),
    "no_bridge": ("failed", "check.no_bridge"),
}


def calls_made(calls: list[TestCall], words: Words) -> list[Check]:
    """A line for each test call."""
    lines = []
    for call in calls:
        result, key = _CALLED[call.result]
        told = words(key, leader=call.leader, ring=call.ring_s, seconds=call.recorded_s)
        lines.append(Check("call", result, told))
    return lines


async def inspect(parts: Parts, session: Session, words: Words) -> list[Check]:
    """Every check that needs no call. Takes at most a few seconds."""
    settings = parts.core.settings
    states, todo = await check_parts(settings, parts.core.redis, parts.core.database)
    found = [Check(name, state, todo.get(name, "")) for name, state in states.items()]
    missing = await asyncio.to_thread(count_missing, settings, await _named(parts, session))
    told = words("check.missing_prompts", count=missing) if missing else ""
    found.append(Check("prompts", "failed" if missing else "ok", told))
    free = await asyncio.to_thread(free_gb, settings)
    enough = free >= LEAST_FREE_GB
    found.append(Check("recordings", "ok" if enough else "failed", words("check.free_disk", gb=f"{free:.1f}")))
    found.append(check_lines(settings, session.seats, words))
    return found


def check_lines(settings: Settings, seats: Iterable[Seat], words: Words) -> Check:
    """Each leader can be rung by every carrier over which callers come: else they would hear an apology."""
    told = []
    for seat in seats:
        if not (seat.line_asterisk or seat.line_twilio):
            told.append(words("check.no_line", leader=seat.leader))
        elif settings.asterisk != "off" and not seat.line_asterisk:
            told.append(words("check.no_asterisk_line", leader=seat.leader))
        elif settings.twilio_account_sid and not seat.line_twilio:
            told.append(words("check.no_cloud_line", leader=seat.leader))
    return Check("seats", "failed" if told else "ok", " ".join(told))


async def _named(parts: Parts, session: Session) -> list[SessionFacts]:
    """The session, once its names are made: those of the one that is open and of the next one."""
    board = await read_board(parts.core.redis, parts.core.settings.redis_prefix)
    posted = [one for one in (board.open, board.next) if one is not None and one.id == session.id]
    return [msgspec.convert(one, SessionFacts, from_attributes=True) for one in posted]


def count_missing(settings: Settings, sessions: Iterable[SessionFacts] = ()) -> int:
    """Prompts whose sound is not there yet, in the language of the calls, with the names of these sessions."""
    prompts = Prompts(settings)
    return sum(not prompts.path(prompt, settings.language).exists() for prompt in prompts.known(sessions))


def free_gb(settings: Settings) -> float:
    """Room for recordings, in GB; 0.0 when they cannot be written."""
    folder = settings.recordings
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError:
        return 0.0
    return shutil.disk_usage(folder).free / _GB
