"""Every answer of Redis is lost, and what was sent is done once more: calls over the cloud come out the same."""
# ruff: noqa: F401 - tests of other files

from collections import Counter

import pytest

from tests.integration.twilio.test_twilio_calls import (
    test_who_declines_records_the_matter_and_hears_the_orders_number,
    test_who_waits_talks_with_the_leader,
)
from tests.integration.twilio.test_twilio_outbound import (
    test_what_is_told_late_of_a_leg_changes_nothing,
    test_who_keeps_a_place_is_called_back_and_talks_with_the_leader,
)
from tests.repeating import SCRIPTS, lose_every_answer

#: By all tests of this file together.
REPEATED: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def _every_answer_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    lose_every_answer(monkeypatch, REPEATED)


def test_no_script_was_left_out() -> None:
    """Of all that the tests of this file have run; all others are in tests/integration/redis/test_answers_lost.py."""
    ours = {name for name in SCRIPTS if name.startswith("telephony/twilio/")}
    assert ours - REPEATED.keys() == set()
