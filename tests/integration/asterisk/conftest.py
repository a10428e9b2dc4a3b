"""One Asterisk for all tests of this folder, without a bridge, with short leases and tones for music and prompts."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.secrets import secret
from config.settings import Settings
from telephony.asterisk.cdr import CallRecord, calls, read
from telephony.asterisk.install import find_asterisk
from telephony.asterisk.pbx_config import PbxFiles, render
from telephony.asterisk.server import AsteriskServer
from telephony.demo.scenarios import write_tone
from tests.integration.asterisk.ami import Ami
from tests.phones.ports import free_block
from tests.waiting import until

MUSIC_HZ, SORRY_HZ, WHISPER_HZ = 300.0, 700.0, 900.0


@dataclass(frozen=True, slots=True)
class Pbx:
    """A running Asterisk and everything a test needs of it."""

    settings: Settings
    files: PbxFiles
    server: AsteriskServer
    whisper: Path

    @property
    def service(self) -> str:
        """The address a citizen dials."""
        return f"sip:{self.settings.service_number}@127.0.0.1:{self.settings.sip_port}"

    def ami(self) -> Ami:
        return Ami(self.settings.effective_ami_port, self.settings.ami_user, secret(self.settings, "ami_secret"))

    def records(self) -> dict[str, tuple[CallRecord, ...]]:
        return calls(read(self.files.cdr)[0])

    async def record_with(self, stage: str, within_s: float = 20.0) -> tuple[CallRecord, ...]:
        """The rows of the first call that has one of this stage."""
        return (await until(lambda: self._records_with(stage), within_s, f"a call record of stage {stage}"))[0]

    def _records_with(self, stage: str) -> list[tuple[CallRecord, ...]]:
        return [rows for rows in self.records().values() if stage in {row.stage for row in rows}]


def make_settings(directory: Path, operators_line: str = "", sip_trust: str = "127.0.0.0/8") -> Settings:
    ports = free_block(110)
    return Settings(
        state_dir=directory,
        sip_host="127.0.0.1",
        sip_port=ports,
        ami_port=ports + 1,
        sip_ws_port=ports + 105,
        rtp_port_first=ports + 2,
        rtp_port_count=100,
        first_lease_s=2.0,
        channel_lease_s=8.0,
        message_silence_s=3.0,
        operator_ring_s=5.0,
        operators_line=operators_line,
        sip_trust=sip_trust,
        _env_file=None,
    )


async def start_pbx(settings: Settings) -> Pbx:
    program = find_asterisk(settings)
    assert program is not None, "Asterisk is missing: run `make setup`"
    files = render(settings, settings.state_dir / "asterisk", program)
    write_tone(files.moh / "music.wav", MUSIC_HZ, 20)
    write_tone(files.sounds / "sorry.wav", SORRY_HZ, 1)
    whisper = settings.state_dir / "whisper"
    write_tone(whisper.with_suffix(".wav"), WHISPER_HZ, 2)
    server = AsteriskServer(program, files)
    await server.start()
    return Pbx(settings, files, server, whisper)


@pytest.fixture
async def pbx(tmp_path: Path) -> AsyncIterator[Pbx]:
    running = await start_pbx(make_settings(tmp_path / "pbx"))
    yield running
    await running.server.stop()
