"""Everything about people in one process: logins, links, accounts, tokens, the audit trail; and the cookie."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from api.accounts.audit import Trail
from api.accounts.links import Links
from api.accounts.logins import Login, Logins
from api.accounts.oidc import Provider
from api.accounts.register import Accounts
from api.accounts.throttle import Throttle
from api.accounts.tokens import ApiTokens
from calls.assembly import Core
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class Gate:
    """Made once per process."""

    settings: Settings
    logins: Logins
    links: Links
    accounts: Accounts
    tokens: ApiTokens
    trail: Trail
    throttle: Throttle
    provider: Provider | None

    @property
    def is_secure(self) -> bool:
        """People reach us by https."""
        return self.settings.effective_public_url.startswith("https:")

    @property
    def cookie(self) -> str:
        """Its name. Browsers do not tell ports apart, so that two instances on one machine need two names."""
        prefix = "__Host-" if self.is_secure else ""
        return f"{prefix}hotline-{self.settings.http_port}"

    def hosts(self, request: Request) -> set[str]:
        """Names under which our own pages may be loaded."""
        return {urlsplit(self.settings.effective_public_url).netloc, request.headers.get("host", "")}

    async def login_of(self, request: Request) -> Login | None:
        """Who is signed in, if anybody."""
        value = request.cookies.get(self.cookie, "")
        return await self.logins.find(value) if value else None

    async def sign_out(self, request: Request) -> None:
        """End the login that came with the request."""
        if value := request.cookies.get(self.cookie, ""):
            await self.logins.end(value)

    def set_cookie(self, response: Response, value: str) -> None:
        """For the browser only, never for scripts or other sites; it ends with the browser."""
        response.set_cookie(self.cookie, value, httponly=True, secure=self.is_secure, samesite="lax", path="/")

    def clear_cookie(self, response: Response) -> None:
        response.delete_cookie(self.cookie, httponly=True, secure=self.is_secure, samesite="lax", path="/")


def assemble_gate(core: Core) -> Gate:
    """Connects to nothing yet."""
    settings, clock = core.settings, core.clock
    logins = Logins(core.redis, settings, clock)
    return Gate(
        settings=settings,
        logins=logins,
        links=Links(core.redis, settings),
        accounts=Accounts(core.database, logins, clock),
        tokens=ApiTokens(core.database, clock),
        trail=Trail(core.database, clock),
        throttle=Throttle(core.redis, settings),
        provider=Provider(core.redis, settings, clock) if settings.oidc_issuer else None,
    )
