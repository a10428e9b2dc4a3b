"""The cloud phone: webhooks in, TwiML out, and the sounds the cloud fetches. Without a token: the signature is the proof."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

import msgspec
import structlog
from fastapi import APIRouter, Depends, Path, Request
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope

from api.cloud import Cloud
from api.documents import problems
from api.problems import Problem
from api.webhook_document import TOLD
from telephony.twilio.addresses import Step
from telephony.twilio.signature import Form, read_form
from telephony.twilio.webhook import Webhook

WEBHOOKS = "/twilio/{step}"
router = APIRouter(tags=["cloud phone"])
log = structlog.get_logger("api.twilio")

#: A webhook has one or two kilobytes.
BODY_MAX = 65_536
#: A sound never changes under its name.
SOUND_KEPT_S = 86_400
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
#: What is read of a webhook's head.
_SIGNATURE, _KIND, _REPETITION = b"x-twilio-signature", b"content-type", b"i-twilio-idempotency-token"
_TOLD = frozenset({_SIGNATURE, _KIND, _REPETITION})
_SOUND = re.compile(r"[0-9a-f]{32}\.wav\Z")
_PIECE = re.compile(r"([0-9]{1,4})\.wav\Z")

Folder = Literal["zh-Hans", "zh-Hant", "en", "music"]
_STEPS: tuple[str, ...] = get_args(Step)


class Twiml(Response):
    """What a cloud phone is to do next."""

    media_type = "text/xml"


def _cloud(request: Request) -> Cloud:
    cloud: Cloud | None = request.app.state.cloud
    if cloud is None:
        raise Problem("not_found", "This instance has no cloud phone (HOTLINE_TWILIO_ACCOUNT_SID).")
    return cloud


Behind = Annotated[Cloud, Depends(_cloud)]
_TWIML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/xml": {}}, "description": "TwiML"}}
_SOUND_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"audio/wav": {}}, "description": "The sound"}}


@router.get(
    "/twilio/prompts/{expires}/{signature}/{folder}/{name}",
    response_class=Response,
    responses={**_SOUND_FILE, **problems("not_found")},
)
async def fetch_sound(
    cloud: Behind, expires: Annotated[int, Path(ge=0, le=2**40)], signature: str, folder: Folder, name: str
) -> Response:
    """A prompt or a piece of hold music, under an address that we signed and that expires."""
    if not cloud.exchange.addresses.is_signed(
        expires, signature.encode("ascii", "replace").decode(), f"{folder}/{name}"
    ):
        raise Problem("not_found", "The address is not one of ours, or it has expired.")
    # Public, because the cloud's media caches are shared; the address is signed and expires, and no sound holds what is personal.
    headers = {"Cache-Control": f"public, max-age={SOUND_KEPT_S}"}
    if folder == "music" and (piece := _PIECE.match(name)):
        return Response(_music(cloud, int(piece[1])), headers=headers, media_type="audio/wav")
    path = cloud.exchange.prompts.folder / folder / name
    if not _SOUND.match(name) or not path.is_file():
        raise Problem("not_found")
    return FileResponse(path, headers=headers, media_type="audio/wav")


def _music(cloud: Cloud, number: int) -> bytes:
    try:
        return cloud.webhooks.music.piece(number)
    except (LookupError, OSError) as error:
        raise Problem("not_found") from error


@router.post(
    WEBHOOKS,
    response_class=Twiml,
    responses={**_TWIML, **problems("not_found", "signature_invalid", "body_too_large")},
    openapi_extra=TOLD,
)
async def take_webhook(step: str, request: Request, cloud: Behind) -> Response:
    """A webhook of the cloud. `voice`, `status` and `fallback` are configured there, the others follow from the TwiML."""
    return Twiml(await answer_webhook(cloud, step, request.scope, request.receive))


async def answer_webhook(cloud: Cloud, step: str, scope: Scope, receive: Receive) -> str:
    """The TwiML. Raises Problem for what the cloud did not sign, and for a step that there is not; ClientDisconnect."""
    body = await _body(receive)
    query = scope["query_string"].decode("latin-1")
    target = f"/twilio/{step}?{query}" if query else f"/twilio/{step}"
    headers = _headers(scope)
    form = _genuine(cloud, target, headers, body)
    if form is None or step not in _STEPS:
        cloud.count_refused(step if step in _STEPS else "other")
        log.warning("a webhook was refused", step=step if step in _STEPS else "other", signed=form is not None)
        raise Problem("signature_invalid") if form is None else Problem("not_found")
    hook = Webhook(cloud.exchange.settings, step, query, form, headers.get(_REPETITION, ""))
    return await cloud.webhooks.answer(step, query, hook)  # type: ignore[arg-type]  # it is one of the steps


async def _body(receive: Receive) -> bytes:
    """Raises body_too_large before more than BODY_MAX was kept."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message["type"] == "http.request" and message.get("more_body") and len(body) <= BODY_MAX:
        message = await receive()
        body += message.get("body", b"")
    if message["type"] != "http.request":
        raise ClientDisconnect
    if len(body) > BODY_MAX:
        raise Problem("body_too_large", "A webhook has at most 64 KB.")
    return body


def _headers(scope: Scope) -> dict[bytes, str]:
    """Those of _TOLD; of one that comes several times, the first."""
    told: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _TOLD:
            told.setdefault(name, value.decode("latin-1"))
    return told


def _genuine(cloud: Cloud, target: str, headers: Mapping[bytes, str], body: bytes) -> Form | None:
    """The parameters of a webhook that the cloud signed for our account; None for everything else."""
    signature = headers.get(_SIGNATURE, "")
    kind = headers.get(_KIND, "").partition(";")[0].strip().lower()
    if kind == _JSON:
        return _read_json(cloud, body) if cloud.signatures.signs_json(target, body, signature) else None
    if kind != _FORM:
        return None
    try:
        form = read_form(body)
    except ValueError:
        return None
    return form if cloud.signatures.signs_form(target, form, signature) else None


def _read_json(cloud: Cloud, body: bytes) -> Form | None:
    """A flat JSON object as a form. None when it is another account's."""
    try:
        document = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError):
        return None
    form = Form([(name, value) for name, value in document.items() if isinstance(value, str)])
    return form if form.get("AccountSid") == cloud.exchange.settings.twilio_account_sid else None
