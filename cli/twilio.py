"""`hotline twilio setup` and `check`: the number at the cloud is pointed at us, and everything between is tried out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import typer

from cli.client import read_settings
from cli.errors import CommandError, Exit
from cli.options import AsJson
from cli.output import out, print_json
from cli.twilio_sip import Finding, look_at_sip
from config.clock import now
from config.settings import Settings
from telephony.errors import TelephonyError
from telephony.twilio.addresses import Addresses
from telephony.twilio.connection import Connection, Number
from telephony.twilio.signature import Form, Signatures

app = typer.Typer(no_args_is_help=True, help="云电话的设置与检查 · the cloud phone: set-up and check")

#: A CallSid that no call has: an ended call that nobody knows is put down nowhere, because it says that we placed it.
PROBE = "CA" + "0" * 32
_WITHIN_S = 15.0


@app.command("setup")
def set_up(as_json: AsJson = False) -> None:
    """把云端号码指向本系统 · point the number at the cloud to this system."""
    number = asyncio.run(_set_up(_configured()))
    if as_json:
        print_json(
            {
                "number": number.number,
                "voice": number.voice_url,
                "fallback": number.fallback_url,
                "status": number.status_url,
            }
        )
        return
    out.print(f"{number.number} → {number.voice_url}")


@app.command("check")
def check(as_json: AsJson = False) -> None:
    """检查账户、号码、公网地址、签名与 SIP 话机 · account, number, reachability, signature, leaders' SIP phones."""
    findings = asyncio.run(_check(_configured()))
    if as_json:
        print_json([{"name": one.name, "ok": one.ok, "advice": one.advice} for one in findings])
    else:
        for one in findings:
            out.print(f"{'✓' if one.ok else '✗'} {one.name}{'' if one.ok else ': ' + one.advice}", markup=False)
    if not all(one.ok for one in findings):
        raise typer.Exit(Exit.NEGATIVE)


def _configured() -> Settings:
    settings = read_settings()
    if not (settings.twilio_account_sid and settings.twilio_auth_token.get_secret_value() and settings.twilio_number):
        names = "HOTLINE_TWILIO_ACCOUNT_SID, HOTLINE_TWILIO_AUTH_TOKEN, HOTLINE_TWILIO_NUMBER"
        raise CommandError(Exit.IMPOSSIBLE, "missing_setting", names=names)
    if not settings.public_url:
        raise CommandError(Exit.IMPOSSIBLE, "missing_setting", names="HOTLINE_PUBLIC_URL")
    return settings


def wanted(settings: Settings) -> dict[str, str]:
    """How the number is to be configured. With an application or a trunk the cloud would not ask these URLs."""
    addresses = Addresses(settings, now)
    return {
        "VoiceApplicationSid": "",
        "TrunkSid": "",
        "VoiceUrl": addresses.plain("voice"),
        "VoiceMethod": "POST",
        "VoiceFallbackUrl": settings.twilio_fallback_url or addresses.plain("fallback"),
        "VoiceFallbackMethod": "POST",
        "StatusCallback": addresses.plain("status"),
        "StatusCallbackMethod": "POST",
    }


async def _set_up(settings: Settings) -> Number:
    connection = Connection(settings)
    try:
        found = await connection.number(settings.twilio_number)
        if found is None:
            raise CommandError(
                Exit.IMPOSSIBLE, "bad_setting", detail="HOTLINE_TWILIO_NUMBER: the account has no such number"
            )
        fields: dict[str, Any] = wanted(settings)
        return await connection.configure(found.sid, fields)
    except TelephonyError as error:
        raise CommandError(Exit.UNREACHABLE, "bad_setting", detail=error) from error
    finally:
        await connection.close()


async def _check(settings: Settings) -> list[Finding]:
    connection = Connection(settings)
    try:
        findings = [
            await _attempt(
                "account", lambda: _check_account(connection), "HOTLINE_TWILIO_ACCOUNT_SID, HOTLINE_TWILIO_AUTH_TOKEN"
            ),
            await _attempt("number", lambda: _check_number(connection, settings), "hotline twilio setup"),
            Finding(
                "https",
                urlsplit(settings.public_url).scheme == "https",
                "HOTLINE_PUBLIC_URL should begin with https://",
            ),
        ]
        async with httpx.AsyncClient(timeout=_WITHIN_S) as client:
            url = f"{settings.public_url.rstrip('/')}/healthz"
            findings.append(await _attempt("reachable", lambda: _answers(client, url), url))
            findings.append(
                await _attempt("signature taken", lambda: _signed(client, settings, genuine=True), _SIGNATURE)
            )
            findings.append(
                await _attempt("forgery refused", lambda: _signed(client, settings, genuine=False), _SIGNATURE)
            )
        return findings + await look_at_sip(settings)
    finally:
        await connection.close()


_SIGNATURE = "HOTLINE_PUBLIC_URL must be exactly what the cloud calls; a proxy must pass path and query unchanged"


async def _attempt(name: str, question: Callable[[], Awaitable[bool]], advice: str) -> Finding:
    try:
        return Finding(name, await question(), advice)
    except (TelephonyError, httpx.HTTPError) as error:
        return Finding(name, False, f"{advice} ({error})")


async def _check_account(connection: Connection) -> bool:
    return await connection.account_status() == "active"


async def _check_number(connection: Connection, settings: Settings) -> bool:
    found = await connection.number(settings.twilio_number)
    return found is not None and _configured_as(found) == wanted(settings)


def _configured_as(number: Number) -> dict[str, str]:
    """What the cloud says of the number, named as in `wanted`."""
    return {
        "VoiceApplicationSid": number.application_sid,
        "TrunkSid": number.trunk_sid,
        "VoiceUrl": number.voice_url,
        "VoiceMethod": number.voice_method,
        "VoiceFallbackUrl": number.fallback_url,
        "VoiceFallbackMethod": number.fallback_method,
        "StatusCallback": number.status_url,
        "StatusCallbackMethod": number.status_method,
    }


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    return (await client.get(url)).is_success


async def _signed(client: httpx.AsyncClient, settings: Settings, *, genuine: bool) -> bool:
    """A status notice about nothing, over the public URL: taken when it is signed, refused when it is not."""
    form = {
        "CallSid": PROBE,
        "AccountSid": settings.twilio_account_sid,
        "CallStatus": "initiated",
        "Direction": "outbound-api",
    }
    token = settings.twilio_auth_token.get_secret_value()
    signatures = Signatures(settings.twilio_account_sid, token, settings.public_url)
    signature = signatures.sign("/twilio/status", Form(list(form.items()))) if genuine else "forged"
    url = f"{settings.public_url.rstrip('/')}/twilio/status"
    answer = await client.post(url, data=form, headers={"X-Twilio-Signature": signature})
    return answer.status_code == (httpx.codes.OK if genuine else httpx.codes.FORBIDDEN)
