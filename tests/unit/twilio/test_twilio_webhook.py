"""What is read of one webhook."""

import pytest

from config.settings import Settings
from telephony.twilio.addresses import TRIED_AGAIN
from telephony.twilio.signature import Form
from telephony.twilio.webhook import Webhook
from telephony.twilio.webhooks import TURN_WITHIN_S
from tests.cloud.overrides import Timeouts, read_overrides

SETTINGS = Settings(message_max_s=120, message_silence_s=8, _env_file=None)
SID = "RE" + "5" * 32
URL = f"https://api.example.com/2010-04-01/Accounts/AC1/Recordings/{SID}"


def _hook(query: str = "", **form: str) -> Webhook:
    return Webhook(SETTINGS, "recorded", query, Form(list(form.items())), "")


@pytest.mark.parametrize(
    ("told", "spoken"),
    [
        ({"RecordingDuration": "8"}, 0.0),
        ({"RecordingDuration": "9"}, 0.5),
        ({"RecordingDuration": "20"}, 11.5),
        ({"RecordingDuration": "20", "Digits": "#"}, 20.0),
        ({"RecordingDuration": "5", "Digits": "hangup"}, 5.0),
        ({"RecordingDuration": "5", "CallStatus": "completed"}, 5.0),
        ({"RecordingDuration": "120"}, 120.0),
        ({"RecordingDuration": "3"}, 0.0),
        ({"RecordingDuration": "-9"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_silence_that_ended_a_message_is_not_spoken(told: dict[str, str], spoken: float) -> None:
    assert _hook(**told).spoken_s == spoken


@pytest.mark.parametrize(
    ("told", "sid"),
    [
        ({"RecordingUrl": URL}, SID),
        ({"RecordingUrl": f"{URL}.wav"}, SID),
        ({"RecordingUrl": URL, "RecordingSid": "RE" + "6" * 32}, "RE" + "6" * 32),
        ({"RecordingUrl": URL, "RecordingSid": "<&>"}, SID),
        ({"RecordingUrl": f"{URL}/../../x"}, ""),
        ({"RecordingUrl": f"{URL}\n"}, ""),
        ({"RecordingUrl": "RE" + "5" * 40}, ""),
        ({}, ""),
    ],
)
def test_a_recording_is_known_by_its_address(told: dict[str, str], sid: str) -> None:
    """https://www.twilio.com/docs/voice/twiml/record promises no RecordingSid."""
    hook = _hook(**told)
    assert hook.recording_sid == sid
    assert dict(hook.carried).get("RecordingSid", "") == sid
    assert _hook(f"retries=1&RecordingSid={sid}").recording_sid == sid


def test_a_process_that_hangs_leaves_time_for_another_one() -> None:
    """https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides: 15 s for all attempts together."""
    wishes = read_overrides(TRIED_AGAIN.removeprefix("#"), Timeouts())
    assert wishes.retries_after("rt")
    assert wishes.read > TURN_WITHIN_S, "who is only slow is waited for"
    assert wishes.total - wishes.read >= 5.0
    assert wishes.total - 2 * wishes.connect > TURN_WITHIN_S
