"""With what name and password a cloud phone rings leaders behind our Asterisk: written into its TwiML, asked for by Asterisk."""

import re

from config.secrets import secret
from config.settings import Settings

CLOUD_USER = "cloud"
_PASSWORD = re.compile(r"[A-Za-z0-9_-]{8,100}")


def cloud_password(settings: Settings) -> str:
    """TWILIO_SIP_SECRET, else the generated one. Raises ValueError for one that would be syntax somewhere on its way."""
    password = secret(settings, "twilio_sip_secret")
    if not _PASSWORD.fullmatch(password):
        raise ValueError("HOTLINE_TWILIO_SIP_SECRET: 8 to 100 letters, digits, - and _")
    return password


def is_at_ours(line: str, settings: Settings) -> bool:
    """A SIP line at TWILIO_SIP_ADDRESS. Nobody else is told the password."""
    place = line.partition(":")[2].partition("@")[2].partition(";")[0]
    return bool(settings.twilio_sip_address) and place.lower() == settings.twilio_sip_address.lower()
