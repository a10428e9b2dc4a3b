"""Which Asterisk there is and how to start it. Its configuration is pbx_config's; it starts nothing itself."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from config.native import Program, find_installed, find_unpacked, library_folder
from config.settings import Settings

#: The first version in which everything the call flow uses behaves as verified.
OLDEST_VERSION = 20

#: `asterisk -V` answers in milliseconds; a machine under load may take longer.
ANSWER_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class AsteriskProgram:
    """An Asterisk that can be started: `[*argv, "-f", "-C", <asterisk.conf>]` with `env` added to the environment."""

    program: Program
    #: As `asterisk -V` prints it, without the word: `22.10.1~dfsg`.
    version: str
    #: For `astmoddir`.
    module_dir: Path
    #: For `astdatadir`: documentation (without it modules refuse to load), English sounds.
    data_dir: Path

    @property
    def argv(self) -> tuple[str, ...]:
        return self.program.argv

    @property
    def env(self) -> dict[str, str]:
        return self.program.env


def find_asterisk(settings: Settings) -> AsteriskProgram | None:
    """An installed Asterisk 20 or later, else the unpacked one; None when there is neither or settings want none."""
    if settings.asterisk != "auto":
        return None
    for program in (find_installed("asterisk"), find_unpacked("asterisk")):
        described = program and describe(program)
        if described and major(described.version) >= OLDEST_VERSION:
            return described
    return None


def describe(program: Program) -> AsteriskProgram | None:
    """Asks the program for its version and finds its folders; None when it cannot even be started."""
    try:
        answer = subprocess.run(
            [*program.argv, "-V"],
            env=program.environment(),
            capture_output=True,
            text=True,
            timeout=ANSWER_WITHIN_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    modules = _module_dir(program.root)
    if modules is None:
        return None
    data = (program.root or Path("/")) / "usr/share/asterisk"
    if not data.is_dir():  # built from source
        data = Path("/var/lib/asterisk")
    return AsteriskProgram(program, answer.stdout.removeprefix("Asterisk").strip(), modules, data)


def major(version: str) -> int:
    """22 of "22.10.1~dfsg", also of "certified/20.7-cert3" and "GIT-22-abc"; 0 when there is no number."""
    found = re.search(r"\d+", version)
    return int(found[0]) if found else 0


def _module_dir(root: Path | None) -> Path | None:
    if root is not None:
        return library_folder(root) / "asterisk/modules"
    places = [*Path("/usr/lib").glob("*-linux-gnu*/asterisk/modules"), Path("/usr/lib/asterisk/modules")]
    places += [Path("/usr/lib64/asterisk/modules"), Path("/usr/local/lib/asterisk/modules")]
    return next((place for place in places if (place / "chan_pjsip.so").exists()), None)
