"""The numbers the flow keeps to. They come from the settings by way of the facts; the flow itself reads no settings."""

from msgspec import Struct


class Limits(Struct, frozen=True):
    """Durations are seconds. The names are those of `config.settings` where the city may set them."""

    ask_timeout_s: float = 6.0
    announce_every_s: float = 45.0
    message_max_s: float = 120.0
    message_silence_s: float = 8.0
    ring_s: float = 20.0
    operator_ring_s: float = 30.0
    record_talks: bool = True
    #: Keys this soon after a choice belong to the choice before: ten keys pressed at once throw nobody out of the line.
    settle_s: float = 1.5
    #: A shorter recording holds no words.
    least_message_s: float = 1.0
    #: How long a caller is kept for the number of their work order.
    order_timeout_s: float = 10.0
    #: Who calls more often than this within some minutes is not let into the line by the newest of the calls.
    most_recent_calls: int = 6
    #: How often we call back a caller who keeps a place.
    callback_tries: int = 2
    callback_ring_s: float = 25.0
    #: A leader who hangs up in the whisper is rung again at once, for it may have been a slip; so many times in a row are
    #: none, and the seat pauses.
    most_gone: int = 3
    #: How often a question is asked before silence counts as an answer.
    tries: int = 2
    #: More keys are no number (E.164; with 00 before it, of our country).
    most_contact_keys: int = 15
