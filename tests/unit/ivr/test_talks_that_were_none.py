"""A leader who is gone as soon as they are there, and numbers that no sentence was made for beforehand."""

import pytest

from ivr.events import Answered, Arrived, TalkEnded
from ivr.spoken import counted
from ivr.verbs import Prompt
from ivr.wording import all_prompts
from tests.unit.ivr.scene import NEW, NOW, OPEN, at, key, names, offer, play

WAITING = (Arrived(facts=OPEN), key("1", 3))


def test_a_leader_who_hangs_up_at_once_gets_the_same_caller_again() -> None:
    call, commands = play(
        NEW, *WAITING, offer(60), Answered(facts=at(OPEN, 65)), TalkEnded(facts=at(OPEN, 65), seconds=0.2)
    )
    assert (call.node, call.joined_at, call.told_position) == ("waiting", NOW + 3, 1)
    assert names(commands).count("JoinLine") == 2
    assert "MakeOrder" not in names(commands)


def test_the_second_time_it_counts_as_the_talk() -> None:
    call, commands = play(
        NEW,
        *WAITING,
        offer(60),
        Answered(facts=at(OPEN, 65)),
        TalkEnded(facts=at(OPEN, 65), seconds=0.2),
        offer(66, token=2),
        Answered(facts=at(OPEN, 67)),
        TalkEnded(facts=at(OPEN, 67), seconds=0.2),
    )
    assert (call.node, call.outcome) == ("goodbye", "talked")
    assert names(commands).count("MakeOrder") == 1


@pytest.mark.parametrize(
    ("callers", "prompt"),
    [
        (200, Prompt("ahead", {"count": 200})),
        (201, Prompt("ahead_many", {"count": 200})),
        (499, Prompt("ahead_many", {"count": 400})),
        (5000, Prompt("ahead_many", {"count": 1000})),
    ],
)
def test_every_number_of_callers_has_a_sentence_made_beforehand(callers: int, prompt: Prompt) -> None:
    assert counted("ahead", callers) == prompt
    assert prompt in _known()


def _known() -> list[Prompt]:
    return list(all_prompts("zh-Hans"))
