"""Numbers as carriers present them: read into E.164, or empty. Never an exception."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.numbers import read_dialable
from config.privacy import mask, mask_numbers, read_number
from config.settings import Settings

SETTINGS = Settings(state_dir=Path("/nowhere"), area_code="0734")
MOBILE = "+8613812345678"


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("13812345678", MOBILE),
        ("+8613812345678", MOBILE),
        ("008613812345678", MOBILE),
        ("8613812345678", MOBILE),
        ("013812345678", MOBILE),
        ("138 1234 5678", MOBILE),
        ("138-1234-5678", MOBILE),
        ("'13812345678'", MOBILE),
        ('"13812345678"', MOBILE),
        ("１３８１２３４５６７８", MOBILE),
        ('"李 😀" <sip:13812345678@10.0.0.1:5060;user=phone>;tag=1', MOBILE),
        ("sip:+8613812345678@host", MOBILE),
        ("tel:+86-138-1234-5678", MOBILE),
        ("8123456", "+867348123456"),
        ("07348123456", "+867348123456"),
        ("(0734) 8123456", "+867348123456"),
        ("01012345678", "+861012345678"),
        ("+442071838750", "+442071838750"),
        ("00442071838750", "+442071838750"),
        ("19912345678", "+8619912345678"),
    ],
)
def test_a_number_is_read(raw: str, number: str) -> None:
    assert read_number(raw, SETTINGS) == number


@pytest.mark.parametrize(
    "raw",
    [
        "", "anonymous", "Anonymous", "restricted", "unknown", "12345", "+12345", "1" * 40, "9" * 5000, "1", "-", "+", "'", '"',
        "13812345678\r\nAction: Originate", "13812345678\n", "138\x0012345678", "sip:anonymous@anonymous.invalid", "<sip:>", "<",
        "13812345678&PJSIP/x", "13812345678,20", "😀", "李四", "\ud800", None, 5, b"13812345678",
    ],
)  # fmt: skip
def test_what_is_no_number_of_a_person_is_empty(raw: object) -> None:
    assert read_number(raw, SETTINGS) == ""


@pytest.mark.parametrize(
    ("keyed", "number"),
    [
        ("13812345678", MOBILE), ("008613812345678", MOBILE), ("8123456", "+867348123456"), ("01012345678", "+861012345678"),
        ("008821612345678", ""), ("0085291234567", ""), ("00442071838750", ""), ("1687777777", ""), ("4008123456", ""),
        ("073412345", ""), ("12345", ""), ("073495588", ""), ("01010010", ""), ("110", ""), ("1234567", ""),
        ("075588889999", ""), ("13812345678\r\n", ""),
    ],
)  # fmt: skip
def test_only_a_telephone_of_our_country_that_is_none_of_ours_may_be_rung(keyed: str, number: str) -> None:
    assert read_dialable(keyed, SETTINGS.model_copy(update={"twilio_number": "+8675588889999"})) == number


@given(st.text() | st.from_regex(r'"?[^"]{0,9}"? ?<?(sip:)?\+?[0-9０-９]{0,20}@?>?', fullmatch=True))
def test_nothing_makes_it_fail_and_what_it_reads_is_read_again_as_the_same(raw: str) -> None:
    number = read_number(raw, SETTINGS)
    assert number == "" or (number.startswith("+") and number[1:].isascii() and number[1:].isdigit())
    assert read_number(number, SETTINGS) == number


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        (MOBILE, "138****5678"),
        ("13812345678", "138****5678"),
        ("+867348123456", "734****3456"),
        ("110", "****"),
        ("", ""),
    ],
)
def test_a_number_is_masked(number: str, masked: str) -> None:
    assert mask(number) == masked


@given(st.from_regex(r"\+?[0-9]{7,15}", fullmatch=True))
def test_a_mask_hides_at_least_two_digits_and_never_shows_more_than_seven(number: str) -> None:
    shown = [c for c in mask(number) if c.isdigit()]
    assert len(shown) <= min(7, len(number.removeprefix("+86").removeprefix("+")) - 2)


def test_numbers_are_masked_in_text_and_ids_are_not() -> None:
    text = "a-pbx1-1763812345-12 rang +8613812345678, 07348123456 at 1763812345.25 for order 2026-1122-0007"
    masked = mask_numbers(text)
    assert "13812345678" not in masked
    assert "07348123456" not in masked
    for kept in ("a-pbx1-1763812345-12", "1763812345.25", "2026-1122-0007"):
        assert kept in masked
