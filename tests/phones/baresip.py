"""One baresip as a phone: dials, answers, presses keys, speaks a file, records what it hears. Controlled over its ctrl_tcp."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from config.native import find_program
from telephony.demo.scenarios import write_tone
from tests.phones import hearing
from tests.phones.ports import free_block
from tests.waiting import patient, until

#: SIP on udp, tcp and tls (two ports), control, and RTP with RTCP.
_PORTS = 12
_CONFIG = """poll_method epoll
sip_listen {host}:{sip}
sip_trans_def udp
call_local_timeout 300
call_max_calls {lines}
audio_source aufile,{speech}
audio_alert aufile,{speech}
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports {rtp}-{rtp_last}
rtp_stats no
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {folder}
"""


@dataclass(slots=True)
class Phone:
    """A phone with a number. `async with Phone(folder, number) as phone: ...` starts and ends its process.

    `speech` is played to the other side from the answer on (default: 100 s of `tone_hz`). `lines`: so many calls at once; what it
    does, it does with the newest one.
    """

    folder: Path
    number: str
    display: str = ""
    tone_hz: float = 500.0
    speech: Path | None = None
    keys: Literal["rtp", "info"] = "rtp"
    answers: Literal["auto", "manual"] = "manual"
    lines: int = 1
    #: Its address on loopback; and user and password for who asks for one.
    host: str = "127.0.0.1"
    login: tuple[str, str] | None = None
    events: list[Mapping[str, Any]] = field(default_factory=list)
    port: int = 0
    _process: asyncio.subprocess.Process | None = None
    _writer: asyncio.StreamWriter | None = None
    _reading: asyncio.Task[None] | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _replies: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where it can be rung."""
        return f"sip:{self.number}@{self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        program = find_program("baresip")
        if program is None:
            raise RuntimeError("baresip is missing: run `make setup`")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_block(_PORTS)
        control = self.port + 3
        self._configure(control, (program.root or Path("/")) / "usr/lib/baresip/modules")
        log = (self.folder / "baresip.log").open("wb")
        with log:
            self._process = await asyncio.create_subprocess_exec(
                *program.argv,
                "-f",
                str(self.folder),
                env=program.environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        reader, self._writer = await self._connect(control)
        self._reading = asyncio.create_task(self._read(reader))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        if self._writer is not None:
            self._writer.close()
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()
                await process.wait()

    async def dial(self, address: str) -> None:
        await self._command("dial", address)

    async def answer(self) -> None:
        await self._command("accept")

    async def press(self, key: str) -> None:
        """Sends one key by RFC 4733 or SIP INFO, as the phone was made."""
        await self._command("sndcode", key)

    async def hang_up(self) -> None:
        """Ends the call; refuses one that rings (486)."""
        await self._command("hangup")

    async def until(self, kind: str, within_s: float = 15.0) -> Mapping[str, Any]:
        """The first event of this kind (CALL_RINGING, CALL_ESTABLISHED, CALL_INCOMING, CALL_CLOSED, CALL_DTMF_START)."""
        return await self._wait(
            lambda: next((event for event in self.events if event.get("type") == kind), None), within_s, kind
        )

    @property
    def heard_file(self) -> Path:
        """The recording of what it heard; grows during the call."""
        files = sorted(self.folder.glob("dump-*-dec.wav"))
        return files[-1] if files else self.folder / "nothing.wav"

    def heard(self, last_s: float | None = None) -> hearing.Samples:
        """What it heard, as samples: all, or the last seconds."""
        samples = hearing.read(self.heard_file)
        return samples if last_s is None else samples[-round(last_s * hearing.RATE) :]

    async def listen(self, seconds: float) -> hearing.Samples:
        """Hears that much more, and returns it."""
        start = self.heard().size
        wanted = start + round(seconds * hearing.RATE)
        await until(lambda: self.heard().size >= wanted, seconds + 15, "hearing that long")
        return self.heard()[start:wanted]

    async def hears_tone(self, hz: float, seconds: float = 1.0, share: float = 0.8) -> None:
        """Waits until so many seconds in a row are this tone: what follows an answer, or a sentence, is heard a moment later."""
        heard = 0.0

        async def so() -> bool:
            nonlocal heard
            heard = hearing.tone_share(await self.listen(seconds), hz)
            return heard > share

        try:
            await until(so, 15, f"{self.number} hears {hz:g} Hz")
        except AssertionError as error:
            raise AssertionError(f"{error}, but {heard:.2f} of it") from None

    def _configure(self, control: int, modules: Path) -> None:
        speech = self.speech or write_tone(self.folder / "speech.wav", self.tone_hz, 100.0)
        rtp = self.port + 4 + self.port % 2
        own = {"host": self.host, "sip": self.port, "control": control, "lines": self.lines}
        values = {**own, "rtp": rtp, "rtp_last": rtp + 6, "modules": modules}
        (self.folder / "config").write_text(_CONFIG.format(speech=speech, folder=self.folder, **values))
        name = f'"{self.display}" ' if self.display else ""
        keys = "rtpevent" if self.keys == "rtp" else "info"
        account = f"<sip:{self.number}@{self.host};transport=udp>;regint=0;audio_codecs=PCMA/8000/1"
        if self.login is not None:
            account += f";auth_user={self.login[0]};auth_pass={self.login[1]}"
        (self.folder / "accounts").write_text(f"{name}{account};answermode={self.answers};dtmfmode={keys}\n")
        (self.folder / "contacts").touch()

    async def _connect(self, control: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async def connected() -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
            try:
                return await asyncio.open_connection("127.0.0.1", control)
            except OSError:
                if self._process is not None and self._process.returncode is not None:
                    words = (self.folder / "baresip.log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"baresip ended at once:\n{words}") from None
                return None

        streams = await until(connected, 10, "baresip")
        assert streams is not None
        return streams

    async def _command(self, name: str, parameters: str = "") -> None:
        before = len(self._replies)
        data = json.dumps({"command": name, "params": parameters}).encode()
        assert self._writer is not None
        self._writer.write(b"%d:%s," % (len(data), data))
        reply = await self._wait(
            lambda: self._replies[before] if len(self._replies) > before else None, 10, f"reply to {name}"
        )
        if not reply.get("ok"):
            raise RuntimeError(f"baresip refused {name}: {reply.get('data')}")

    async def _wait(
        self, find: Callable[[], Mapping[str, Any] | None], within_s: float, what: str
    ) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(patient(within_s)), self._changed:
                while (found := find()) is None:
                    await self._changed.wait()
                return found
        except TimeoutError:
            seen = [event.get("type") for event in self.events]
            raise TimeoutError(f"{self.number}: no {what} within {within_s:g} s; events: {seen}") from None

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Netstrings of JSON: replies to commands, and events."""
        while length := await reader.readuntil(b":"):
            message = json.loads(await _body(reader, length))
            async with self._changed:
                (self.events if message.get("event") else self._replies).append(message)
                self._changed.notify_all()


async def _body(reader: asyncio.StreamReader, length: bytes) -> bytes:
    """A netstring's body, without the comma that ends it."""
    return (await reader.readexactly(int(length[:-1]) + 1))[:-1]
