"""One Asterisk process of ours, from its configuration to its end. Drives no calls; stops only what it started."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from pathlib import Path

from telephony.asterisk.install import AsteriskProgram
from telephony.asterisk.pbx_config import PbxFiles
from telephony.errors import CarrierUnavailable

#: 0.4 s on an idle machine, several seconds on one that starts everything at once.
BOOT_WITHIN_S = 30.0
#: `core stop now` takes well under a second.
STOP_WITHIN_S = 5.0
_ASK_EVERY_S = 0.1
_TAIL_LINES = 12


class AsteriskServer:
    """Starts, watches and stops one Asterisk. Its output is in `<log>/console.log`, its warnings in `<log>/messages.log`."""

    def __init__(self, program: AsteriskProgram, files: PbxFiles) -> None:
        self.program = program
        self.files = files
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Of the running process; 0 when there is none."""
        return self._process.pid if self.running and self._process else 0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self, within_s: float = BOOT_WITHIN_S) -> None:
        """Returns when it is fully booted. Raises CarrierUnavailable with the port that is taken, or Asterisk's last words."""
        self._refuse_taken_ports()
        console = os.open(self.files.log / "console.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv("-f"),
                env=self.program.program.environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                umask=0o077,
                start_new_session=True,
            )
        finally:
            os.close(console)
        await self._wait_until_booted(time.monotonic() + within_s)

    async def stop(self) -> None:
        """Ends the process at once, calls included; by signal when it does not obey."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        await self.command("core stop now")
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
                return
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
        await process.wait()

    async def wait(self) -> int:
        """The exit status, when it ends."""
        return await self._process.wait() if self._process else 0

    async def command(self, line: str) -> str:
        """The answer of a console command; empty when Asterisk does not answer."""
        process = await asyncio.create_subprocess_exec(
            *self._argv("-rx", line),
            env=self.program.program.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), STOP_WITHIN_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            return ""
        return output.decode("utf-8", errors="replace") if process.returncode == 0 else ""

    def last_words(self) -> str:
        """The end of what Asterisk wrote, for whoever must mend it."""
        return "\n".join(_tail(self.files.log / "console.log") or _tail(self.files.log / "messages.log"))

    def _argv(self, *arguments: str) -> tuple[str, ...]:
        return (*self.program.argv, "-C", str(self.files.conf), *arguments)

    async def _wait_until_booted(self, deadline: float) -> None:
        while time.monotonic() < deadline:
            if not self.running:
                raise CarrierUnavailable(f"Asterisk ended while it started:\n{self.last_words()}")
            if (self.files.run / "asterisk.ctl").exists() and await self._is_booted():
                return
            await asyncio.sleep(_ASK_EVERY_S)
        words = self.last_words()
        await self.stop()
        raise CarrierUnavailable(f"Asterisk did not start in time:\n{words}")

    def _refuse_taken_ports(self) -> None:
        """Asterisk itself would run on without the port, deaf to callers or to the bridge."""
        places = [
            (socket.SOCK_DGRAM, self.files.sip),
            (socket.SOCK_STREAM, self.files.sip),
            (socket.SOCK_STREAM, self.files.ami),
        ]
        if self.files.websocket is not None:
            places.append((socket.SOCK_STREAM, self.files.websocket))
        for kind, (host, port) in places:
            with socket.socket(socket.AF_INET, kind) as probe:
                if kind == socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port))
                except OSError as error:
                    raise CarrierUnavailable(f"Asterisk cannot listen on {host}:{port}: {error.strerror}") from error

    async def _is_booted(self) -> bool:
        return "fully booted" in (await self.command("core waitfullybooted")).lower()


def _tail(path: Path) -> list[str]:
    if not path.exists():
        return []
    return path.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
