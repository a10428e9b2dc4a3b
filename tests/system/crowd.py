"""Many citizens, or a leader, by a load generator: one sipp process for each group."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from config.native import find_program
from telephony.demo.scenarios import Citizen, Leader, Place, citizens_argv, leader_argv
from tests.phones.ports import free_block, media_block
from tests.system.installation import Installation
from tests.waiting import patient

_MEDIA_PORTS_PER_CALL = 4


class Sipp:
    """One sipp as an async context: started on entry, ended on exit."""

    def __init__(self, argv: list[str], log: Path) -> None:
        self._argv, self._log = argv, log
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def done(self, within_s: float = 60.0) -> int:
        """The exit status when every call is over: 0 = all went as the scenario says."""
        assert self._process is not None
        async with asyncio.timeout(patient(within_s)):
            return await self._process.wait()


def citizens(house: Installation, folder: Path, citizen: Citizen, calls: int, rate: float = 10.0) -> Sipp:
    """`calls` citizens who all do the same, `rate` a second."""
    sipp = find_program("sipp")
    if sipp is None:
        raise RuntimeError("sipp is missing: run `make setup`")
    place = Place(free_block(1), media_block(calls))
    argv = citizens_argv(sipp, citizen, folder, place, house.target, house.settings.service_number, calls, rate)
    return Sipp(argv, folder / "sipp.log")


def a_leader(folder: Path, leader: Leader) -> tuple[Sipp, str]:
    """A leader's phone, and the address it answers at."""
    sipp = find_program("sipp")
    if sipp is None:
        raise RuntimeError("sipp is missing: run `make setup`")
    port = free_block(1)
    argv = leader_argv(sipp, leader, folder, Place(port, media_block(10)))
    return Sipp(argv, folder / "sipp.log"), f"sip:leader@127.0.0.1:{port}"


def numbers(first: int, count: int, name: str = "") -> tuple[tuple[str, str], ...]:
    """Mobile numbers of as many citizens, all with the same display name; empty = without."""
    return tuple((f"139{first + n:08d}", name) for n in range(count))
