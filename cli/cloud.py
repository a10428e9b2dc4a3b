"""`hotline dial --cloud`: one call through a double of the cloud phone, told as it goes."""

import os
import subprocess

from cli.errors import CommandError, Exit
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
    """False: something of the call would have been refused by the real cloud. Raises CommandError."""
    if not is_there():
        raise CommandError(Exit.UNREACHABLE, "double_missing")
    if not is_configured(settings):
        raise CommandError(Exit.USAGE, "cloud_not_local", example=EXAMPLE)
    token = settings.twilio_auth_token.get_secret_value()
    environment = {**os.environ, "HOTLINE_TWILIO_AUTH_TOKEN": token}
    return (
        subprocess.run(cloud_argv(settings, call, as_json=as_json), cwd=ROOT, env=environment, check=False).returncode
        == 0
    )
