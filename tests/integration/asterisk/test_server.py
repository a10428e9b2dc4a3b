"""Starting and stopping one Asterisk, and what is said when it cannot start."""

import socket
import stat
from pathlib import Path

import pytest

from telephony.asterisk.install import find_asterisk
from telephony.asterisk.pbx_config import render
from telephony.asterisk.server import AsteriskServer
from telephony.errors import CarrierUnavailable
from tests.integration.asterisk.conftest import Pbx, make_settings


def make_server(directory: Path) -> AsteriskServer:
    settings = make_settings(directory)
    program = find_asterisk(settings)
    assert program is not None, "Asterisk is missing: run `make setup`"
    return AsteriskServer(program, render(settings, directory / "asterisk", program))


async def test_it_starts_answers_and_stops(pbx: Pbx) -> None:
    assert pbx.server.running
    assert "active channel" in await pbx.server.command("core show channels")
    await pbx.server.stop()
    assert not pbx.server.running


async def test_given_a_missing_module_then_it_says_which(tmp_path: Path) -> None:
    server = make_server(tmp_path)
    modules = server.files.etc / "modules.conf"
    modules.write_text(modules.read_text() + "require = no_such_module.so\n")
    with pytest.raises(CarrierUnavailable, match="no_such_module"):
        await server.start(10)
    assert not server.running


async def test_given_a_taken_manager_port_then_it_does_not_pretend_to_run(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    program = find_asterisk(settings)
    assert program is not None
    server = AsteriskServer(program, render(settings, tmp_path / "asterisk", program))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.effective_ami_port))
        taken.listen()
        with pytest.raises(CarrierUnavailable, match=str(settings.effective_ami_port)):
            await server.start(10)
    assert not server.running


async def test_secrets_and_recordings_are_for_us_alone(pbx: Pbx) -> None:
    for path in pbx.files.etc.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (pbx.files.etc, pbx.files.spool, pbx.files.recordings, pbx.files.log):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
