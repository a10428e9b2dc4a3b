"""The rest of the story of who keeps a place: rung when it is their turn, they press 1 and talk; or nobody answers, twice. The same on
every carrier."""

#: What is heard on the leg by which we call back. See `tests.stories.story.same`.
HEARS = ("greeting", "callback_your_turn", "choose_callback", "connecting", "goodbye_talked", "goodbye")
#: The facts in the ledger, in order, without `closed`.
TALKED = (
    "arrived", "willing", "callback", "offered", "called_back", "callback_answered", "connected", "talked",
    "callback_ended",
)
_TRY = ("offered", "called_back", "callback_missed")
MISSED = ("arrived", "willing", "callback", *_TRY, *_TRY, "left_line")
