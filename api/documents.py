"""What /openapi.json says about problems: for each route the codes it can answer with, by status."""

from collections import defaultdict
from typing import Any

from api.problems import CODES, MEDIA_TYPE
from api.schemas.health import ProblemOut

_SCHEMA = {"$ref": f"#/components/schemas/{ProblemOut.__name__}"}
#: Every route can answer with these.
_ALWAYS = ("internal_error", "body_too_large", "invalid_request", "control_character")


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route."""
    by_status: dict[int | str, list[str]] = defaultdict(list)
    for code in (*codes, *_ALWAYS):
        by_status[CODES[code][0]].append(code)
    return {
        status: _document(found) for status, found in sorted(by_status.items(), key=lambda pair: str(pair[0]))
    }


def _document(codes: list[str]) -> dict[str, Any]:
    examples = {
        code: {
            "value": {"type": "about:blank", "title": CODES[code][1], "status": CODES[code][0], "code": code}
        }
        for code in codes
    }
    described = "; ".join(f"`{code}`: {CODES[code][1]}" for code in codes)
    return {"description": described, "content": {MEDIA_TYPE: {"schema": _SCHEMA, "examples": examples}}}
