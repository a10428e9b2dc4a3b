"""The TwiML this double accepts, as a table: attributes with their error codes, what may be nested, what the text is.

Source: the TwiML Voice reference, one page a verb. Verbs that the hotline does not use are not in the table.
"""

from dataclasses import dataclass, field
from typing import Literal

from tests.cloud import values as v

Text = Literal["none", "words", "url", "target"]
Rules = dict[str, tuple[v.Check, int]]


@dataclass(frozen=True, slots=True)
class Element:
    """One verb or noun. `nested_code`: the error when something else is nested."""

    rules: Rules = field(default_factory=dict)
    nested: frozenset[str] = frozenset()
    text: Text = "none"
    nested_code: int = 12200


def _callbacks(method_code: int) -> Rules:
    return {
        "url": (v.url, 11100),
        "method": (v.METHOD, method_code),
        "statusCallback": (v.url, 11100),
        "statusCallbackMethod": (v.METHOD, method_code),
        "statusCallbackEvent": (v.PROGRESS, 12200),
    }


_RECORDING: Rules = {
    "recordingStatusCallback": (v.url, 13256),
    "recordingStatusCallbackMethod": (v.METHOD, 12200),
    "recordingStatusCallbackEvent": (v.RECORDING_EVENTS, 13621),
    "trim": (v.TRIM, 13699),
}

_MACHINE: Rules = {
    "machineDetection": (v.one_of("Enable", "DetectMessageEnd"), 12200),
    "machineDetectionTimeout": (v.integer(3, 59), 12200),
    "amdStatusCallback": (v.url, 11100),
    "amdStatusCallbackMethod": (v.METHOD, 12200),
}

_DIAL_RECORD = v.one_of(
    "true",
    "false",
    "do-not-record",
    "record-from-answer",
    "record-from-ringing",
    "record-from-answer-dual",
    "record-from-ringing-dual",
)

SPOKEN = frozenset({"Say", "Play", "Pause"})
NOUNS = frozenset({"Number", "Sip", "Client"})
#: What is written after one of these can never be reached.
FINAL = frozenset({"Redirect", "Hangup", "Reject"})

GRAMMAR: dict[str, Element] = {
    "Response": Element(nested=SPOKEN | {"Gather", "Record", "Dial"} | FINAL),
    "Say": Element(
        {"voice": (v.anything, 13511), "language": (v.anything, 13512), "loop": (v.integer(0, 1000), 13510)},
        text="words",
    ),
    "Play": Element({"loop": (v.integer(0, 1000), 13410), "digits": (v.tones, 13430)}, text="url"),
    "Pause": Element({"length": (v.integer(1), 13910)}),
    "Gather": Element(
        {
            "action": (v.url, 11100),
            "method": (v.METHOD, 13312),
            "input": (v.one_of("dtmf"), 13326),
            "timeout": (v.integer(1), 13313),
            "finishOnKey": (v.keys, 13310),
            "numDigits": (v.integer(1), 13314),
            "actionOnEmptyResult": (v.BOOLEAN, 13338),
            "bargeIn": (v.BOOLEAN, 12200),
            "language": (v.anything, 13331),
        },
        nested=SPOKEN,
        nested_code=13320,
    ),
    "Record": Element(
        {
            "action": (v.url, 11100),
            "method": (v.METHOD, 13610),
            "timeout": (v.integer(1), 13611),
            "finishOnKey": (v.keys, 13613),
            "maxLength": (v.integer(2, 14400), 13612),
            "playBeep": (v.BOOLEAN, 13616),
            "transcribe": (v.one_of("false"), 13614),
            **_RECORDING,
        }
    ),
    "Dial": Element(
        {
            "action": (v.url, 11100),
            "method": (v.METHOD, 13210),
            "timeout": (v.integer(5, 600), 13212),
            "hangupOnStar": (v.BOOLEAN, 13213),
            "timeLimit": (v.integer(1, 86400), 13216),
            "callerId": (v.caller_id, 13214),
            "record": (_DIAL_RECORD, 13217),
            "recordingTrack": (v.one_of("inbound", "outbound", "both"), 13622),
            "answerOnBridge": (v.BOOLEAN, 13219),
            "sequential": (v.BOOLEAN, 13218),
            "ringTone": (v.one_of("automatic", "cn", "us", "uk", "hk", "tw", "sg"), 13220),
            **_RECORDING,
        },
        nested=NOUNS,
        text="target",
        nested_code=13215,
    ),
    "Number": Element(
        {**_callbacks(13221), **_MACHINE, "sendDigits": (v.tones, 13222), "byoc": (v.anything, 12200)}, text="target"
    ),
    "Sip": Element(
        {**_callbacks(13241), **_MACHINE, "username": (v.anything, 13249), "password": (v.anything, 13249)},
        text="target",
    ),
    "Client": Element(_callbacks(12200), text="target"),
    "Redirect": Element({"method": (v.METHOD, 13710)}, text="url"),
    "Hangup": Element(),
    "Reject": Element({"reason": (v.one_of("rejected", "busy"), 12200)}),
}
