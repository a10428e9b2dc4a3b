"""Commands on their way from the saved turn to the world: numbered, sorted into lanes, as JSON. No effects here."""

from typing import Literal, assert_never

from msgspec import Struct, json

from ivr.call import Call
from ivr.commands import (
    AnyCommand,
    CloseCall,
    FreeSeat,
    JoinLine,
    KeepNumber,
    LeaveLine,
    MakeOrder,
    Note,
    ReturnToHead,
    TakeSeat,
    WakeAt,
    WithdrawOrder,
)

#: The commands of one call keep their order within a lane. The line goes on while the database is away, and the other
#: way round; what fails again and again is set aside in `stuck`.
Lane = Literal["line", "books", "stuck"]


class Entry(Struct, frozen=True):
    """One command to perform, exactly once in its effect."""

    #: `{call}-{seq}-{n}`; unique for ever.
    id: str
    call_id: str
    seq: int
    #: When the turn was saved, Unix seconds.
    at: float
    command: AnyCommand
    #: Of the call, for the ledger.
    session_id: str = ""
    carrier: str = ""
    host: str = ""


_ENCODER, _DECODER = json.Encoder(), json.Decoder(Entry)


class Entries(Struct, frozen=True):
    """What a turn puts into the outbox. `wake_at`: None = the wake-up stays as it is, 0.0 = none."""

    line: tuple[Entry, ...] = ()
    books: tuple[Entry, ...] = ()
    wake_at: float | None = None


def sort(after: Call, at: float, commands: tuple[AnyCommand, ...]) -> Entries:
    """Numbers the commands of the turn that led to `after` and sorts them into lanes."""
    line: list[Entry] = []
    books: list[Entry] = []
    wake_at: float | None = None
    for number, command in enumerate(commands):
        name = f"{after.id}-{after.seq}-{number}"
        entry = Entry(name, after.id, after.seq, at, command, after.session_id, after.carrier, after.host)
        match command:
            case WakeAt():
                wake_at = command.at
            case JoinLine() | LeaveLine() | ReturnToHead() | TakeSeat() | FreeSeat():
                line.append(entry)
            case Note() | MakeOrder() | WithdrawOrder() | KeepNumber() | CloseCall():
                books.append(entry)
            case _:
                assert_never(command)
    return Entries(tuple(line), tuple(books), wake_at)


def is_fact(entry: Entry | None) -> bool:
    """True for what is only put down in the ledger."""
    return entry is not None and isinstance(entry.command, Note | CloseCall)


def encode(entry: Entry) -> str:
    """As it is kept in Redis."""
    return _ENCODER.encode(entry).decode()


def decode(text: str) -> Entry:
    """Raises msgspec.DecodeError for what this version does not know."""
    return _DECODER.decode(text)
