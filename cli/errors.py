"""How a command ends when it cannot do its work: one clear line on stderr, and an exit code that scripts can tell apart."""

from enum import IntEnum

from cli.messages import say


class Exit(IntEnum):
    """Exit codes of every `hotline` command; part of the contract."""

    OK = 0
    #: The command ran and the answer is no: calls unaccounted for, a part not ready, a demonstration call failed.
    NEGATIVE = 1
    #: The command line itself is wrong.
    USAGE = 2
    #: The API, or a program that is needed, cannot be reached.
    UNREACHABLE = 3
    #: The API refused: token, scope.
    REFUSED = 4
    #: There is no such session, seat, call or order, or its state does not allow the act.
    IMPOSSIBLE = 5
    #: Stopped with Ctrl-C.
    INTERRUPTED = 130


class CommandError(Exception):
    """Ends the command with a message of the catalogue, told in the person's language."""

    def __init__(self, code: Exit, key: str, /, **values: object) -> None:
        super().__init__(say(key, **values))
        self.code = code
