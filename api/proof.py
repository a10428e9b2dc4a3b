"""Is this act meant by the person whose cookie comes with it? And what the form or the JSON of a request says."""

import hmac
from urllib.parse import urlsplit

import msgspec
from fastapi import Request
from starlette.datastructures import UploadFile

from api.gate import Gate
from api.problems import Problem

HEADER, FIELD = "x-csrf-token", "csrf"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


async def check_same_site(request: Request, gate: Gate, expected: str) -> None:
    """Raises csrf_failed unless the token of the login came with the act, in a header or the form, from our own pages."""
    check_origin(request, gate)
    given = request.headers.get(HEADER) or (await read_stated(request)).get(FIELD, "")
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Problem("csrf_failed", "Load the page again and repeat the act.")


def check_origin(request: Request, gate: Gate) -> None:
    """Raises csrf_failed for an act that a foreign page sent. Browsers always say where an act comes from."""
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Problem("csrf_failed", "The act came from another site.")
    if origin is not None and urlsplit(origin).netloc not in gate.hosts(request):
        raise Problem("csrf_failed", "The act came from another site.")


async def read_stated(request: Request) -> dict[str, str]:
    """The texts of the form or the JSON object that was sent; empty when it is neither. The body stays readable."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _FORMS:
        form = await request.form()
        return {name: value for name, value in form.items() if not isinstance(value, UploadFile)}
    try:
        document = msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeError):
        return {}
    items = document.items() if isinstance(document, dict) else ()
    return {str(name): value for name, value in items if isinstance(value, str)}
