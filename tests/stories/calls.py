"""The stories. Played on every carrier: same sentences, same outcome, same ledger."""

from tests.stories.story import Do, Story

_MESSAGE = (("minutes", 2),)
_FREE = ("greeting", "line_free", "choose_free", "connecting")
_LINE = ("greeting", "nobody_waits", "choose_line")
_WAITING = (*_LINE, "waiting_joined", "leader_away", "next_is_you", "choose_waiting")
_MISSED = (*_FREE, "waiting_leader_missed", "next_is_you", "choose_waiting")
_SEVERAL = ("greeting", "pick_unsure", "pick_order", "connecting")
_ORDER = ("order_wait", "order_number", "order_number_again", "order_promise", "order_repeat")

STORIES = (
    Story(
        "waits and talks", "takes", (Do("choose_free", press="1"),), "talked", "talked",
        (*_FREE, "goodbye_talked", "goodbye"),
        ("arrived", "willing", "offered", "connected", "talked"),
    ),
    Story(
        "picks the second of two units", "several", (Do("pick_order", press="2"),), "talked", "talked",
        (*_SEVERAL, "goodbye_talked", "goodbye"),
        ("arrived", "willing", "offered", "connected", "talked"),
    ),
    Story(
        "does not know which unit and gets the leader who is free", "several", (Do("pick_order", press="0"),),
        "talked", "talked", (*_SEVERAL, "goodbye_talked", "goodbye"),
        ("arrived", "willing", "offered", "connected", "talked"),
    ),
    Story(
        "hangs up in the talk", "takes", (Do("choose_free", press="1"), Do("connecting", hang_up=True, after_s=20)),
        "talked", "talked", _FREE, ("arrived", "willing", "offered", "connected", "talked"), talk_s=600.0,
    ),
    Story(
        "declines", "away",
        (Do("choose_line", press="2"), Do("message_how", _MESSAGE, speak_s=12), Do("order_repeat", hang_up=True)),
        "work_order", "declined", (*_LINE, "message_declined", "message_what", *_ORDER), ("arrived", "message"),
    ),
    Story(
        "declines and listens to the end", "away",
        (Do("choose_line", press="2"), Do("message_how", _MESSAGE, speak_s=12)),
        "work_order", "declined", (*_LINE, "message_declined", "message_what", *_ORDER, "goodbye"),
        ("arrived", "message"),
    ),
    Story(
        "says nothing at all", "away", (), "work_order", "declined",
        (*_LINE, "not_understood", "choose_line", "message_silence", "message_what", "message_again", *_ORDER, "goodbye"),
        ("arrived", "message", "no_words", "no_words"),
    ),
    Story(
        "presses a wrong key twice", "away",
        (Do("choose_line", press="9"), Do("not_understood", press="8", after_s=35), Do("message_how", _MESSAGE, speak_s=9)),
        "work_order", "declined",
        (*_LINE, "not_understood", "choose_line", "message_silence", "message_what", *_ORDER, "goodbye"),
        ("arrived", "message"),
    ),
    Story(
        "hangs up at the question", "away", (Do("choose_line", hang_up=True),), "abandoned", "", _LINE, ("arrived",),
    ),
    Story(
        "hangs up while waiting", "away", (Do("choose_line", press="1"), Do("choose_waiting", hang_up=True, after_s=5)),
        "abandoned", "abandoned", _WAITING, ("arrived", "willing", "left_line"),
    ),
    Story(
        "hangs up in the message", "away", (Do("choose_line", press="2"), Do("message_how", _MESSAGE, hang_up=True, after_s=6)),
        "work_order", "declined", (*_LINE, "message_declined", "message_what"), ("arrived", "message"),
    ),
    Story(
        "asks to be called back", "away", (Do("choose_line", press="1"), Do("choose_waiting", press="3", after_s=60)),
        "callback", "", (*_WAITING, "callback_kept", "goodbye"), ("arrived", "willing", "callback"),
    ),
    Story(
        "hangs up in the promise to be called back", "away",
        (Do("choose_line", press="1"), Do("choose_waiting", press="3", after_s=60), Do("goodbye", hang_up=True)),
        "callback", "", (*_WAITING, "callback_kept", "goodbye"), ("arrived", "willing", "callback"),
    ),
    Story(
        "withholds the number and types one", "away",
        (Do("choose_line", press="2"), Do("message_how", _MESSAGE, speak_s=9), Do("contact_ask", press="13812345678#"),
         Do("order_repeat", hang_up=True)),
        "work_order", "declined", (*_LINE, "message_declined", "message_what", "contact_ask", *_ORDER),
        ("arrived", "message"), number="",
    ),
    Story(
        "withholds the number and hangs up when asked for one", "away",
        (Do("choose_line", press="2"), Do("message_how", _MESSAGE, speak_s=9), Do("contact_ask", hang_up=True)),
        "work_order", "declined", (*_LINE, "message_declined", "message_what", "contact_ask"),
        ("arrived", "message"), number="",
    ),
    Story(
        "waits until the session closes", "away",
        (Do("choose_line", press="1"), Do("message_how", _MESSAGE, speak_s=8), Do("order_repeat", hang_up=True)),
        "work_order", "released", (*_WAITING, "message_session_closed", "message_what", *_ORDER),
        ("arrived", "willing", "released", "left_line", "message"), meanwhile="session closes",
    ),
    Story(
        "hears what is announced to all who wait", "away",
        (Do("choose_line", press="1"), Do("waiting_technical", hang_up=True, after_s=28)), "abandoned", "abandoned",
        (*_WAITING, "waiting_technical", "next_is_you", "choose_waiting"), ("arrived", "willing", "left_line"),
        meanwhile="announcement",
    ),
    Story(
        "is released by an operator", "away",
        (Do("choose_line", press="1"), Do("message_how", _MESSAGE, speak_s=8), Do("order_repeat", hang_up=True)),
        "work_order", "released", (*_WAITING, "message_released", "message_what", *_ORDER),
        ("arrived", "willing", "released", "left_line", "message"), meanwhile="operator releases",
    ),
    Story(
        "hangs up while the leader's phone rings", "no_answer",
        (Do("choose_free", press="1"), Do("connecting", hang_up=True, after_s=8)), "abandoned", "abandoned",
        _FREE, ("arrived", "willing", "offered", "left_line"),
    ),
    Story(
        "is not taken by the leader", "no_answer",
        (Do("choose_free", press="1"), Do("choose_waiting", hang_up=True)), "abandoned", "abandoned", _MISSED,
        ("arrived", "willing", "offered", "missed", "left_line"),
    ),
    Story(
        "finds the leader's line busy", "busy",
        (Do("choose_free", press="1"), Do("choose_waiting", hang_up=True)), "abandoned", "abandoned", _MISSED,
        ("arrived", "willing", "offered", "missed", "left_line"),
    ),
    Story(
        "calls when no session is open", "no_session",
        (Do("choose_closed", press="2"), Do("message_how", _MESSAGE, speak_s=9), Do("order_repeat", hang_up=True)),
        "work_order", "closed",
        ("greeting", "closed_now", "next_unknown", "choose_closed", "message_closed", "message_what", *_ORDER),
        ("arrived", "message"),
    ),
)  # fmt: skip
