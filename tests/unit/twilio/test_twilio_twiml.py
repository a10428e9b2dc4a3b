"""TwiML of every node in every language, read by the strict double and against the vocabulary of the official library."""

import inspect
from array import array
from itertools import pairwise
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace
from twilio.twiml import voice_response

from config.clock import now
from config.settings import Settings
from ivr.call import Call, Language
from ivr.events import AnyEvent, Keyed, Missed, TalkEnded, TimedOut
from ivr.facts import Facts
from ivr.flow import present
from ivr.placed import Conversation, Purpose, advance
from ivr.placed import present as present_placed
from ivr.verbs import AnyVerb, Ask, Await, Connect, HangUp, Hold, Prompt, Record, Say, Transfer
from telephony.prompts import Prompts
from telephony.sound import RATE, write_wav
from telephony.twilio.addresses import Addresses
from telephony.twilio.interpreter import Interpreter, hang_up, nothing
from telephony.twilio.music import Music
from telephony.twilio.placed import PlacedAddresses
from telephony.twilio.speech import Speech
from tests.cloud.document import Node, read
from tests.unit.ivr.scene import CLOSED, OPEN, calls_at_every_node

LANGUAGES: tuple[Language, ...] = get_args(Language)
#: Verbs that wait: what follows them must not be the end.
WAITING = {"Gather", "Record", "Pause"}
_METHODS = {
    name.lower(): method for name, method in inspect.getmembers(voice_response.VoiceResponse, inspect.isfunction)
}
_NESTED = {
    name.lower(): method
    for verb in (voice_response.Gather, voice_response.Dial)
    for name, method in inspect.getmembers(verb, inspect.isfunction)
}
CALL = Call(id="t-CA" + "c" * 32, carrier="twilio", started_at=0.0, scene=4, seq=6, recording="t-CA" + "c" * 32 + "-m4")


class _Made(Prompts):
    """Every sentence has its sound."""

    def path(self, prompt: Prompt, language: Language) -> Path:
        path = super().path(prompt, language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return path


@pytest.fixture
def interpreter(tmp_path: Path) -> Interpreter:
    """The cloud's voice speaks."""
    return _interpreter(tmp_path, Prompts)


@pytest.fixture
def playing(tmp_path: Path) -> Interpreter:
    """Sounds and music of ours are played."""
    write_wav(tmp_path / "moh" / "hold.wav", array("h", bytes(2 * RATE * 60)))
    return _interpreter(tmp_path, _Made)


def _interpreter(
    tmp_path: Path, prompts: type[Prompts], kind: type[Addresses] = Addresses, **more: str
) -> Interpreter:
    given = {"state_dir": tmp_path, "public_url": "https://x.gov.cn", "twilio_number": "+867348812345", **more}
    settings = Settings.model_validate({**given, "operators_line": "sip:operators@10.0.0.1"})
    addresses = kind(settings, now)
    return Interpreter(settings, addresses, Speech(settings, prompts(settings), addresses), Music(settings, addresses))


def _check_vocabulary(element: ElementTree.Element) -> None:
    """Every element and attribute is one the official library knows."""
    for child in element:
        method = (_NESTED if element.tag in ("Gather", "Dial") else _METHODS)[child.tag.lower()]
        known = {name.replace("_", "") for name in inspect.signature(method).parameters}
        assert {name.lower() for name in child.attrib} <= known, (child.tag, child.attrib)
        _check_vocabulary(child)


def _check(twiml: str) -> tuple[Node, ...]:
    verbs = read(twiml.encode())
    assert verbs[-1].name in ("Redirect", "Hangup", "Dial"), twiml
    for verb, following in pairwise(verbs):
        assert verb.name not in WAITING or following.name in ("Redirect", "Say", "Play", "Pause"), twiml
    _check_vocabulary(ElementTree.fromstring(twiml))
    return verbs


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("node", sorted(calls_at_every_node()))
def test_every_node_in_every_language_is_valid(
    node: str, language: Language, interpreter: Interpreter, playing: Interpreter
) -> None:
    facts: Facts = CLOSED if node == "closed" else OPEN
    call = replace(calls_at_every_node()[node], id=CALL.id, carrier="twilio", language=language)
    for again in (False, True):
        _check(interpreter.render(call, present(call, facts), again=again, count=3))
        played = playing.render(call, present(call, facts), again=again, count=3)
        _check(played)
        assert "<Say" not in played
        assert "<Play" in played or again or node in ("arriving", "talking", "kept", "calling", "ended", "order"), played


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("purpose", get_args(Purpose))
def test_every_stage_of_a_call_about_an_order_is_valid(purpose: Purpose, language: Language, tmp_path: Path) -> None:
    begun = Conversation(purpose, "2026-1122-0007", "市水务局 <&>", language)
    shown = replace(CALL, id="0" * 26, leg="1" * 26, language=language)
    for prompts in (Prompts, _Made):
        interpreter = _interpreter(tmp_path, prompts, PlacedAddresses)
        for facts in (CLOSED, replace(CLOSED, operators=True)):
            for talk in _stages(begun, facts):
                twiml = interpreter.render(shown, present_placed(talk, facts))
                _check(twiml)
                assert "<Say" not in twiml or prompts is Prompts
                assert talk.stage == "over" or f"placed={'0' * 26}" in twiml


def _stages(begun: Conversation, facts: Facts) -> list[Conversation]:
    """What two events can lead to."""
    events: tuple[AnyEvent, ...] = (
        TimedOut(facts=facts), TalkEnded(facts=facts, seconds=30), Missed(facts=facts, reason="no_answer"),
        *(Keyed(facts=facts, key=key) for key in "0123456789*#"),
    )  # fmt: skip
    first = [begun, *(advance(begun, event) for event in events)]
    found: list[Conversation] = []
    for talk in (*first, *(advance(one, event) for one in first for event in events)):
        if talk not in found:
            found.append(talk)
    return found


def _keys(twiml: str) -> dict[str, str]:
    gather = ElementTree.fromstring(twiml).find("Gather")
    assert gather is not None
    return dict(gather.attrib)


@pytest.mark.parametrize(
    ("verb", "names"),
    [
        (Say(prompts=(Prompt("goodbye"),)), ["Say"]),
        (Ask(keys="12", timeout_s=5.5), ["Gather", "Redirect"]),
        (Ask(keys="0123456789*#", timeout_s=5.5), ["Gather", "Redirect"]),
        (Hold(keys="23"), ["Gather", "Redirect"]),
        (Await(timeout_s=10.0), ["Pause", "Redirect"]),
        (Record(name="t-CA-m4", max_s=120, silence_s=8, finish_key="#"), ["Record", "Redirect"]),
        (Transfer(ring_s=30), ["Dial"]),
        (HangUp(prompts=(Prompt("goodbye"),)), ["Say", "Hangup"]),
    ],
)
def test_verbs_become_twiml(verb: AnyVerb, names: list[str], interpreter: Interpreter) -> None:
    assert [node.name for node in read(interpreter.render(CALL, (verb,)).encode())] == names


def test_one_key_or_a_whole_number_is_gathered(interpreter: Interpreter) -> None:
    one = _keys(interpreter.render(CALL, (Ask(keys="12", timeout_s=5.5),)))
    many = _keys(interpreter.render(CALL, (Ask(keys="0123456789*#", timeout_s=5.5),)))
    assert (one["numDigits"], one["finishOnKey"], one["timeout"]) == ("1", "", "6")
    assert (many["numDigits"], many["finishOnKey"]) == ("20", "#")
    assert "scene=4" in one["action"]
    assert "seq=6" in one["action"]


@pytest.mark.parametrize(
    ("line", "noun", "number"),
    [
        ("+8613900000001", "Number", "+8613900000001"),
        ("sip:leader@sip.example.gov.cn:5060", "Sip", "sip:leader@sip.example.gov.cn:5060"),
        ("client:leader_7", "Client", "leader_7"),
    ],
)
def test_a_leader_is_dialled_by_the_kind_of_line(line: str, noun: str, number: str, interpreter: Interpreter) -> None:
    verb = Connect(seat_id="s", token=1, line=line, ring_s=20, whisper=(), confirm=True, recording="t-CA-t4")
    (dial,) = read(interpreter.render(CALL, (verb,)).encode())
    (leg,) = dial.nested
    assert (leg.name, leg.text) == (noun, number)
    assert dial.attributes["record"] == "record-from-answer-dual"
    assert dial.attributes["answerOnBridge"] == "true", "the caller hears ringing while the leader hears the whisper"
    assert "/twilio/whisper?" in leg.attributes["url"]


@pytest.mark.parametrize("line", ["sip:801@sip.x.gov.cn:5060", "sip:801@elsewhere.example:5060", "sip:801@sip.x.gov.cn"])
def test_only_our_own_asterisk_is_told_the_password(line: str, tmp_path: Path) -> None:
    interpreter = _interpreter(tmp_path, Prompts, twilio_sip_address="sip.x.gov.cn:5060", twilio_sip_secret="a-password")
    verb = Connect(seat_id="s", token=1, line=line, ring_s=20, whisper=(), confirm=False, recording="")
    (dial,) = read(interpreter.render(CALL, (verb,)).encode())
    (leg,) = dial.nested
    told = (leg.attributes.get("username"), leg.attributes.get("password"))
    assert told == (("cloud", "a-password") if line == "sip:801@sip.x.gov.cn:5060" else (None, None))


def test_a_scene_that_goes_on_is_not_spoken_again(interpreter: Interpreter) -> None:
    verbs = (Hold(prompts=(Prompt("next_is_you"),), keys="23"),)
    assert "<Say" in interpreter.render(CALL, verbs)
    assert "<Say" not in interpreter.render(CALL, verbs, again=True, count=2)
    assert "count=3" in interpreter.render(CALL, verbs, again=True, count=2)


def test_hostile_names_are_text_and_never_markup(interpreter: Interpreter) -> None:
    hostile = "</Say><Dial>+1900</Dial>&\"'<"
    twiml = interpreter.render(CALL, (Say(prompts=(Prompt("answering_leader", {"leader": hostile}),)),))
    (say,) = ElementTree.fromstring(twiml)
    assert hostile in (say.text or "")


def test_what_needs_no_call_is_valid(interpreter: Interpreter, playing: Interpreter) -> None:
    for confirm in (True, False):
        verb = Connect(
            seat_id="s", token=1, line="+8613900000001", ring_s=20, whisper=(Prompt("whisper_new"),), confirm=confirm,
            recording="t-CA-t4",
        )  # fmt: skip
        for tries in (1, 2):
            _check(interpreter.whisper(CALL, verb, tries))
            _check(playing.whisper(CALL, verb, tries))
    _check(hang_up())
    assert read(nothing().encode()) == ()
    for twiml in (playing.sorry(), playing.thanks(), playing.later("https://x/y", 3, apologise=True)):
        _check(twiml)
    for twiml in (interpreter.sorry(), interpreter.thanks(), interpreter.later("https://x/y", 3, apologise=True)):
        _check(twiml)
