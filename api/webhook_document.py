"""What /openapi.json says of a webhook: the parameters of the cloud that are looked at, and those of our own addresses.

Words only: what is read, and how, is in telephony.twilio.webhook. All of it may be missing, and anything else may be there.
"""

from typing import Any

from telephony.twilio.connection import ENDED

_CALL_SID, _RECORDING_SID, _NUMBER = "^CA[0-9a-f]{32}$", "^RE[0-9a-f]{32}$", r"^\+?[0-9]{3,15}$"
_UNDER_WAY = ("queued", "initiated", "ringing", "in-progress")


def _text(pattern: str = "", *words: str) -> dict[str, Any]:
    return {"type": "string"} | ({"pattern": pattern} if pattern else {}) | ({"enum": list(words)} if words else {})


#: https://www.twilio.com/docs/voice/twiml#request-parameters, and those of the verbs and callbacks.
_PARAMETERS: dict[str, dict[str, Any]] = {
    "CallSid": _text(_CALL_SID),
    "ParentCallSid": _text(_CALL_SID),
    "AccountSid": _text("^AC[0-9a-f]{32}$"),
    "CallStatus": _text("", *_UNDER_WAY, *sorted(ENDED)),
    "Direction": _text("", "inbound", "outbound-api", "outbound-dial"),
    "From": _text(_NUMBER),
    "To": _text(_NUMBER),
    "Digits": _text("^([0-9*#]{1,20}|hangup)$"),
    "RecordingDuration": _text("^[0-9]{1,4}$"),
    "RecordingSid": _text(_RECORDING_SID),
    "RecordingStatus": _text("", "in-progress", "completed", "absent", "failed"),
    "DialCallStatus": _text("", *_UNDER_WAY, "answered", *sorted(ENDED)),
    "DialCallDuration": _text("^[0-9]{1,4}$"),
    "DialBridged": _text("", "true", "false"),
    "AnsweredBy": _text("", "human", "machine_start", "fax", "unknown"),
    "ErrorCode": _text("^[0-9]{5}$"),
}
_OUR_ID = "^[0-9a-z]{26}$"
_COUNT = {"type": "integer", "minimum": 0, "maximum": 1_000_000}
_OF_OURS: dict[str, dict[str, Any]] = {
    "scene": _COUNT,
    "seq": _COUNT,
    "count": _COUNT,
    "typed": _COUNT,
    "tries": _COUNT,
    "retries": _COUNT,
    "several": _COUNT,
    "waits": _COUNT,
    "of": _text(_CALL_SID),
    "leg": _text(_OUR_ID),
    "placed": _text(_OUR_ID),
    "name": _text("^t-CA[0-9a-f]{32}-[mt][0-9]{1,6}$"),
}
_SIGNATURE = {
    "name": "X-Twilio-Signature", "in": "header", "required": False, "schema": {"type": "string"},
    "description": "Of the public URL and all parameters, by the account's token; without it: 403",
}  # fmt: skip

TOLD: dict[str, Any] = {
    "parameters": [
        *({"name": name, "in": "query", "required": False, "schema": schema} for name, schema in _OF_OURS.items()),
        _SIGNATURE,
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "properties": _PARAMETERS, "additionalProperties": {"type": "string"}}
            }
        }
    },
}
