"""Where the programs around us are: on PATH, else unpacked under `native_dir`. Looks only; `debian.py` fetches."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from config.settings import load_settings

#: Folders of programs that an ordinary user's PATH leaves out on Debian.
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")

#: Where each program lies inside an unpacked root.
PLACES = {
    "asterisk": "usr/sbin/asterisk",
    "sipp": "usr/bin/sipp",
    "baresip": "usr/bin/baresip",
    "espeak-ng": "usr/bin/espeak-ng",
    "docker-compose": "usr/libexec/docker/cli-plugins/docker-compose",
    "nginx": "usr/sbin/nginx",
}

#: The file in a root that says which programs are complete in it, one a line.
COMPLETE = ".programs"


@dataclass(frozen=True, slots=True)
class Program:
    """How to start a program: `[*argv, ...]` with `env` added to the environment."""

    argv: tuple[str, ...]
    #: What to add to the environment.
    env: dict[str, str] = field(default_factory=dict)
    #: The unpacked root it lives in, with its own `usr/lib`; None for an installed program, whose root is `/`.
    root: Path | None = None

    def environment(self) -> dict[str, str]:
        """The whole environment for subprocess."""
        return {**os.environ, **self.env}


def native_dir() -> Path:
    """The folder that unpacked programs are kept in, shared by all instances that run from this code."""
    return load_settings().native_dir or Path(__file__).resolve().parents[1] / ".hotline" / "native"


def find_program(name: str) -> Program | None:
    """An installed program first, else the unpacked one, else None."""
    return find_installed(name) or find_unpacked(name)


def find_installed(name: str) -> Program | None:
    """The program on PATH or in the system's folders."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])
    found = shutil.which(name, path=path)
    return Program((found,)) if found else None


def find_unpacked(name: str) -> Program | None:
    """The program in the unpacked root, run through the root's own loader so that nothing of the host is needed."""
    root = native_dir() / "root"
    place = PLACES.get(name)
    if place is None or name not in complete_programs(root):
        return None
    loader, libraries = next(root.glob("usr/lib*/ld-linux*.so.*")), library_folder(root)
    search = f"{libraries}:{libraries / 'pulseaudio'}"
    argv = (str(loader), "--inhibit-cache", "--argv0", name, "--library-path", search, str(root / place))
    env = {"GCONV_PATH": str(libraries / "gconv"), "ESPEAK_DATA_PATH": str(libraries)}
    return Program(argv, env, root)


def complete_programs(root: Path) -> frozenset[str]:
    """The names of the programs whose unpacking into `root` was finished."""
    listing = root / COMPLETE
    return frozenset(listing.read_text().split()) if listing.exists() else frozenset()


def library_folder(root: Path) -> Path:
    """The folder of shared libraries, whose name has the machine's kind in it (`x86_64-linux-gnu`)."""
    return next(root.glob("usr/lib/*-linux-gnu*"))
