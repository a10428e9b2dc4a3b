"""What a browser may say to Asterisk: hostile messages are refused or lose what they must not have."""

import pytest

from api.phone.sip import CALLING, LONGEST, RINGING, SipRefused, Stamp, admit

STAMP = Stamp("X-Hotline-Handset", "f00d", CALLING, "19900000001")
INVITE = (
    "INVITE sip:12345@hotline.invalid SIP/2.0\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK1\r\n"
    "From: <sip:me@hotline.invalid>;tag=1\r\nTo: <sip:12345@hotline.invalid>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
)


def test_the_pass_and_the_number_are_ours() -> None:
    forged = "x-hotline-handset : guess\r\nP-Asserted-Identity: <sip:110@x>\r\nRemote-Party-ID: <sip:110@x>\r\n"
    lines = admit(INVITE + forged + "\r\n", STAMP).split("\r\n")
    assert lines[1:3] == ["X-Hotline-Handset: f00d", "P-Asserted-Identity: <sip:19900000001@hotline.invalid>"]
    assert not [line for line in lines if "guess" in line or "110" in line]


def test_nothing_hides_behind_a_short_length() -> None:
    hidden = "INVITE sip:110@x SIP/2.0\r\n\r\n"
    admitted = admit(INVITE + "Content-Length: 2\r\n\r\nv=" + hidden, STAMP)
    assert admitted.count("Content-Length") == 1
    assert f"Content-Length: {len(hidden) + 2}\r\n" in admitted


@pytest.mark.parametrize(
    "message",
    [
        "REGISTER sip:hotline.invalid SIP/2.0\r\n\r\n",
        "REFER sip:a@b SIP/2.0\r\n\r\n",
        "invite sip:a@b SIP/2.0\r\n\r\n",
        "INVITE http://a SIP/2.0\r\n\r\n",
        "INVITE sip:a@b SIP/2.0",
        "SIP/2.0 700 Odd\r\n\r\n",
        INVITE + "Subject: a\r\n b\r\n\r\n",
        INVITE + "Subject: a\nX-Hotline-Handset: b\r\n\r\n",
        INVITE + "Subject: a\rX-Hotline-Handset: b\r\n\r\n",
        INVITE + "Subject: \x00\r\n\r\n",
        INVITE + "no colon\r\n\r\n",
        INVITE + "\r\n" + "x" * LONGEST,
    ],
)
def test_what_no_phone_of_ours_says_is_refused(message: str) -> None:
    with pytest.raises(SipRefused):
        admit(message, STAMP)


def test_answers_and_keep_alives_pass_without_the_pass() -> None:
    assert admit("\r\n\r\n", STAMP) == ""
    assert "f00d" not in admit("SIP/2.0 200 OK\r\nCall-ID: 1\r\n\r\n", STAMP)
    assert "f00d" in admit("REGISTER sip:a SIP/2.0\r\n\r\n", Stamp("X-Hotline-Handset", "f00d", RINGING))


def test_letters_of_any_language_are_counted_in_bytes() -> None:
    assert "Content-Length: 12\r\n" in admit(INVITE + "Content-Type: text/plain\r\n\r\n热线问政", STAMP)
