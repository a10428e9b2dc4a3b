"""Sign-in through an OpenID Connect provider: authorization code with PKCE, state and nonce. Nobody is let in who has no
account here."""

import secrets
from typing import Any, cast
from urllib.parse import urljoin

import httpx
import msgspec
from authlib.common.security import generate_token
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import Struct
from redis.asyncio import Redis

from config.clock import Clock
from config.settings import Settings

#: A person has this long to sign in over there.
PATIENCE_S = 600
ANSWER_S = 8.0
#: Clocks of two systems are never the same.
LEEWAY_S = 60
#: Signatures by a key of the provider only; never `none`, never a shared secret.
ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"]


class ProviderRefused(Exception):
    """The provider's answer cannot be trusted, or it says no. The message holds nothing from outside."""


class ProviderAway(Exception):
    """The provider does not answer."""


class Begun(Struct, frozen=True):
    """What we remember while the person is over there."""

    nonce: str
    verifier: str
    after: str
    #: Digest of a cookie of the browser that began: another browser cannot finish it.
    browser: str


class Person(Struct, frozen=True):
    """Who the provider says it is."""

    subject: str
    login: str
    #: Where to go now.
    after: str


class Provider:
    """One provider, found by its issuer's discovery document."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis, self._settings, self._clock = redis, settings, clock
        #: Providers differ in whether their issuer ends with a slash; people who set it do, too.
        self._issuer = settings.oidc_issuer.rstrip("/")
        self.redirect_uri = f"{settings.effective_public_url}/sign-in/oidc/callback"

    async def begin(self, after: str, browser: str) -> str:
        """The address to send the browser to. Raises ProviderAway, ProviderRefused."""
        found = await self._discover()
        state, begun = secrets.token_urlsafe(24), Begun(generate_token(32), generate_token(64), after, browser)
        await self._redis.set(self._key(state), msgspec.json.encode(begun).decode(), ex=PATIENCE_S)
        uri: str = prepare_grant_uri(
            found["authorization_endpoint"], self._settings.oidc_client_id, "code",
            redirect_uri=self.redirect_uri, scope="openid profile email", state=state, nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(begun.verifier), code_challenge_method="S256",
        )  # fmt: skip
        return uri

    async def finish(self, state: str, code: str, browser: str) -> Person:
        """Who came back with this code. Raises ProviderAway, ProviderRefused."""
        kept = await self._redis.getdel(self._key(state))
        if not kept:
            raise ProviderRefused("this sign-in was not begun here, or took too long")
        begun = msgspec.json.decode(kept, type=Begun)
        if not secrets.compare_digest(begun.browser.encode(), browser.encode()):
            raise ProviderRefused("this sign-in was begun in another browser")
        found = await self._discover()
        answer = await self._ask("POST", found["token_endpoint"], data=self._grant(code, begun.verifier))
        claims = self._read(
            str(answer.get("id_token", "")), await self._ask("GET", found["jwks_uri"]), begun.nonce, found["issuer"]
        )
        login = claims.get(self._settings.oidc_claim)
        return Person(f"{self._issuer}#{claims['sub']}"[:255], login if isinstance(login, str) else "", begun.after)

    def _grant(self, code: str, verifier: str) -> dict[str, str]:
        settings = self._settings
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri,
            "client_id": settings.oidc_client_id, "code_verifier": verifier,
        }  # fmt: skip
        if secret := settings.oidc_client_secret.get_secret_value():
            form["client_secret"] = secret
        return form

    def _read(self, id_token: str, keys: dict[str, Any], nonce: str, issuer: str) -> dict[str, Any]:
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock()), leeway=LEEWAY_S,
            iss={"essential": True, "value": issuer}, sub={"essential": True}, exp={"essential": True},
            aud={"essential": True, "value": self._settings.oidc_client_id}, nonce={"essential": True, "value": nonce},
        )  # fmt: skip
        try:
            token = jwt.decode(id_token, KeySet.import_key_set(cast(Any, keys)), algorithms=ALGORITHMS)
            registry.validate(token.claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise ProviderRefused("the provider's token is not valid") from error
        return dict(token.claims)

    async def _discover(self) -> dict[str, str]:
        found = await self._ask("GET", f"{self._issuer}/.well-known/openid-configuration")
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if str(found.get("issuer", "")).rstrip("/") != self._issuer or not all(found.get(name) for name in wanted):
            raise ProviderRefused("the provider describes itself wrongly")
        places = {name: urljoin(f"{self._issuer}/", str(found[name])) for name in wanted}
        # As it calls itself: so it stands in its tokens, letter by letter.
        return {**places, "issuer": str(found["issuer"])}

    async def _ask(self, method: str, url: str, data: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_S) as http:
                answer = await http.request(method, url, data=data)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ProviderAway("the identity provider does not answer") from error
        if not answer.is_success:
            raise ProviderRefused("the provider refused")
        try:
            return msgspec.json.decode(answer.content, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise ProviderRefused("the provider's answer is not JSON") from error

    def _key(self, state: str) -> str:
        return f"{self._settings.redis_prefix}oidc:{state[:64]}"
