"""`hotline dial --cloud`: one call through a double of the cloud phone, told as it goes."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from cli.client import Api
from cli.errors import CommandError, Exit
from cli.output import tell
from config.settings import Settings
from telephony.demo.cloud import ROOT, CloudCall, cloud_argv, is_configured, is_there

#: How long a matter is spoken, after the beep.
MESSAGE_S = 8.0
#: An example of what to set; the double takes any account, token and number.
EXAMPLE = (
    "HOTLINE_TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001 HOTLINE_TWILIO_AUTH_TOKEN=demo"
    " HOTLINE_TWILIO_NUMBER=+867345550000 HOTLINE_TWILIO_API_URL=http://127.0.0.1:8088"
)


def place_cloud_call(settings: Settings, call: CloudCall, *, as_json: bool) -> bool:
    """False: something of the call would have been refused by the real cloud. Raises CommandError; KeyboardInterrupt when Ctrl-C
    has hung up."""
    if not is_there():
        raise CommandError(Exit.UNREACHABLE, "double_missing")
    if not is_configured(settings):
        raise CommandError(Exit.USAGE, "cloud_not_local", example=EXAMPLE)
    Api().get("/api/line")  # says what to do when nobody answers there
    port = urlsplit(settings.twilio_api_url).port or 0
    if _is_taken(port):
        raise CommandError(Exit.UNREACHABLE, "cloud_port_taken", port=port)
    if sys.stdin.isatty() and not as_json:
        tell("cloud_keys")
    token = settings.twilio_auth_token.get_secret_value()
    environment = {**os.environ, "HOTLINE_TWILIO_AUTH_TOKEN": token}
    went_well = _run(cloud_argv(settings, call, as_json=as_json), environment) == 0
    if not went_well and not as_json:
        tell("cloud_refused", example=EXAMPLE)
    return went_well


def _run(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """The double, to its end. Ctrl-C hangs up, and waits until the hotline has been told; once more: ends it at once."""
    with subprocess.Popen(argv, cwd=ROOT, env=environment) as double:
        try:
            return double.wait()
        except KeyboardInterrupt:
            double.terminate()
            try:
                double.wait()
            except KeyboardInterrupt:
                double.kill()
            raise


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False
