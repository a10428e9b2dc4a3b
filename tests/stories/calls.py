"""The stories. Played on every carrier: same sentences, same outcome, same ledger."""

from tests.stories.story import Do, Story

_MESSAGE = (("minutes", 2),)

STORIES = (
    Story(
        "waits and talks", "takes", (Do("choose_free", press="1"),), "talked", "talked",
        ("greeting", "line_free", "choose_free", "connecting_recorded", "goodbye_talked", "goodbye"),
        ("arrived", "willing", "offered", "connected", "talked"),
    ),
    Story(
        "hangs up in the talk", "takes", (Do("choose_free", press="1"), Do("connecting_recorded", hang_up=True, after_s=20)),
        "talked", "talked", ("choose_free", "connecting_recorded"),
        ("arrived", "willing", "offered", "connected", "talked"), talk_s=600.0,
    ),
    Story(
        "declines", "away",
        (Do("choose_line", press="2"), Do("message_how", _MESSAGE, speak_s=12), Do("order_repeat", hang_up=True)),
        "work_order", "declined", ("choose_line", "message_declined", "message_what", "order_number", "order_repeat"),
        ("arrived", "message"),
    ),
    Story(
        "declines and listens to the end", "away",
        (Do("choose_line", press="2"), Do("message_how", _MESSAGE, speak_s=12)),
        "work_order", "declined", ("message_declined", "order_number", "order_repeat", "goodbye"),
        ("arrived", "message"),
    ),
    Story(
        "says nothing at all", "away", (), "work_order", "declined",
        ("choose_line", "not_understood", "choose_line", "message_silence", "message_again", "order_number", "goodbye"),
        ("arrived", "message"),
    ),
    Story(
        "presses a wrong key twice", "away",
        (Do("choose_line", press="9"), Do("not_understood", press="8", after_s=60), Do("message_how", _MESSAGE, speak_s=5)),
        "work_order", "declined", ("choose_line", "not_understood", "message_silence", "order_number"),
        ("arrived", "message"),
    ),
    Story(
        "hangs up at the question", "away", (Do("choose_line", hang_up=True),), "abandoned", "", ("choose_line",),
        ("arrived",),
    ),
    Story(
        "hangs up while waiting", "away", (Do("choose_line", press="1"), Do("choose_waiting", hang_up=True, after_s=5)),
        "abandoned", "abandoned", ("waiting_joined", "next_is_you", "choose_waiting"), ("arrived", "willing", "left_line"),
    ),
    Story(
        "hangs up in the message", "away", (Do("choose_line", press="2"), Do("message_how", _MESSAGE, hang_up=True, after_s=6)),
        "work_order", "declined", ("message_declined", "message_what"), ("arrived", "message"),
    ),
    Story(
        "asks to be called back", "away", (Do("choose_line", press="1"), Do("choose_waiting", press="3", after_s=60)),
        "callback", "", ("choose_waiting", "callback_kept", "goodbye"), ("arrived", "willing", "callback"),
    ),
    Story(
        "withholds the number and types one", "away",
        (Do("choose_line", press="2"), Do("message_how", _MESSAGE, speak_s=9), Do("contact_ask", press="13812345678#"),
         Do("order_repeat", hang_up=True)),
        "work_order", "declined", ("message_declined", "contact_ask", "order_number"), ("arrived", "message"), number="",
    ),
    Story(
        "waits until the session closes", "away",
        (Do("choose_line", press="1"), Do("message_how", _MESSAGE, speak_s=8), Do("order_repeat", hang_up=True)),
        "work_order", "released", ("message_session_closed", "order_number"),
        ("arrived", "willing", "released", "left_line", "message"), meanwhile="session closes",
    ),
    Story(
        "is released by an operator", "away",
        (Do("choose_line", press="1"), Do("message_how", _MESSAGE, speak_s=8), Do("order_repeat", hang_up=True)),
        "work_order", "released", ("message_released", "order_number"),
        ("arrived", "willing", "released", "left_line", "message"), meanwhile="operator releases",
    ),
    Story(
        "is not taken by the leader", "no_answer",
        (Do("choose_free", press="1"), Do("waiting_leader_missed", hang_up=True, after_s=5)), "abandoned", "abandoned",
        ("connecting_recorded", "waiting_leader_missed", "next_is_you"),
        ("arrived", "willing", "offered", "missed", "left_line"),
    ),
    Story(
        "finds the leader's line busy", "busy",
        (Do("choose_free", press="1"), Do("waiting_leader_missed", hang_up=True, after_s=5)), "abandoned", "abandoned",
        ("connecting_recorded", "waiting_leader_missed"), ("arrived", "willing", "offered", "missed", "left_line"),
    ),
    Story(
        "calls when no session is open", "no_session",
        (Do("choose_closed", press="2"), Do("message_how", _MESSAGE, speak_s=9), Do("order_repeat", hang_up=True)),
        "work_order", "closed", ("greeting", "closed_now", "choose_closed", "message_closed", "order_number"),
        ("arrived", "message"),
    ),
)  # fmt: skip
