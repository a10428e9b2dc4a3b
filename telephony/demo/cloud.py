"""The command line of the cloud's double, which lives with the tests of the source checkout. Starts nothing.

The product never imports it: a demonstration runs it as a process of its own, which talks to us as the real cloud does.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
_DOUBLE = ROOT / "tests" / "cloud" / "__main__.py"
_HERE = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class CloudCall:
    """One demonstration call. Seconds; 0 = until the other side ends it."""

    caller: str = ""
    keys: tuple[str, ...] = ()
    speak_s: float = 0.0
    stay_s: float = 0.0
    talk_s: float = 10.0


def is_there() -> bool:
    """Whether this is a source checkout, which has the double."""
    return _DOUBLE.is_file()


def is_configured(settings: Settings) -> bool:
    """Whether the hotline has a cloud account whose REST API is on this machine, where the double can stand in."""
    named = settings.twilio_account_sid and settings.twilio_auth_token.get_secret_value() and settings.twilio_number
    where = urlsplit(settings.twilio_api_url)
    return bool(named and where.hostname in _HERE and where.port)


def cloud_argv(settings: Settings, call: CloudCall, *, as_json: bool) -> list[str]:
    """To be run in ROOT, with the token in HOTLINE_TWILIO_AUTH_TOKEN."""
    where = urlsplit(settings.twilio_api_url)
    argv = [sys.executable, "-m", "tests.cloud", "--listen", f"127.0.0.1:{where.port}"]
    argv += ["--account", settings.twilio_account_sid, "--number", settings.twilio_number]
    argv += ["--hotline", settings.effective_public_url, "--keys", ",".join(call.keys)]
    argv += ["--speak", str(call.speak_s), "--stay", str(call.stay_s), "--talk", str(call.talk_s)]
    return argv + (["--caller", call.caller] if call.caller else []) + (["--json"] if as_json else [])
