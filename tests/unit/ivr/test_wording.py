"""The sentences: complete in every language, at most one value in each, numbers as they are said."""

from string import Formatter
from typing import get_args

import pytest
from msgspec.structs import replace

from ivr.call import Language
from ivr.events import Woken
from ivr.flow import advance, present
from ivr.verbs import Hold, Prompt
from ivr.wording import all_prompts, render
from ivr.wording.catalogue import CATALOGUES, MOST_NAME
from ivr.wording.chinese import clock, counted
from ivr.wording.keys import FIXED, VARYING
from tests.unit.ivr.scene import NOW, OPEN, at, calls_at_every_node

LANGUAGES: tuple[Language, ...] = get_args(Language)
#: Mandarin is spoken at some four syllables a second: twelve seconds, and half of it as a margin, hold this many.
MOST_SYLLABLES = 42


def templates(language: Language, key: str) -> tuple[str, ...]:
    sentence = CATALOGUES[language][key]
    return (sentence,) if isinstance(sentence, str) else sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_is_there_with_its_one_value(language: Language) -> None:
    assert set(CATALOGUES[language]) == set(FIXED) | set(VARYING)
    for key in CATALOGUES[language]:
        allowed = {VARYING[key].name} if key in VARYING else set()
        for template in templates(language, key):
            assert {name for _, name, _, _ in Formatter().parse(template) if name} <= allowed, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_made_beforehand_can_be_said(language: Language) -> None:
    prompts = list(all_prompts(language))
    assert len({(prompt.key, *prompt.values.values()) for prompt in prompts}) == len(prompts)
    for prompt in prompts:
        text = render(prompt, language)
        assert text.strip()
        assert "{" not in text


@pytest.mark.parametrize("language", ["zh-Hans", "zh-Hant"])
def test_no_sentence_is_long(language: Language) -> None:
    for prompt in all_prompts(language):
        assert sum(char.isalnum() for char in render(prompt, language)) <= MOST_SYLLABLES


def test_both_scripts_say_the_same() -> None:
    for prompt in all_prompts("zh-Hans"):
        simple, traditional = render(prompt, "zh-Hans"), render(prompt, "zh-Hant")
        assert len(simple) == len(traditional), (simple, traditional)
        assert [c for c in simple if c in "，。一二三四五"] == [c for c in traditional if c in "，。一二三四五"]


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (Prompt("waiting_now", {"count": 2}), "现在有两位在等候。"),
        (Prompt("ahead", {"count": 12}), "前面还有十二位。"),
        (Prompt("ahead", {"count": 102}), "前面还有一百零二位。"),
        (Prompt("wait", {"minutes": 2}), "预计还要等两分钟。"),
        (Prompt("whisper_waited", {"minutes": 12}), "等候十二分钟。"),
        (Prompt("digit", {"digit": "1"}), "幺"),
        (Prompt("date", {"date": "11-22"}), "十一月二十二日"),
        (Prompt("weekday", {"weekday": 3}), "星期三"),
        (Prompt("clock", {"clock": "09:00"}), "上午九点，"),
    ],
)
def test_mandarin(prompt: Prompt, text: str) -> None:
    assert render(prompt, "zh-Hans") == text


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "零"),
        (2, "两"),
        (10, "十"),
        (20, "二十"),
        (22, "二十二"),
        (110, "一百一十"),
        (200, "两百"),
        (1002, "一千零二"),
    ],
)
def test_counting(number: int, said: str) -> None:
    assert counted(number) == said


@pytest.mark.parametrize(
    ("time", "said"),
    [("14:30", "下午两点半"), ("12:05", "中午十二点零五分"), ("18:40", "晚上六点四十分"), ("00:00", "凌晨零点")],
)
def test_times(time: str, said: str) -> None:
    assert clock(time) == said


def test_english_counts() -> None:
    assert render(Prompt("ahead", {"count": 1}), "en") == "There is one caller ahead of you."
    assert render(Prompt("ahead", {"count": 12}), "en") == "There are 12 callers ahead of you."
    assert render(Prompt("clock", {"clock": "14:30"}), "en") == "at 2:30 p.m.,"


def test_a_hostile_name_is_only_a_name() -> None:
    said = render(Prompt("answering_leader", {"leader": "李{0}\r\n\x00<speak>" + "长" * 500}), "zh-Hans")
    assert "\n" not in said
    assert "\x00" not in said
    assert len(said) < MOST_NAME + 20
    assert "x" * 99 + "y," in render(Prompt("answering_unit", {"unit": "x" * 99 + "y"}), "en"), "as long as the API takes it"


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh-Hans", "前面还有十三位。预计还要等五十分钟。本场大约还能接听五位。"),
        ("zh-Hant", "前面還有十三位。預計還要等五十分鐘。本場大約還能接聽五位。"),
        ("en", "There are 13 callers ahead of you. The wait is about 50 minutes. About 5 more callers can be answered today."),
    ],
)
def test_who_waits_hears_how_many_are_ahead_and_how_many_can_still_be_served(language: Language, told: str) -> None:
    facts = at(OPEN, 60, position=14, depth=14, wait_s=3000.0, can_serve=5, chance=0.3)
    call = replace(calls_at_every_node()["waiting"], told_position=0, told_at=NOW)
    call, _ = advance(call, Woken(facts=facts))
    (hold,) = present(call, facts)
    assert isinstance(hold, Hold)
    spoken = [render(prompt, language) for prompt in hold.prompts]
    joined = (" " if language == "en" else "").join(spoken[:3])
    assert joined == told
