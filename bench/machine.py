"""What the machine is that was measured. Reads /proc and asks programs for their versions."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from config.embedded_redis import find_server
from config.native import find_program
from config.settings import load_settings
from telephony.asterisk.install import find_asterisk

PACKAGES = ("panoramisk", "redis", "msgspec", "uvloop", "sqlalchemy", "fastapi")
_ASK_WITHIN_S = 10.0


def describe() -> list[tuple[str, str]]:
    """Name and value, for a table."""
    asterisk = find_asterisk(load_settings())
    sipp, redis = find_program("sipp"), find_server()
    return [
        ("CPU", f"{cpu_model(Path('/proc/cpuinfo').read_text())}, {os.cpu_count()} cores"),
        ("Memory", memory(Path("/proc/meminfo").read_text())),
        ("Kernel", f"{platform.system()} {platform.release()}"),
        ("Python", platform.python_version()),
        ("Asterisk", asterisk.version if asterisk else "absent"),
        ("Redis", _first_line([str(redis), "--version"]) if redis else "absent"),
        ("sipp", _first_line([*sipp.argv, "-v"]) if sipp else "absent"),
        ("Packages", ", ".join(f"{name} {version(name)}" for name in PACKAGES)),
        ("Load before the run", " ".join(f"{load:.2f}" for load in os.getloadavg())),
    ]


def cpu_model(text: str) -> str:
    """From /proc/cpuinfo."""
    names = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(names, platform.machine())


def memory(text: str) -> str:
    """Total, from /proc/meminfo."""
    kib = next((int(line.split()[1]) for line in text.splitlines() if line.startswith("MemTotal:")), 0)
    return f"{kib / 1024 / 1024:.1f} GiB"


def _first_line(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_ASK_WITHIN_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    lines = (line.strip() for line in (done.stdout + done.stderr).splitlines())
    return next((line for line in lines if line), "unknown")
