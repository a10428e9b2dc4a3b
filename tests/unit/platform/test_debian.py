"""Unpacking packages: what is left out, what an interruption leaves, and a stand-in for apt-get that fails as the real one does."""

import subprocess
from pathlib import Path

import pytest

from config import debian
from config.debian import Apt, PackagesUnavailable, find_mirror
from config.native import COMPLETE, complete_programs

CONTROL = "Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: none <none@example.org>\nDescription: none\n"


def silent(_text: str, _share: float) -> None:
    """Progress that nobody looks at."""


def make_package(folder: Path, name: str) -> Path:
    tree = folder / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(CONTROL.format(name=name))
    for place in (f"usr/bin/{name}", f"usr/share/doc/{name}/copyright"):
        (tree / place).parent.mkdir(parents=True, exist_ok=True)
        (tree / place).write_text(name)
    archive = folder / f"{name}.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(archive)], check=True, capture_output=True
    )
    return archive


def test_programs_are_unpacked_without_their_documentation(tmp_path: Path) -> None:
    root = debian._unpack([make_package(tmp_path, "sipp")], tmp_path / "root", silent)
    assert (root / "usr/bin/sipp").read_text() == "sipp"
    assert not (root / "usr/share/doc").exists()


def test_after_an_interruption_only_the_rest_is_unpacked(tmp_path: Path) -> None:
    first, second = make_package(tmp_path, "one"), make_package(tmp_path, "two")
    root = debian._unpack([first], tmp_path / "root", silent)
    (root / "usr/bin/one").write_text("not unpacked again")
    debian._unpack([first, second], root, silent)
    assert (root / "usr/bin/one").read_text() == "not unpacked again"
    assert (root / "usr/bin/two").exists()


def test_packages_of_an_older_index_are_not_mixed_with_newer_ones(tmp_path: Path) -> None:
    root = debian._unpack([make_package(tmp_path, "old")], tmp_path / "root", silent)
    debian._unpack([make_package(tmp_path, "new")], root, silent)
    assert not (root / "usr/bin/old").exists()


def test_a_damaged_package_is_refused(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.deb"
    damaged.write_bytes(b"!<arch>\nno package")
    with pytest.raises((PackagesUnavailable, subprocess.CalledProcessError)):
        debian._unpack([damaged], tmp_path / "root", silent)
    assert not (tmp_path / "root" / ".unpacked").exists()


def test_only_what_was_finished_counts_as_there(tmp_path: Path) -> None:
    assert complete_programs(tmp_path) == frozenset()
    (tmp_path / COMPLETE).write_text("asterisk\nsipp\n")
    assert complete_programs(tmp_path) == {"asterisk", "sipp"}


@pytest.fixture
def apt(tmp_path: Path) -> Apt:
    ready = Apt(tmp_path / "apt")
    ready.prepare("http://mirror.invalid/debian", "forky", check_date=True)
    return ready


def test_signatures_are_always_checked_by_apt(apt: Apt) -> None:
    settings = (apt.home / "apt.conf").read_text() + (apt.home / "sources.list").read_text()
    for weakening in ("AllowUnauthenticated", "AllowInsecure", "trusted=yes", "Verify-Peer"):
        assert weakening not in settings


def test_nothing_of_the_system_is_written(apt: Apt) -> None:
    lines = (apt.home / "apt.conf").read_text()
    for place in ("Dir::State", "Dir::State::lists", "Dir::State::status", "Dir::Cache", "Dir::Log"):
        assert f'{place} "{apt.home}' in lines


def test_a_failing_apt_is_quoted(apt: Apt) -> None:
    with pytest.raises(PackagesUnavailable, match="Unable to locate package no-such-package"):
        apt.get("install", "--yes", "--print-uris", "no-such-package")


def test_other_systems_are_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "_release_file", lambda: "ID=fedora\n")
    with pytest.raises(PackagesUnavailable, match="install your system's own Asterisk"):
        find_mirror()


def test_progress_of_apt_is_passed_on() -> None:
    told: list[tuple[str, float]] = []
    debian._tell("dlstatus:3:25.5:Retrieving file 3 of 12 (2min left)", lambda text, share: told.append((text, share)))
    debian._tell("Reading package lists...", lambda text, share: told.append((text, share)))
    assert told == [("Retrieving file 3 of 12 (2min left)", 0.255)]
