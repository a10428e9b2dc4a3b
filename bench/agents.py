"""Callers and the leader, by sipp: the scenarios of the demonstration, changed where measuring needs it."""

import asyncio
import contextlib
import csv
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from config.native import Program, find_program
from telephony.demo.scenarios import Citizen, Leader, Place, citizens_argv, leader_argv
from tests.phones.ports import free_block

_RTP = '<nop><action><exec rtp_stream="{speech},-1,8"/></action></nop>'
_RECEIVED = '<recv response="200" rrs="true" rtd="true"/>'
_ENDLESS = 1_000_000
#: RTP ports of each sipp, four a call, above those of both Asterisks.
MEDIA_FIRST, MEDIA_PER_SIPP, MEDIA_BLOCKS = 43_000, 600, 28
_blocks = count()
#: A talk's length is drawn anew this often before the list begins again.
TALKS = 500


@dataclass(frozen=True, slots=True)
class Crowd:
    """Callers who all do the same. Times in seconds."""

    #: By SIP INFO: (seconds after the one before, key).
    keys: tuple[tuple[float, str], ...] = ()
    stay_s: float = 600.0
    rate: float = 10.0
    #: Calls in all; 0 = as many as needed to keep `at_once` of them.
    calls: int = 0
    at_once: int = 1000
    #: Speak all the time, 50 packets a second each; else send no sound.
    speaks: bool = True
    #: A call that is not answered by then has failed; 0 = the phone's own patience.
    answer_within_s: float = 0.0
    #: RTP ports of ours, one a call in turn: sipp then does the signalling only.
    ears: tuple[int, ...] = ()
    #: First of the callers' numbers: 139 and eight digits.
    first_number: int = 0
    #: Keep every message with its time.
    logged: bool = False


@dataclass
class Sipp:
    """One sipp process as an async context: killed on exit."""

    argv: list[str]
    folder: Path
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)

    async def __aenter__(self) -> Self:
        with (self.folder / "sipp.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.argv, cwd=self.folder, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def start_no_more(self) -> None:
        """No new calls; it ends with the last one."""
        if self._process is not None and self.running:
            self._process.send_signal(signal.SIGUSR1)

    async def done(self, within_s: float) -> bool:
        """True when it ended by itself in time; otherwise it is killed."""
        assert self._process is not None
        try:
            async with asyncio.timeout(within_s):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            return False
        return True

    def last_words(self) -> str:
        """What it complained of, for whoever must mend it."""
        files = [*self.folder.glob("*.err"), self.folder / "sipp.log"]
        return " ".join(file.read_text(errors="replace")[-200:] for file in files if file.exists()).strip()

    def results(self) -> tuple[int, int]:
        """Calls that went as the scenario says, and calls that did not, as sipp counted last."""
        return read_results(self.folder / "stat.csv")

    def placed_per_s(self) -> float:
        """New calls a second from the first to the last one, as sipp got them out: what a full machine keeps it from counts."""
        rows = read_statistics(self.folder / "stat.csv")
        made = [(float(row["CurrentTime"].split("\t")[-1]), int(row["TotalCallCreated"])) for row in rows]
        if not made or not made[-1][1]:
            return 0.0
        first = max((at for at, calls in made if calls == 0), default=made[0][0])
        last = next(at for at, calls in made if calls == made[-1][1])
        return made[-1][1] / max(1.0, last - first)

    @property
    def messages(self) -> Path:
        """The log of messages, where one was wanted."""
        return self.folder / "messages.log"


def callers(folder: Path, crowd: Crowd, target: str, number: str) -> Sipp:
    """Callers of `number` at `target` (host:port), not started yet."""
    wanted = crowd.calls or _ENDLESS
    people = tuple((f"139{(crowd.first_number + n) % 100_000_000:08d}", "") for n in range(min(wanted, 20_000)))
    citizen = Citizen(people, crowd.keys, crowd.stay_s)
    place = Place(free_block(1), _media_block())
    argv = citizens_argv(_sipp(), citizen, folder, place, target, number, wanted, crowd.rate)
    _change_scenario(folder, crowd)
    argv += ["-l", str(crowd.at_once), "-trace_stat", "-fd", "1", "-stf", str(folder / "stat.csv"), "-timeout_error"]
    return Sipp([*argv, *_logged(folder)] if crowd.logged else argv, folder)


def leader(folder: Path, talk_s: tuple[float, float], seed: int, port: int) -> Sipp:
    """A leader who takes every call at once and hangs up after a random time between these two, seeded."""
    argv = leader_argv(_sipp(), Leader(ring_s=0.0, talk_s=1.0), folder, Place(port, _media_block()))
    scenario = folder / "leader.xml"
    waits = '<recv request="BYE" timeout="1000" ontimeout="leave" next="cancelled"/>\n  <label id="leave"/>'
    random_talk = (
        '<nop><action><assignstr assign_to="talk" value="[field0]"/>'
        '<todouble assign_to="talk_ms" variable="talk"/></action></nop>\n  <pause variable="talk_ms"/>'
    )
    scenario.write_text(replace_once(scenario.read_text(), waits, random_talk))
    chance = random.Random(seed)
    talks = [round(1000 * chance.uniform(*talk_s)) for _ in range(TALKS)]
    (folder / "talks.csv").write_text("\n".join(["SEQUENTIAL", *(f"{talk};" for talk in talks), ""]))
    return Sipp([*argv, "-inf", str(folder / "talks.csv"), *_logged(folder)], folder)


def replace_once(text: str, old: str, new: str) -> str:
    """Raises ValueError when the scenario is not the one that was expected."""
    if text.count(old) != 1:
        raise ValueError(f"the scenario has {text.count(old)} times {old[:60]!r}, not once")
    return text.replace(old, new)


def read_results(path: Path) -> tuple[int, int]:
    """Successful and failed calls from the last whole line of sipp's statistics."""
    rows = read_statistics(path)
    return (int(rows[-1]["SuccessfulCall(C)"]), int(rows[-1]["FailedCall(C)"])) if rows else (0, 0)


def read_statistics(path: Path) -> list[dict[str, str]]:
    """The whole lines of sipp's statistics, one a second."""
    if not path.exists():
        return []
    head, *rows = [*csv.reader(path.read_text(errors="replace").splitlines(), delimiter=";")] or [[]]
    return [dict(zip(head, row, strict=False)) for row in rows if len(row) >= len(head) - 1]


def spread(ports: Sequence[int]) -> bool:
    """True when RTP ports leave room for RTCP between them."""
    return all(after - before >= 2 for before, after in pairwise(ports))


def _change_scenario(folder: Path, crowd: Crowd) -> None:
    scenario = folder / "citizen.xml"
    text = scenario.read_text()
    if not crowd.speaks or crowd.ears:
        text = replace_once(text, _RTP.format(speech=folder / "speech.al"), "")
        text = replace_once(text, "[rtpstream_audio_port]", "[field2]" if crowd.ears else "[media_port]")
    if crowd.answer_within_s:
        patience = f'<recv response="200" rrs="true" rtd="true" timeout="{round(crowd.answer_within_s * 1000)}"/>'
        text = replace_once(text, _RECEIVED, patience)
    scenario.write_text(text)
    if crowd.ears:
        listing = folder / "callers.csv"
        head, *lines = listing.read_text().split()
        ears = [crowd.ears[n % len(crowd.ears)] for n in range(len(lines))]
        rows = [f"{line};{ear}" for line, ear in zip(lines, ears, strict=True)]
        listing.write_text("\n".join([head, *rows, ""]))


def _media_block() -> int:
    """The first of a stretch of RTP ports for one sipp: apart from the servers' and from every other sipp of this run."""
    return MEDIA_FIRST + next(_blocks) % MEDIA_BLOCKS * MEDIA_PER_SIPP


def _logged(folder: Path) -> list[str]:
    return ["-trace_msg", "-message_file", str(folder / "messages.log"), "-message_overwrite", "false"]


def _sipp() -> Program:
    found = find_program("sipp")
    if found is None:
        raise RuntimeError("sipp is missing: run `make setup`")
    return found
