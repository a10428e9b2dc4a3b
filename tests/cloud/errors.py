"""What Twilio's debugger would show: codes and texts of its error dictionary, and the log of those that happened."""

from dataclasses import dataclass

#: https://www.twilio.com/docs/api/errors
TEXTS = {
    11100: "Invalid URL format",
    11200: "HTTP retrieval failure",
    11205: "HTTP connection failure",
    11216: "HTTP invalid redirect",
    11750: "TwiML response body too large",
    11770: "Empty response body",
    12100: "Document parse failure",
    12102: "The root element must be Response",
    12200: "Schema validation warning",
    12300: "Invalid Content-Type",
    12400: "Internal Failure",
    13201: "Dial: Cannot Dial out from a Dial Call Segment",
    13210: "Dial: Invalid method value",
    13212: "Dial: Invalid timeout value",
    13213: "Dial: Invalid hangupOnStar value",
    13214: "Dial: Invalid callerId value",
    13215: "Dial: Invalid nested element",
    13216: "Dial: Invalid timeLimit value",
    13217: "Dial: Invalid record value",
    13218: "Dial: Invalid sequential value",
    13219: "Dial: Invalid answerOnBridge value",
    13220: "Dial: Invalid ringTone value",
    13221: "Dial->Number: Invalid method value",
    13222: "Dial->Number: Invalid sendDigits value",
    13223: "Dial: Invalid phone number format",
    13224: "Dial: Twilio does not support calling this number or the number is invalid",
    13241: "Dial->SIP: Invalid method value",
    13243: "Dial->SIP: Invalid SIP URI",
    13249: "Dial: Invalid username or password attribute",
    13256: "Invalid recordingStatusCallback URL",
    13310: "Gather: Invalid finishOnKey value",
    13312: "Gather: Invalid method value",
    13313: "Gather: Invalid timeout value",
    13314: "Gather: Invalid numDigits value",
    13320: "Gather: Invalid nested verb",
    13325: "Gather->Play: Invalid Content-Type",
    13326: "Gather: Invalid input value",
    13331: "Gather: Invalid language value",
    13338: "Gather: Invalid actionOnEmptyResult value",
    13410: "Play: Invalid loop value",
    13420: "Play: Invalid Content-Type",
    13430: "Play: Invalid DTMF String",
    13510: "Say: Invalid loop value",
    13511: "Say: Invalid voice value",
    13512: "Say: Invalid language value",
    13520: "Say: Invalid text",
    13521: "<Say> element character limits exceeded",
    13610: "Record: Invalid method value",
    13611: "Record: Invalid timeout value",
    13612: "Record: Invalid maxLength value",
    13613: "Record: Invalid finishOnKey value",
    13614: "Record: Invalid transcribe value",
    13616: "Record: playBeep must be true or false",
    13621: "Invalid 'recordingStatusCallbackEvent'",
    13622: "Record: invalid recordingTrack value",
    13699: "Record: Invalid trim value",
    13710: "Redirect: Invalid method value",
    13910: "Pause: Invalid length value",
}


@dataclass(frozen=True, slots=True)
class CloudError:
    """One line of the debugger."""

    code: int
    detail: str
    url: str = ""
    call_sid: str = ""

    def __str__(self) -> str:
        return f"{self.code} {TEXTS.get(self.code, '')}: {self.detail} [{self.url} {self.call_sid}]"


class Rejected(Exception):
    """A document, or its retrieval, that Twilio would not accept."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(f"{code} {TEXTS[code]}: {detail}")
        self.code = code
        self.detail = detail
