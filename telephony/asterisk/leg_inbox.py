"""What comes into one leg's inbox. Values only."""

from msgspec import Struct

from calls.turn import Turn
from telephony.asterisk.connection import Event
from telephony.asterisk.stage import MakeEvent


class Ami(Struct, frozen=True):
    """An AMI event about this caller's channel or the leader's."""

    name: str
    fields: Event


class Due(Struct, frozen=True):
    """The scene that is playing came to something by itself."""

    make: MakeEvent
    scene: int


class Changed(Struct, frozen=True):
    """Turns of this call were saved, perhaps only our own."""


class Taken(Struct, frozen=True):
    """The switchboard of this process took a turn of this call: it need not be read again."""

    turn: Turn


Item = Ami | Due | Changed | Taken


def time_of(event: Event) -> float:
    """When it happened by Asterisk's clock; 0.0 when it does not say."""
    try:
        return float(event.get("Timestamp", "") or 0)
    except ValueError:
        return 0.0
