"""An installed program comes first; an unpacked one runs through its own loader; a too old Asterisk does not count."""

from pathlib import Path

import pytest

from config import native
from config.native import Program, find_program, find_unpacked
from config.settings import Settings
from telephony.asterisk import install
from telephony.asterisk.install import find_asterisk, major


@pytest.fixture
def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root with the places filled that are looked for, and nothing on PATH."""
    root = tmp_path / "root"
    for place in ("usr/lib64/ld-linux-x86-64.so.2", "usr/lib/x86_64-linux-gnu/libc.so.6", "usr/bin/sipp"):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).touch()
    monkeypatch.setattr(native, "native_dir", lambda: tmp_path)
    monkeypatch.setattr(native, "SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return root


def test_a_program_that_is_nowhere_is_none(unpacked: Path) -> None:
    assert find_program("sipp") is None


def test_an_unpacked_program_runs_through_its_own_loader(unpacked: Path) -> None:
    (unpacked / ".programs").write_text("sipp\n")
    program = find_program("sipp")
    assert program is not None
    assert program.root == unpacked
    assert program.argv[0] == str(unpacked / "usr/lib64/ld-linux-x86-64.so.2")
    assert program.argv[-1] == str(unpacked / "usr/bin/sipp")
    assert "--inhibit-cache" in program.argv


def test_an_installed_program_comes_first(unpacked: Path, tmp_path: Path) -> None:
    (unpacked / ".programs").write_text("sipp\n")
    installed = tmp_path / "bin" / "sipp"
    installed.parent.mkdir()
    installed.touch(mode=0o755)
    assert find_program("sipp") == Program((str(installed),))
    assert find_unpacked("sipp") is not None


@pytest.mark.parametrize(
    ("version", "number"),
    [("22.10.1~dfsg", 22), ("certified/20.7-cert3", 20), ("GIT-18-4a1", 18), ("16.28.0", 16), ("", 0)],
)
def test_versions_are_read_as_asterisk_prints_them(version: str, number: int) -> None:
    assert major(version) == number


def test_a_too_old_asterisk_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "asterisk"
    old.write_text("#!/bin/sh\necho Asterisk 16.28.0\n")
    old.chmod(0o755)
    monkeypatch.setattr(install, "find_installed", lambda _name: Program((str(old),)))
    monkeypatch.setattr(install, "find_unpacked", lambda _name: None)
    monkeypatch.setattr(install, "_module_dir", lambda _root: tmp_path)
    assert find_asterisk(Settings(asterisk="auto")) is None
    old.write_text("#!/bin/sh\necho Asterisk 22.10.1\n")
    found = find_asterisk(Settings(asterisk="auto"))
    assert found is not None
    assert found.version == "22.10.1"


def test_an_external_asterisk_is_not_looked_for() -> None:
    assert find_asterisk(Settings(asterisk="external")) is None


def test_the_asterisk_of_this_machine_is_20_or_later() -> None:
    found = find_asterisk(Settings(asterisk="auto"))
    assert found is not None, "run `python -m cli.native asterisk`"
    assert major(found.version) >= install.OLDEST_VERSION
    assert (found.module_dir / "chan_pjsip.so").exists()
    assert (found.data_dir / "documentation" / "core-en_US.xml").exists()
