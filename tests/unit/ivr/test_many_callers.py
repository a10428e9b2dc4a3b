"""Numbers of callers that no sentence was made for beforehand do not exist."""

import pytest

from ivr.spoken import counted
from ivr.verbs import Prompt
from ivr.wording import all_prompts


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
