"""Text from outside is cleaned or refused."""

import pytest

from config.ids import new_id
from config.text import UnsafeText, clean, refuse_control


def test_control_and_invisible_characters_go_and_blanks_are_folded() -> None:
    assert clean(" a\r\nb\x00c\u202ed\u200b  e ", 80) == "a b c d e"
    assert clean("熱線問政😀", 80) == "熱線問政😀"
    assert clean("x" * 100, 10) == "x" * 10


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\0b", "\x1b[31m", "\u202e", "\u2028", "\ud800"])
def test_values_that_could_carry_a_second_line_are_refused(value: str) -> None:
    with pytest.raises(UnsafeText, match="U\\+"):
        refuse_control(value)


def test_harmless_values_pass_unchanged() -> None:
    assert refuse_control('衡阳市 12345, "x" 😀') == '衡阳市 12345, "x" 😀'


def test_ids_are_unique_and_safe_everywhere() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert all(len(one) == 26 and one.isalnum() and one == one.lower() for one in ids)
