"""sipp's message log as the bench reads it, also while it is written."""

from pathlib import Path

from bench.sip_log import Message, SipLog, handovers, parse

RULE = "-----------------------------------------------"


def entry(at: str, how: str, first: str, call_id: str, method: str = "INVITE", body: str = "") -> str:
    head = [first, f"Call-ID: {call_id}", f"CSeq: 1 {method}", f"Content-Length: {len(body)}"]
    message = "\r\n".join([*head, "", body])
    return f"{RULE} 2026-11-22\t{at}\nUDP message {how} [{len(message)}] bytes:\n\n{message}\n"


SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\nm=audio 33018 RTP/AVP 8 101\r\n"
LOG = (
    entry("20:00:01.000000", "received", "INVITE sip:leader@127.0.0.1 SIP/2.0", "one")
    + entry("20:00:01.000000", "received", "INVITE sip:leader@127.0.0.1 SIP/2.0", "one")
    + entry("20:00:01.100000", "sent", "SIP/2.0 200 OK", "one", body=SDP)
    + entry("20:00:03.000000", "sent", "BYE sip:caller@127.0.0.1 SIP/2.0", "one", "BYE")
    + entry("20:00:03.010000", "received", "SIP/2.0 200 OK", "one", "BYE")
    + entry("20:00:03.050000", "received", "INVITE sip:leader@127.0.0.1 SIP/2.0", "two")
    + entry("20:00:05.000000", "sent", "BYE sip:caller@127.0.0.1 SIP/2.0", "two", "BYE")
    + entry("20:00:05.500000", "sent", "BYE sip:caller@127.0.0.1 SIP/2.0", "two", "BYE")
    + entry("20:00:05.600000", "received", "INVITE sip:leader@127.0.0.1 SIP/2.0", "three")
)


def test_messages_are_read_with_time_direction_kind_and_audio_port() -> None:
    answer = list(parse(LOG))[2]
    assert (answer.sent, answer.what, answer.method, answer.call_id, answer.audio_port) == (
        True, "200", "INVITE", "one", 33018,
    )  # fmt: skip
    assert round(answer.at % 1, 3) == 0.1


def test_a_handover_runs_from_the_first_bye_to_the_next_new_invite() -> None:
    assert [round(seconds, 3) for _, seconds in handovers(parse(LOG))] == [0.05, 0.6]


def test_a_growing_log_gives_every_message_once_and_the_last_one_as_soon_as_it_is_whole(tmp_path: Path) -> None:
    path, found = tmp_path / "messages.log", list[Message]()
    log = SipLog(path)
    assert log.more() == []
    path.touch()
    with path.open("a") as file:
        for start in range(0, len(LOG), 37):
            file.write(LOG[start : start + 37])
            file.flush()
            found += log.more()
        waiting = len(found)
        found += log.more(ended=True)
    assert found == list(parse(LOG))
    assert waiting >= len(found) - 1
