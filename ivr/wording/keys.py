"""Every prompt's key, the one value that varies in it, and the values for which its sound is made beforehand."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from ivr.spoken import EXACT_CALLERS, EXACT_MINUTES, MANY, MINUTE_STEP, MOST_MANY, MOST_MINUTES, MOST_SERVED

Kind = Literal["count", "tenths", "minutes", "digit", "date", "weekday", "clock", "name"]
Value = str | int


class Parameter(Struct, frozen=True):
    """The value that varies: its name in the sentence, how it is spoken, and those known beforehand."""

    name: str
    kind: Kind
    values: tuple[Value, ...] = ()


#: Hundreds of callers, as "more than 300".
MANY_CALLERS = tuple(range(EXACT_CALLERS, MOST_MANY + 1, MANY))
#: A session lasts two hours; who waited longer than this was not waited for.
MOST_WAITED = 180


def _count(most: int) -> Parameter:
    return Parameter("count", "count", tuple(range(1, most + 1)))


def _minutes(values: Iterable[int]) -> Parameter:
    return Parameter("minutes", "minutes", tuple(values))


def _days() -> Iterable[str]:
    lengths = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return (f"{month:02}-{day:02}" for month, days in enumerate(lengths, 1) for day in range(1, days + 1))


ESTIMATES = (*range(1, EXACT_MINUTES + 1), *range(EXACT_MINUTES + MINUTE_STEP, MOST_MINUTES + 1, MINUTE_STEP))
TIMES = tuple(f"{hour:02}:{minute:02}" for hour in range(8, 19) for minute in (0, 30))

#: Sentences in which something varies. The order is that in which their sound is made: what is needed first, first.
VARYING: dict[str, Parameter] = {
    "greeting": Parameter("city", "name"),
    "answering_unit": Parameter("unit", "name"),
    "answering_leader": Parameter("leader", "name"),
    "next_unit": Parameter("unit", "name"),
    "placed_greeting": Parameter("city", "name"),
    "urgent_matter": Parameter("unit", "name"),
    "follow_up_matter": Parameter("unit", "name"),
    "answering_several": Parameter("count", "count", tuple(range(2, 10))),
    "next_several": Parameter("count", "count", tuple(range(2, 10))),
    **{f"pick_{key}": Parameter("unit", "name") for key in range(1, 10)},
    "digit": Parameter("digit", "digit", tuple("0123456789")),
    "message_how": _minutes(range(1, 11)),
    "chance": Parameter("tenths", "tenths", tuple(range(1, 10))),
    "weekday": Parameter("weekday", "weekday", tuple(range(1, 8))),
    "clock": Parameter("clock", "clock", TIMES),
    "wait": _minutes(ESTIMATES),
    "can_serve": _count(MOST_SERVED),
    "ahead": _count(EXACT_CALLERS),
    "ahead_many": Parameter("count", "count", MANY_CALLERS),
    "waiting_now": _count(EXACT_CALLERS),
    "waiting_now_many": Parameter("count", "count", MANY_CALLERS),
    "whisper_waited": _minutes(range(1, MOST_WAITED + 1)),
    "whisper_behind": _count(EXACT_CALLERS),
    "whisper_behind_many": Parameter("count", "count", MANY_CALLERS),
    "date": Parameter("date", "date", tuple(_days())),
}

#: Sentences that are always the same.
FIXED: tuple[str, ...] = (
    "line_free",
    "line_ended",
    "line_left",
    "nobody_waits",
    "chance_small",
    "choose_line",
    "choose_free",
    "choose_discouraged",
    "choose_ended",
    "not_understood",
    "waiting_joined",
    "waiting_free",
    "waiting_leader_missed",
    "next_is_you",
    "choose_waiting",
    "line_kept",
    "line_often",
    "choose_kept",
    "pick_unsure",
    "pick_operator",
    "pick_order",
    "waiting_place_kept",
    "waiting_moved",
    "waiting_place_changed",
    "waiting_overtaken",
    "waiting_leader_late",
    "waiting_leader_back",
    "waiting_held",
    "waiting_resumed",
    "waiting_extended",
    "waiting_ending_soon",
    "waiting_shortened",
    "waiting_postponed",
    "waiting_ended",
    "waiting_technical",
    "leader_not_here",
    "leader_away",
    "callback_kept",
    "callback_your_turn",
    "choose_callback",
    "callback_later",
    "message_session_stopped",
    "message_session_postponed",
    "goodbye_other_call",
    "connecting",
    "whisper_new",
    "whisper_confirm",
    "message_declined",
    "message_silence",
    "message_unheard",
    "message_session_closed",
    "message_leader_left",
    "message_seat_closed",
    "message_no_operator",
    "message_operators_busy",
    "message_closed",
    "message_released",
    "message_what",
    "message_again",
    "contact_ask",
    "contact_again",
    "order_wait",
    "order_number",
    "order_number_again",
    "order_promise",
    "order_no_number",
    "order_repeat",
    "callback_promise",
    "callback_no_number",
    "closed_now",
    "next_session",
    "next_unknown",
    "choose_closed",
    "choose_closed_operators",
    "operator_connecting",
    "operator_error",
    "one_moment",
    "fallback_sorry",
    "goodbye",
    "goodbye_talked",
    "goodbye_order_recorded",
    "goodbye_error",
    "goodbye_session_stopped",
    "goodbye_stopped_no_number",
    "stopped_leader",
    "test_call",
    "placed_order",
    "urgent_choose",
    "urgent_confirmed",
    "urgent_later",
    "follow_up_choose",
    "follow_up_choose_operators",
    "follow_up_satisfied",
    "follow_up_unsatisfied",
    "follow_up_refused",
    "follow_up_later",
    "follow_up_no_operator",
)
