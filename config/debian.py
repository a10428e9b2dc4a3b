"""Fetches Debian packages without root rights and unpacks them into a folder of our own; nothing is installed.

Uses the machine's own apt (mirror, keyring, proxies) with private folders. apt checks every signature.
"""

import fcntl
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.native import COMPLETE, complete_programs, native_dir

#: Told what is going on: a text and how much of it is done (0..1).
Progress = Callable[[str, float], None]

#: Debian releases that have Asterisk 22 LTS, the preferred first.
SUITES = ("forky", "sid")

#: Which packages bring a program.
PACKAGES = {
    "asterisk": "asterisk",
    "sipp": "sip-tester",
    "baresip": "baresip-core",
    "espeak-ng": "espeak-ng",
    "docker-compose": "docker-compose",
    "nginx": "nginx",
}

#: Packages that only installing needs (users, scripts, documentation): given out as there, so never fetched.
NOT_NEEDED = (
    "adduser base-passwd debconf dirmngr freetds-common gnupg gpg gpg-agent gpgsm libcodec2-1.2 libpam-modules "
    "libpam-modules-bin libsnmp-base libx11-data login.defs media-types netbase openssl-provider-legacy passwd pci.ids "
    "perl perl-base python3 readline-common tzdata"
).split()

#: Folders inside packages that no program reads.
LEFT_OUT = ("./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./usr/share/lintian", "./usr/share/info")

#: The file in a half unpacked root that names the packages already in it.
UNPACKED = ".unpacked"

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class PackagesUnavailable(Exception):
    """The programs cannot be fetched here; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Apt:
    """apt-get with folders of its own under `home`."""

    home: Path

    def prepare(self, mirror: str, suite: str, *, check_date: bool) -> None:
        """Writes its settings. `check_date=False` takes a mirror whose index is older than it should be."""
        for folder in ("lists/partial", "archives/partial", "parts"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        signed_by = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
        (self.home / "sources.list").write_text(f"deb {signed_by}{mirror} {suite} main\n")
        (self.home / "status").write_text("".join(map(_given_out_as_there, NOT_NEEDED)))
        (self.home / "apt.conf").write_text(self._settings(check_date))

    def _settings(self, check_date: bool) -> str:
        home = self.home
        lines = [
            f'Dir::Etc::parts "{home}/parts"; Dir::Etc::main "/dev/null";',
            f'Dir::Etc::sourcelist "{home}/sources.list"; Dir::Etc::sourceparts "/dev/null";',
            'Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "/dev/null";',
            f'Dir::State "{home}"; Dir::State::lists "{home}/lists"; Dir::State::status "{home}/status";',
            f'Dir::Cache "{home}"; Dir::Cache::archives "{home}/archives"; Dir::Log "{home}/log";',
            'APT::Sandbox::User "root"; APT::Install-Recommends "false"; APT::Status-Fd "1";',
            'Acquire::Languages "none"; Debug::NoLocking "true";',
            f'Acquire::Check-Valid-Until "{"true" if check_date else "false"}";',
            *_proxies(),
        ]
        return "\n".join(lines) + "\n"

    def get(self, *arguments: str, progress: Progress | None = None) -> list[str]:
        """Runs apt-get; its output lines. Raises PackagesUnavailable with apt's own words."""
        lines: list[str] = []
        command = ["apt-get", "--quiet=2", *arguments]
        path = "/usr/sbin:/usr/bin:/sbin:/bin"
        environment = {"APT_CONFIG": str(self.home / "apt.conf"), "LC_ALL": "C", "PATH": path}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.home
        ) as running:
            for line in running.stdout or ():
                lines.append(line.rstrip())
                _tell(line, progress)
        if running.returncode:
            complaints = [line for line in lines if line.startswith(("E:", "W:"))] or lines[-3:]
            raise PackagesUnavailable("; ".join(complaints) or f"apt-get ended with {running.returncode}")
        return lines


def fetch(programs: Iterable[str], progress: Progress) -> Path:
    """Makes `programs` runnable by config.native.find_program; the root they are in. Resumes what was interrupted."""
    home = native_dir()
    home.mkdir(parents=True, exist_ok=True)
    with _only_one(home):
        root = home / "root"
        wanted = complete_programs(root) | frozenset(programs)
        if wanted <= complete_programs(root):
            return root
        apt = Apt(home / "apt")
        archives = _download(apt, sorted(PACKAGES[name] for name in wanted), progress)
        # The same versions as before and some more: added in place, because programs may be running from there.
        target = root if _unpacked(root) <= {archive.name for archive in archives} else home / "root.partial"
        _unpack(archives, target, progress)
        (target / COMPLETE).write_text("\n".join(sorted(wanted)))
        if target != root:
            _exchange(target, root)
        shutil.rmtree(apt.home)
        return root


def find_mirror() -> str:
    """The Debian mirror in the machine's own apt sources. Raises PackagesUnavailable on other systems."""
    if not shutil.which("apt-get"):
        raise PackagesUnavailable("there is no apt-get here: install Asterisk 20 or later with your system's packages")
    if not any(name in _release_file() for name in ("ID=debian", "ID_LIKE=debian")):
        raise PackagesUnavailable("only Debian's packages can be unpacked: install your system's own Asterisk")
    known = {*SUITES, "bookworm", "trixie", "oldstable", "stable", "testing", "unstable"}
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    for line in listing.stdout.splitlines():
        release, _, uri = line.partition(" ")
        if release in known and not uri.startswith("cdrom:"):
            return uri
    raise PackagesUnavailable("no Debian mirror in this machine's apt sources")


def _download(apt: Apt, packages: list[str], progress: Progress) -> list[Path]:
    mirror = find_mirror()
    refused: list[str] = []
    for suite in SUITES:
        try:
            _update(apt, mirror, suite, progress)
            listing = apt.get("install", "--yes", "--print-uris", *packages)
            apt.get("install", "--yes", "--download-only", *packages, progress=progress)
        except PackagesUnavailable as reason:
            refused.append(f"{suite}: {reason}")
            continue
        names = re.findall(r"^'[^']+' (\S+\.deb) ", "\n".join(listing), re.MULTILINE)
        return [apt.home / "archives" / name for name in names]
    raise PackagesUnavailable("; ".join(refused))


def _update(apt: Apt, mirror: str, suite: str, progress: Progress) -> None:
    progress(f"Debian {suite}: package index", 0.0)
    apt.prepare(mirror, suite, check_date=True)
    try:
        apt.get("update", progress=progress)
    except PackagesUnavailable as reason:
        if "expired" not in str(reason):
            raise
        # A mirror that has not been refreshed for a while. Signatures are still checked; only its age is let pass.
        progress(f"Debian {suite}: the mirror's index is old, its signatures hold; going on", 0.0)
        apt.prepare(mirror, suite, check_date=False)
        apt.get("update", progress=progress)


def _unpack(archives: list[Path], partial: Path, progress: Progress) -> Path:
    done = partial / UNPACKED
    names = {archive.name for archive in archives}
    earlier = _unpacked(partial)
    if not earlier or not earlier <= names:
        shutil.rmtree(partial, ignore_errors=True)
        earlier = set()
    partial.mkdir(parents=True, exist_ok=True)
    for number, archive in enumerate(archives, start=1):
        if archive.name not in earlier:
            progress("unpacking", number / len(archives))
            _unpack_one(archive, partial)
            with done.open("a") as listing:
                listing.write(archive.name + "\n")
    return partial


def _unpacked(root: Path) -> set[str]:
    """The packages that are in there already."""
    done = root / UNPACKED
    return set(done.read_text().split()) if done.exists() else set()


def _unpack_one(archive: Path, root: Path) -> None:
    left_out = [f"--exclude={folder}" for folder in LEFT_OUT]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as contents:
        tar = ["tar", "--extract", "--no-same-owner", *left_out, "--directory", str(root)]
        subprocess.run(tar, stdin=contents.stdout, check=True)
    if contents.returncode:
        raise PackagesUnavailable(f"{archive.name} is damaged; delete it and try again")


def _exchange(partial: Path, root: Path) -> None:
    old = root.with_name("root.old")
    shutil.rmtree(old, ignore_errors=True)
    if root.exists():
        root.rename(old)
    partial.rename(root)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _given_out_as_there(package: str) -> str:
    fields = {
        "Package": package, "Status": "install ok installed", "Maintainer": "none", "Architecture": _architecture(),
        "Multi-Arch": "allowed", "Version": "9999", "Description": "not needed to run",
    }  # fmt: skip
    return "".join(f"{name}: {value}\n" for name, value in fields.items()) + "\n"


def _architecture() -> str:
    asked = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    return asked.stdout.strip()


def _proxies() -> list[str]:
    """The machine's settings of how to reach mirrors."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    kept = ("Acquire::http", "Acquire::https", "Acquire::ftp", "Acquire::Retries")
    return [line for line in dump.splitlines() if line.startswith(kept)]


def _release_file() -> str:
    path = Path("/etc/os-release")
    return path.read_text() if path.exists() else ""


def _tell(line: str, progress: Progress | None) -> None:
    """apt's machine-readable progress: `dlstatus:<n>:<percent>:<text>`."""
    status = re.match(r"dlstatus:\d+:([\d.]+):(.*)", line)
    if status and progress:
        progress(status[2].strip(), float(status[1]) / 100)
