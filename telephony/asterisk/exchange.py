"""What all legs of one bridge share: the connection, the turns, the prompts, the settings. No state of its own."""

import json
from pathlib import Path

from msgspec import Struct

from calls.store import Calls
from calls.turn import Turns
from config.clock import now
from config.settings import Settings
from queueing.line import Line
from telephony.asterisk.connection import Connection
from telephony.prompts import Prompts


class Exchange(Struct, frozen=True):
    """One Asterisk node as its bridge sees it."""

    settings: Settings
    connection: Connection
    calls: Calls
    turns: Turns
    prompts: Prompts
    line: Line

    def now(self) -> float:
        """Unix seconds."""
        return now()

    @property
    def recordings(self) -> Path:
        return self.settings.recordings

    @property
    def beep(self) -> Path:
        """The tone after which a message is recorded."""
        return self.settings.state_dir / "asterisk" / "sounds" / "beep.wav"

    @property
    def spool(self) -> Path:
        """Where the dialplan puts the messages of callers whom no bridge served."""
        return self.settings.state_dir / "spool"


#: `back.`, the claim's token in ten figures, a dot: the dialplan cuts it off too (extensions.conf.j2).
_BACK = "back."
_BACK_LENGTH = 16


def callback_uniqueid(call_id: str, token: int) -> str:
    """The id of the channel by which a caller is called back for this claim."""
    return f"{_BACK}{token % 10**10:010d}.{call_id}"


def call_id_of(uniqueid: str) -> str:
    """The call's id, as the dialplan makes it: the same call never gets a second one. The uniqueid begins with the node's
    name. Letters, digits and `-` only. A channel by which we call back holds the call's id itself."""
    if uniqueid.startswith(_BACK):
        return uniqueid[_BACK_LENGTH:][:64]
    return "a-" + "".join(char if char.isascii() and char.isalnum() else "-" for char in uniqueid)[:62]


def health_json(state: str, detail: str, at: float) -> str:
    """A bridge's heartbeat, as `/readyz` reads it."""
    return json.dumps({"at": at, "state": state, "detail": detail}, ensure_ascii=False)
