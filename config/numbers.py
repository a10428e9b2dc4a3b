"""Telephone numbers as carriers present them, read into E.164. The input is hostile: nothing here ever raises."""

import re
import unicodedata

import phonenumbers

from config.settings import Settings

_LONGEST_INPUT = 256
_LONGEST_NUMBER = 15
_SIP_USER = re.compile(r"(?:sips?|tel):([^@;>?]*)", re.IGNORECASE)
_BRACKETED = re.compile(r"<([^<>]*)>\s*(?:;.*)?$")
_DIALLED = re.compile(r"\+?[0-9]+")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_MOBILE_AS_WRITTEN = re.compile(r"\+861[3-9][0-9]{9}")
#: Area code without its 0, and the number: 10 + 8 digits, 734 + 7 digits.
_SHORTEST_IN_CHINA = 10
_RUNG = frozenset(
    {
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    }
)
_LOCAL = re.compile(r"[2-8][0-9]{6,7}")
_PUNCTUATION = str.maketrans("", "", " -().\u00a0")


def read_number(raw: object, settings: Settings) -> str:
    """E.164 (`+8613812345678`), or empty when there is no number a person could be called back at.

    Takes mobiles, local 7 and 8 digit numbers (the area code is added), national and international forms, SIP and
    tel URIs with display names, full-width digits. Withheld numbers, names, our own service number and everything
    else are empty.
    """
    if isinstance(raw, str) and _MOBILE_AS_WRITTEN.fullmatch(raw) and raw != f"+{settings.service_number}":
        return raw  # as a cloud presents nearly everybody
    dialled = _dialled(raw)
    if not dialled or dialled.removeprefix("+") == settings.service_number:
        return ""
    return _e164(_complete(dialled, settings), settings.country_code)


def read_dialable(raw: object, settings: Settings) -> str:
    """E.164 of a telephone that we may ring without a person deciding it: a fixed line or a mobile of COUNTRY_CODE, and none
    of our own. Anybody can key in, or present, a number that is dear to ring: premium rate, satellite, abroad, short codes."""
    number = read_number(raw, settings)
    if not number or number in _own(settings):
        return ""
    region = settings.country_code
    mobile = region == "CN" and _MOBILE_AS_WRITTEN.fullmatch(number)
    return number if mobile or _is_subscriber(number, region) else ""


def _own(settings: Settings) -> tuple[str, ...]:
    country = f"+{phonenumbers.country_code_for_region(settings.country_code)}"
    area = settings.area_code.removeprefix("0")
    return (settings.twilio_number, country + settings.service_number, country + area + settings.service_number)


def _is_subscriber(number: str, region: str) -> bool:
    parsed = phonenumbers.parse(number, None)
    if phonenumbers.region_code_for_number(parsed) != region or phonenumbers.number_type(parsed) not in _RUNG:
        return False
    # The library takes an area code and a short code (95588, 10010) for a fixed line.
    return region != "CN" or len(str(parsed.national_number)) >= _SHORTEST_IN_CHINA


def _dialled(raw: object) -> str:
    """Digits with an optional plus, or empty."""
    if not isinstance(raw, str) or len(raw) > _LONGEST_INPUT:
        return ""
    text = raw
    if not (raw.isascii() and raw.isprintable()):
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in raw):
            return ""  # somebody tries to inject a line: nothing of it can be trusted
        text = unicodedata.normalize("NFKC", raw)
    text = text.strip()
    if bracketed := _BRACKETED.search(text):
        text = bracketed[1]
    if uri := _SIP_USER.search(text):
        text = uri[1]
    text = text.strip("\"' ").translate(_PUNCTUATION)
    return text if _DIALLED.fullmatch(text) else ""


def _complete(dialled: str, settings: Settings) -> str:
    """Add what a local or trunk-prefixed number lacks. Rules of the Chinese network apply to Chinese settings only."""
    if dialled.startswith("00"):
        dialled = "+" + dialled[2:]
    if settings.country_code != "CN" or dialled.startswith("+"):
        return dialled
    if _MOBILE.fullmatch(dialled.removeprefix("0")):
        return "+86" + dialled.removeprefix("0")
    if dialled.startswith("86") and len(dialled) > _LONGEST_NUMBER - 5:
        return "+" + dialled
    if _LOCAL.fullmatch(dialled):
        return "+86" + settings.area_code.removeprefix("0") + dialled
    return dialled


def _e164(number: str, region: str) -> str:
    if not 0 < len(number.removeprefix("+")) <= _LONGEST_NUMBER:
        return ""
    if _MOBILE.fullmatch(number.removeprefix("+86")):
        return number  # new mobile ranges are opened faster than the library's tables are renewed
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(parsed):
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
