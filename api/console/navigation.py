"""The menu: pages in their order, each shown to who may see it, and only where this instance has it."""

from fastapi import Request
from msgspec import Struct

from api.accounts.acts import Act
from api.accounts.principal import Principal


class Entry(Struct, frozen=True):
    """One line of the menu. `key` names it in the catalogue as `nav.<key>`."""

    key: str
    path: str
    acts: tuple[Act, ...]


MENU = (
    Entry("board", "/board", ("board",)),
    Entry("desk", "/desk", ("desk",)),
    Entry("leader", "/leader", ("lead",)),
    Entry("sessions", "/sessions", ("read",)),
    Entry("orders", "/orders", ("read", "own_orders")),
    Entry("units", "/units", ("units",)),
    Entry("prompts", "/prompts", ("prompts",)),
    Entry("audit", "/audit", ("audit",)),
    Entry("accounts", "/accounts", ("accounts",)),
    Entry("phone", "/phone", ("phone",)),
)


def entries(request: Request, who: Principal) -> list[Entry]:
    """What `who` finds in the menu."""
    there: set[str] = request.app.state.pages
    return [entry for entry in MENU if entry.path in there and any(who.may(act) for act in entry.acts)]


def first_page(request: Request, who: Principal) -> str:
    """Where somebody goes who has signed in."""
    mine = {"operator": "/desk", "leader": "/leader", "handler": "/orders", "supervisor": "/sessions"}
    wanted = mine.get(who.role, "/sessions")
    known = [entry.path for entry in entries(request, who)]
    return wanted if wanted in known else next(iter(known), "/")
