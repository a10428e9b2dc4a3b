"""Whoever asks: an account that is signed in, a token, or nobody in particular."""

from msgspec import Struct

from api.accounts.acts import OF_ONE_UNIT, TABLE, Act, Role


class Principal(Struct, frozen=True):
    """`name` goes into the ledger and the audit trail; it is a login or a token's name, never a citizen."""

    name: str
    scopes: frozenset[Act]
    role: str = "token"
    #: Empty = every unit.
    unit: str = ""
    account_id: str = ""
    #: What the page calls this person.
    display: str = ""

    def may(self, act: Act) -> bool:
        return act in self.scopes

    def reaches(self, unit: str) -> bool:
        """What belongs to this unit is this principal's business. A role of one unit without a unit reaches nothing."""
        return self.role not in OF_ONE_UNIT or (bool(self.unit) and self.unit == unit)


CITIZEN = Principal("", TABLE["citizen"], "citizen")


def of_role(login: str, role: Role, *, unit: str = "", account_id: str = "", display: str = "") -> Principal:
    """The principal of an account."""
    return Principal(login, TABLE[role], role, unit if role in OF_ONE_UNIT else "", account_id, display or login)
