"""Who may do what: the one table of roles and acts, used by the API, the pages and the test that tries every cell."""

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["citizen", "operator", "leader", "handler", "supervisor", "administrator"]

Act = Literal[
    "screen",  # the big screen of the hall: no personal data
    "phone",  # the browser phone that dials the service number, on a demonstration system
    "board",  # the board of those who work here
    "read",  # the line, sessions, calls, the ledger and orders, with masked numbers
    "own_orders",  # the orders of one's own unit
    "desk",  # the operator's desk
    "lead",  # the leader's desk
    "line",  # move and release callers
    "sessions",  # create, open, close, postpone, cancel
    "seats",  # a seat: open, pause, resume, close; a leader's own only
    "listen",  # hear a talk, heard by nobody
    "whisper",  # speak to the leader in a talk, unheard by the caller
    "barge",  # speak to both in a talk
    "three_way",  # be the third party of a talk
    "placed_calls",  # have a unit or a petitioner called about an order
    "units",  # the duty numbers of the units
    "orders",  # the transitions of work orders; a unit's own only
    "numbers",  # a full number, with a stated reason that is recorded
    "recordings",  # listen to a recording, with a stated reason that is recorded
    "prompts",  # replace what callers hear
    "test_calls",  # place a real call to see that everything works
    "audit",  # read the audit trail
    "accounts",  # make, disable and reset accounts and tokens
]
ACTS: frozenset[Act] = frozenset(get_args(Act))
ROLES: tuple[Role, ...] = get_args(Role)

_ANYBODY: frozenset[Act] = frozenset({"screen", "phone"})
_STAFF: frozenset[Act] = _ANYBODY | {"board"}
_OPERATOR: frozenset[Act] = _STAFF | {"read", "desk", "line", "listen", "three_way", "orders", "numbers", "recordings", "placed_calls"}
_SUPERVISOR: frozenset[Act] = _OPERATOR | {"sessions", "seats", "whisper", "barge", "prompts", "test_calls", "audit", "units"}

TABLE: Mapping[Role, frozenset[Act]] = {
    "citizen": _ANYBODY,
    "operator": _OPERATOR,
    "leader": _STAFF | {"read", "lead", "seats"},
    "handler": _STAFF | {"own_orders", "orders"},
    "supervisor": _SUPERVISOR,
    "administrator": ACTS,
}

#: Roles that are bound to one unit: other units' orders and seats are not there for them.
OF_ONE_UNIT: frozenset[Role] = frozenset({"leader", "handler"})


def may(role: Role, act: Act) -> bool:
    """The cell of the table."""
    return act in TABLE[role]
