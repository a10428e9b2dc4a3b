"""What is said on the calls that we place: every key in every stage, and laws over whatever is pressed."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from ivr.call import Language
from ivr.events import AnyEvent, Keyed, Missed, TalkEnded, TimedOut
from ivr.placed import MOST_ASKED, Answer, Conversation, Purpose, Stage, advance, present
from ivr.verbs import Ask, HangUp, Transfer
from ivr.wording import render
from tests.unit.ivr.scene import CLOSED

STAFFED = replace(CLOSED, operators=True)
URGENT = Conversation("urgent", "2026-1122-0007", "市水务局")
FOLLOW_UP = Conversation("follow_up", "2026-1122-0007", "市水务局")


def after(talk: Conversation, script: str, facts: object = STAFFED) -> Conversation:
    """A key each; `_` = silence, `T` = the talk with an operator ended, `M` = no operator came."""
    for one in script:
        event: AnyEvent
        match one:
            case "_":
                event = TimedOut(facts=facts)  # type: ignore[arg-type]
            case "T":
                event = TalkEnded(facts=facts, seconds=30)  # type: ignore[arg-type]
            case "M":
                event = Missed(facts=facts, reason="no_answer")  # type: ignore[arg-type]
            case _:
                event = Keyed(facts=facts, key=one)  # type: ignore[arg-type]
        talk = advance(talk, event)
    return talk


@pytest.mark.parametrize(
    ("begin", "script", "answer", "stage", "last"),
    [
        (URGENT, "", "", "asking", "urgent_choose"),
        (URGENT, "1", "confirmed", "over", "urgent_confirmed"),
        (URGENT, "221", "confirmed", "over", "urgent_confirmed"),
        (URGENT, "2", "", "asking", "urgent_choose"),
        (URGENT, "222222222", "", "over", "urgent_later"),
        (URGENT, "_1", "confirmed", "over", "urgent_confirmed"),
        (URGENT, "7_", "", "over", "urgent_later"),
        (URGENT, "_2_1", "confirmed", "over", "urgent_confirmed"),
        (URGENT, "__1", "", "over", "urgent_later"),
        (FOLLOW_UP, "1", "satisfied", "over", "follow_up_satisfied"),
        (FOLLOW_UP, "2", "unsatisfied", "over", "follow_up_unsatisfied"),
        (FOLLOW_UP, "9", "refused", "over", "follow_up_refused"),
        (FOLLOW_UP, "12", "satisfied", "over", "follow_up_satisfied"),
        (FOLLOW_UP, "0", "operator", "operator", "operator_connecting"),
        (FOLLOW_UP, "0T", "operator", "over", "goodbye"),
        (FOLLOW_UP, "0M", "operator", "over", "follow_up_no_operator"),
        (FOLLOW_UP, "T", "", "asking", "follow_up_choose_operators"),
        (FOLLOW_UP, "__", "", "over", "follow_up_later"),
    ],
)
def test_a_script(begin: Conversation, script: str, answer: Answer, stage: Stage, last: str) -> None:
    talk = after(begin, script)
    assert (talk.answer, talk.stage) == (answer, stage)
    said = [prompt.key for verb in present(talk, STAFFED) for prompt in verb.prompts]
    assert last in said[-2:]


def test_without_operators_nobody_is_sent_to_them() -> None:
    talk = after(FOLLOW_UP, "0", CLOSED)
    assert (talk.answer, talk.silent) == ("", 1)
    (ask,) = present(FOLLOW_UP, CLOSED)
    assert isinstance(ask, Ask)
    assert ask.keys == "129"


def test_who_calls_which_order_and_what_to_press_is_said_again_when_it_is_asked_for() -> None:
    first, again, silent = (present(after(URGENT, script), CLOSED) for script in ("", "2", "_"))
    assert first == again != silent
    spoken = "".join(render(prompt, "zh-Hans") for prompt in first[0].prompts)
    assert spoken == (
        "您好，这里是衡阳市幺二三四五政府服务热线。有一件紧急工单，电话交办给市水务局，请立即办理。工单号是，"
        "二零二六幺幺二二零零零七确认收到请按一，再听一遍请按二。"
    )


@given(st.sampled_from(get_args(Purpose)), st.text("0129_TM*5", max_size=30))
def test_whatever_is_pressed(purpose: Purpose, script: str) -> None:
    """It ends, an answer stays what it was, nothing that changes nothing is a new scene, and all of it can be said and kept."""
    talk = replace(URGENT, purpose=purpose)
    for one in script:
        new = after(talk, one)
        assert new is talk or new.scene == talk.scene + 1
        assert not talk.answer or new.answer == talk.answer
        assert talk.stage != "over" or new is talk
        talk = new
        assert json.decode(json.encode(talk), type=Conversation) == talk
        verbs = present(talk, STAFFED)
        assert isinstance(verbs[-1], Ask | HangUp | Transfer)
        for language in get_args(Language):
            assert all(render(prompt, language) for verb in verbs for prompt in verb.prompts)
    assert talk.scene <= MOST_ASKED + 2
