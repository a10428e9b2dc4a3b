"""The check-list before a session: every sentence that its callers may hear is there."""

from pathlib import Path
from typing import Literal

import pytest

from api.console.catalogue import LANGUAGES, Words
from api.console.checks import check_lines, count_missing
from config.settings import Language, Settings
from ivr.facts import SeatFacts, SessionFacts
from ivr.verbs import Prompt
from sessions.model import Seat
from telephony.prompts import Prompts

SEATS = (SeatFacts("s1", "市教育局", "李明", "closed"), SeatFacts("s2", "市水务局", "王芳", "closed"))
SESSION = SessionFacts("x", 0.0, 7200.0, seats=SEATS)


def _make(prompts: Prompts, known: list[Prompt], language: Language) -> None:
    for prompt in known:
        path = prompts.path(prompt, language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_in_the_language_of_the_calls_and_the_names_of_the_session(tmp_path: Path, language: Language) -> None:
    settings = Settings(state_dir=tmp_path, language=language, _env_file=None)
    prompts = Prompts(settings)
    general, with_names = prompts.known(), prompts.known([SESSION])
    for other in LANGUAGES:
        if other != language:
            _make(prompts, with_names, other)
    assert count_missing(settings) == len(general) > 500, "no other language's will do"
    _make(prompts, general, language)
    assert count_missing(settings) == 0
    assert count_missing(settings, [SESSION]) == len(with_names) - len(general) == 8
    _make(prompts, with_names, language)
    assert count_missing(settings, [SESSION]) == 0


def test_every_leader_can_be_rung_for_callers_of_either_carrier(tmp_path: Path) -> None:
    one, both, none, cloud_only = (
        Seat(leader=name, line_asterisk=asterisk, line_twilio=cloud)
        for name, asterisk, cloud in (("一", "sip:a@h", ""), ("二", "sip:a@h", "client:a"), ("三", "", ""), ("四", "", "client:d"))
    )

    def told(*seats: Seat, account: str = "", asterisk: Literal["auto", "off"] = "auto") -> tuple[str, str]:
        settings = Settings(state_dir=tmp_path, twilio_account_sid=account, asterisk=asterisk, _env_file=None)
        found = check_lines(settings, seats, Words("zh-Hans"))
        return found.result, found.detail

    assert told(one, both) == ("ok", "")
    assert told(none) == ("failed", "三 没有线路")
    assert told(both, account="AC1") == ("ok", "")
    assert told(one, both, none, account="AC1") == ("failed", "一 没有云电话能拨的线路 三 没有线路")
    assert told(both, cloud_only, account="AC1") == ("failed", "四 没有 Asterisk 能拨的线路")
    assert told(cloud_only, account="AC1", asterisk="off") == ("ok", "")
