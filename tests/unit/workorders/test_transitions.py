"""The life of a work order: every transition that is not in the table is refused."""

from itertools import product
from typing import get_args

import pytest

from workorders.tags import SESSION_TAG, fold, normal
from workorders.transitions import FINAL, TABLE, Status, Transition, TransitionRefused, follow, possible


@pytest.mark.parametrize(("status", "step"), list(product(get_args(Status), get_args(Transition))))
def test_a_step_leads_where_the_table_says_or_is_refused(status: Status, step: Transition) -> None:
    sources, target = TABLE[step]
    if status in sources:
        assert follow(status, step) == target
    else:
        with pytest.raises(TransitionRefused, match=status):
            follow(status, step)


def test_every_state_is_reached_and_only_the_final_ones_are_left_by_nothing() -> None:
    reached: set[Status] = {"registered"}
    while new := {follow(status, step) for status in reached for step in possible(status)} - reached:
        reached |= new
    assert reached == set(get_args(Status))
    assert {status for status in reached if not possible(status)} == FINAL


@pytest.mark.parametrize("tag", ["熱線問政", "热线问政", "热線问政", " #熱線問政 ", "＃热线问政"])
def test_the_sessions_tag_is_one_in_every_way_of_writing(tag: str) -> None:
    assert fold(tag) == fold(SESSION_TAG)
    assert normal(tag) == SESSION_TAG


def test_other_tags_keep_their_writing() -> None:
    assert normal("#Water 供水 ") == "Water 供水"
    assert fold("WATER") == fold("ｗａｔｅｒ")
    assert fold("供水") != fold("路燈")
    assert fold("路燈") == fold("路灯")
