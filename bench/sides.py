"""The two that are compared: the whole hotline, and Asterisk alone with app_queue. Both take the same calls."""

import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench import sounds
from bench.progress import say
from bench.usage import Usage, usage_of
from config.settings import Settings
from ivr.verbs import Prompt
from telephony.asterisk.agi import sound_list
from telephony.asterisk.install import find_asterisk
from telephony.asterisk.pbx_config import render
from telephony.asterisk.server import AsteriskServer
from telephony.prompts import Prompts
from tests.phones.ports import free_block
from tests.servers import free_port
from tests.system.installation import Installation
from tests.waiting import until

NATIVE = Path(__file__).parent / "native"
#: Apart from each other and from the ports of sipp.
OUR_RTP, NATIVE_RTP, RTP_PORTS = 33_000, 38_000, 4_000
#: After everybody was sent away, the last outcome is in the ledger by then.
SETTLED_WITHIN_S = 120.0


class Side(Protocol):
    """What the chapters need of a side."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def target(self) -> str:
        """host:port for callers."""

    @property
    def number(self) -> str:
        """What they dial."""

    @property
    def leader_port(self) -> int:
        """The port at which the leader's phone is rung."""

    async def depth(self) -> int:
        """Callers in the line."""

    async def pause(self) -> None:
        """The leader takes nobody."""

    async def resume(self) -> None:
        """The leader takes the next caller."""

    async def joined(self) -> int:
        """Callers who joined the line since the beginning."""

    async def empty(self) -> None:
        """Send everybody away; returns when nothing is left to do."""

    def usage(self) -> dict[str, Usage]:
        """By process."""


@dataclass
class Hotline:
    """Ours."""

    house: Installation
    seat_id: str
    session_id: str
    leader_port: int
    name: str = "hotline"

    @property
    def target(self) -> str:
        return self.house.target

    @property
    def number(self) -> str:
        return self.house.settings.service_number

    async def depth(self) -> int:
        return await self.house.core.line.depth(self.seat_id)

    async def pause(self) -> None:
        await self.house.post(f"/api/seats/{self.seat_id}/pause", {"reason": "bench"})

    async def resume(self) -> None:
        await self.house.post(f"/api/seats/{self.seat_id}/resume")

    async def joined(self) -> int:
        line = self.house.core.line
        return sum((await line.left(self.seat_id)).values()) + await line.depth(self.seat_id)

    async def empty(self) -> None:
        await self.house.asterisk.command("channel request hangup all")
        try:
            await until(self._settled, SETTLED_WITHIN_S, "an empty line")
        except AssertionError:
            core = self.house.core
            nodes = [call.node for call_id in await core.calls.live() if (call := await core.calls.get(call_id))]
            say(
                f"  hotline: NOT settled after {SETTLED_WITHIN_S:.0f} s: {await core.outbox.lag()}, calls at {nodes[:9]}"
            )

    async def _settled(self) -> bool:
        core = self.house.core
        return not await core.calls.live() and not (await core.outbox.lag()).lanes

    def usage(self) -> dict[str, Usage]:
        house = self.house
        pids = {name: process.pid for name, process in house.processes.items()}
        pids |= {"asterisk": house.asterisk.pid, "redis": house.redis.pid}
        return {name: usage_of([pid]) for name, pid in pids.items()}


@dataclass
class Native:
    """Asterisk's own app_queue and dialplan."""

    server: AsteriskServer
    target: str
    number: str
    leader_port: int
    name: str = "app_queue"

    async def depth(self) -> int:
        return self._figure(r"has (\d+) calls", await self._show())

    async def pause(self) -> None:
        await self.server.command("queue pause member PJSIP/leader queue hotline")

    async def resume(self) -> None:
        await self.server.command("queue unpause member PJSIP/leader queue hotline")

    async def joined(self) -> int:
        text = await self._show()
        return sum(self._figure(words, text) for words in (r"has (\d+) calls", r"\bC:(\d+)", r"\bA:(\d+)"))

    async def empty(self) -> None:
        await self.server.command("channel request hangup all")
        with contextlib.suppress(AssertionError):
            await until(self._idle, SETTLED_WITHIN_S, "an empty queue")

    def usage(self) -> dict[str, Usage]:
        return {"asterisk": usage_of([self.server.pid])}

    async def _show(self) -> str:
        return await self.server.command("queue show hotline")

    async def _idle(self) -> bool:
        return "0 active channels" in await self.server.command("core show channels count")

    def _figure(self, pattern: str, text: str) -> int:
        found = re.search(pattern, text)
        return int(found[1]) if found else 0


@asynccontextmanager
async def hotline(folder: Path, shared: Path) -> AsyncIterator[Hotline]:
    """A whole installation with a session that is open all day and one seat, which is paused."""
    port = free_block(1)
    extra = {"HOTLINE_RTP_PORT_FIRST": str(OUR_RTP), "HOTLINE_RTP_PORT_COUNT": str(RTP_PORTS)}
    async with Installation(folder, shared, extra) as house:
        session_id, seat_id = await house.open_session(f"sip:leader@127.0.0.1:{port}", minutes=720)
        side = Hotline(house, seat_id, session_id, port)
        await side.pause()
        yield side


@asynccontextmanager
async def native(folder: Path, shared: Path) -> AsyncIterator[Native]:
    """Asterisk with the same configuration but for the dialplan, and app_queue with one member, who is paused."""
    _share(folder, shared)
    leader_port = free_block(1)
    settings = Settings(
        state_dir=folder,
        sip_port=free_block(2),
        ami_port=free_port(),
        rtp_port_first=NATIVE_RTP,
        rtp_port_count=RTP_PORTS,
        _env_file=None,
    )
    program = find_asterisk(settings)
    if program is None:
        raise RuntimeError("Asterisk is missing: run `make setup`")
    files = render(settings, folder / "asterisk", program)
    await Prompts(settings).write_fallback(files.sounds)
    values = await _names(settings, files.recordings, files.sounds / "beep.wav", leader_port)
    (files.etc / "extensions.conf").write_text(fill("extensions.conf", values))
    (files.etc / "queues.conf").write_text(fill("queues.conf", values))
    with (files.etc / "pjsip.conf").open("a") as pjsip:
        pjsip.write(fill("pjsip.conf", values))
    with (files.etc / "modules.conf").open("a") as modules:
        modules.write("require = app_queue.so\n")
    async with AsyncExitStack() as stack:
        server = AsteriskServer(program, files)
        stack.push_async_callback(server.stop)
        await server.start()
        side = Native(server, f"127.0.0.1:{settings.sip_port}", settings.service_number, leader_port)
        await side.pause()
        yield side


def _share(folder: Path, shared: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("prompts", "moh"):
        (folder / name).symlink_to(shared / name)


def fill(name: str, values: dict[str, str]) -> str:
    """A file of `native/` with its @names@ filled in. Raises KeyError for one that is not known."""
    return re.sub(r"@(\w+)@", lambda found: values[found[1]], (NATIVE / name).read_text())


async def _names(settings: Settings, recordings: Path, beep: Path, leader_port: int) -> dict[str, str]:
    prompts = Prompts(settings)

    async def sounds_of(wanted: tuple[Prompt, ...]) -> str:
        return sound_list(await prompts.audio(wanted, settings.language))

    return {
        "number": settings.service_number,
        "leader_port": str(leader_port),
        "recordings": str(recordings),
        "beep": sound_list([beep]),
        "question": await sounds_of(sounds.QUESTION),
        "waiting": await sounds_of(sounds.WAITING),
        "message": await sounds_of(sounds.MESSAGE),
        "thanks": await sounds_of(sounds.THANKS),
    }


async def until_depth(side: Side, wanted: int, within_s: float) -> int:
    """Wait for so many callers in the line, but no longer than that; how many there are."""
    with contextlib.suppress(AssertionError):
        await until(lambda: _reached(side, wanted), within_s, f"{wanted} callers in the line")
    return await side.depth()


async def _reached(side: Side, wanted: int) -> bool:
    return await side.depth() >= wanted
