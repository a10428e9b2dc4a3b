"""Which documents the double takes and which it refuses, beside what the official library renders."""

import pytest
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from tests.cloud.document import read, read_response
from tests.cloud.errors import TEXTS, Rejected
from tests.cloud.grammar import GRAMMAR
from tests.cloud.verbs import PERFORMERS

ZHIYU = 'language="cmn-CN" voice="Polly.Zhiyu-Neural"'

REFUSED = [
    ("nothing at all", 11770),
    ("<Response>", 12100),
    (" <?xml version='1.0'?><Response/>", 12100),
    ("<Response><Say>a & b</Say></Response>", 12100),
    ("<Response><Say>\x01</Say></Response>", 12100),
    ("<!DOCTYPE r [<!ENTITY a 'b'>]><Response><Say>&a;</Say></Response>", 12100),
    ("<response/>", 12102),
    ("<Responses/>", 12102),
    ("<Response>hello</Response>", 12200),
    ("<Response><say>hello</say></Response>", 12200),
    ("<Response><Speak>hello</Speak></Response>", 12200),
    ("<Response><Number>+8613800138000</Number></Response>", 12200),
    ("<Response><Say><Pause/>hello</Say></Response>", 12200),
    ("<Response><Say speed='2'>hello</Say></Response>", 12200),
    ("<Response><Say></Say></Response>", 13520),
    ("<Response><Say loop='-1'>hello</Say></Response>", 13510),
    ("<Response><Say voice='Zhiyu'>你好</Say></Response>", 13511),
    ("<Response><Say voice='Polly.Joanna' language='cmn-CN'>你好</Say></Response>", 13511),
    ("<Response><Say voice='alice' language='cmn-CN'>你好</Say></Response>", 13511),
    ("<Response><Say language='zh'>你好</Say></Response>", 13512),
    (f"<Response><Say>{'长' * 4097}</Say></Response>", 13521),
    (f"<Response><Say>{'long' * 17000}</Say></Response>", 11750),
    ("<Response><Play/></Response>", 12200),
    ("<Response><Play>http://</Play></Response>", 11100),
    ("<Response><Play>/a b.wav</Play></Response>", 11100),
    ("<Response><Play>ftp://host/a.wav</Play></Response>", 11100),
    ("<Response><Play>http://host:99999/a.wav</Play></Response>", 11100),
    ("<Response><Play digits='1x'/></Response>", 13430),
    ("<Response><Play loop='many'>/a.wav</Play></Response>", 13410),
    ("<Response><Pause length='0'/></Response>", 13910),
    ("<Response><Pause length='1.5'/></Response>", 13910),
    ("<Response><Gather action=''/></Response>", 11100),
    ("<Response><Gather method='PUT'/></Response>", 13312),
    ("<Response><Gather input='digits'/></Response>", 13326),
    ("<Response><Gather timeout='0'/></Response>", 13313),
    ("<Response><Gather timeout='6.0'/></Response>", 13313),
    ("<Response><Gather finishOnKey='A'/></Response>", 13310),
    ("<Response><Gather numDigits='0'/></Response>", 13314),
    ("<Response><Gather actionOnEmptyResult='yes'/></Response>", 13338),
    ("<Response><Gather><Record/></Gather></Response>", 13320),
    ("<Response><Gather><Gather/></Gather></Response>", 13320),
    ("<Response><Gather><Redirect>/x</Redirect></Gather></Response>", 13320),
    ("<Response><Gather>press one</Gather></Response>", 12200),
    ("<Response><Record maxLength='1'/></Response>", 13612),
    ("<Response><Record maxLength='100000'/></Response>", 13612),
    ("<Response><Record timeout='soon'/></Response>", 13611),
    ("<Response><Record timeout='0'/></Response>", 13611),
    ("<Response><Record finishOnKey='hash'/></Response>", 13613),
    ("<Response><Record playBeep='no'/></Response>", 13616),
    ("<Response><Record trim='yes'/></Response>", 13699),
    ("<Response><Record transcribe='true'/></Response>", 13614),
    ("<Response><Record recordingStatusCallback='nowhere to go'/></Response>", 13256),
    ("<Response><Record recordingStatusCallbackEvent='done'/></Response>", 13621),
    ("<Response><Record><Say>speak</Say></Record></Response>", 12200),
    ("<Response><Dial/></Response>", 13215),
    ("<Response><Dial>123</Dial></Response>", 13223),
    ("<Response><Dial>+86 138 0013 8000</Dial></Response>", 13223),
    ("<Response><Dial><Number>13800138000</Number></Dial></Response>", 13223),
    ("<Response><Dial><Say>hello</Say></Dial></Response>", 13215),
    ("<Response><Dial>+8613800138000<Number>+8613800138000</Number></Dial></Response>", 13215),
    ("<Response><Dial timeout='4'>+8613800138000</Dial></Response>", 13212),
    ("<Response><Dial timeout='20.0'>+8613800138000</Dial></Response>", 13212),
    ("<Response><Dial record='yes'>+8613800138000</Dial></Response>", 13217),
    ("<Response><Dial answerOnBridge='1'>+8613800138000</Dial></Response>", 13219),
    ("<Response><Dial callerId='anonymous caller'>+8613800138000</Dial></Response>", 13214),
    ("<Response><Dial statusCallback='/leg'>+8613800138000</Dial></Response>", 12200),
    ("<Response><Dial><Number statusCallbackEvent='started'>+8613800138000</Number></Dial></Response>", 12200),
    ("<Response><Dial><Sip>leader@host</Sip></Dial></Response>", 13243),
    ("<Response><Dial><Client>the leader</Client></Dial></Response>", 12200),
    ("<Response><Redirect/></Response>", 11100),
    ("<Response><Redirect method='POST '>/x</Redirect></Response>", 13710),
    ("<Response><Redirect>//host/voice</Redirect></Response>", 11100),
    ("<Response><Hangup/><Say>too late</Say></Response>", 12200),
    ("<Response><Redirect>/x</Redirect><Say>too late</Say></Response>", 12200),
    ("<Response><Reject reason='tired'/></Response>", 12200),
    ("<Response><Hangup>now</Hangup></Response>", 12200),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_bad_documents_are_refused_with_the_code_of_the_dictionary(text: str, code: int) -> None:
    body = b"" if text == "nothing at all" else text.encode()
    with pytest.raises(Rejected) as refused:
        read_response("application/xml", body)
    assert refused.value.code == code
    assert code in TEXTS


@pytest.mark.parametrize("content_type", ["", "text/html", "text/plain", "application/json", "audio/wav"])
def test_a_document_of_another_type_is_refused(content_type: str) -> None:
    with pytest.raises(Rejected, match="12300"):
        read_response(content_type, b"<Response/>")


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml; charset=utf-8", "Application/XML"])
def test_xml_is_taken_under_its_names(content_type: str) -> None:
    assert read_response(content_type, b"<Response/>") == ()


def test_what_the_official_library_renders_is_taken() -> None:
    response = VoiceResponse()
    response.say("您好 <&> \"'", language="cmn-CN", voice="Polly.Zhiyu-Neural")
    gather = Gather(num_digits=1, timeout=6, action="/a?call=1&seq=2", finish_on_key="", action_on_empty_result=True)
    gather.say("等候请按1", language="cmn-CN")
    gather.play("https://example.com/prompt.wav?expires=1&signature=a%2Bb", loop=0)
    gather.pause(length=2)
    response.append(gather)
    response.record(
        action="/recorded", max_length=120, timeout=8, finish_on_key="#", play_beep=True, trim="do-not-trim",
        recording_status_callback="/kept", recording_status_callback_event="in-progress completed absent",
    )  # fmt: skip
    dial = Dial(action="/talked", timeout=20, record="record-from-answer-dual", answer_on_bridge=True, time_limit=7200)
    dial.number("+8613900000001", url="/whisper", status_callback="/leg", status_callback_event="ringing answered")
    dial.sip("sip:leader@example.com:5060", url="/whisper")
    dial.client("leader_1", url="/whisper")
    response.append(dial)
    response.redirect("/voice?again=1")
    names = [verb.name for verb in read(str(response).encode())]
    assert names == ["Say", "Gather", "Record", "Dial", "Redirect"]


def test_every_verb_of_the_grammar_can_be_performed() -> None:
    assert set(PERFORMERS) == GRAMMAR["Response"].nested
