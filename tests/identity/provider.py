"""The provider: discovery, authorization with PKCE, token, keys. `mischief` makes its next token wrong in one way."""

import base64
import hashlib
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Form, Request
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.responses import JSONResponse, RedirectResponse, Response

from tests.servers import free_port


class IdentityProvider:
    """One client, one person. Codes work once, with the verifier that belongs to their challenge."""

    def __init__(self, client_id: str, redirect_uri: str) -> None:
        self.port = free_port()
        self.client_id, self.redirect_uri = client_id, redirect_uri
        self.person = {"sub": "248289761001", "preferred_username": "op"}
        self.mischief: dict[str, Any] = {}
        self.key = RSAKey.generate_key(2048, {"kid": "k1"}, private=True)
        self.wrong_key = RSAKey.generate_key(2048, {"kid": "k1"}, private=True)
        self.sign_with_wrong_key = False
        #: What some providers put behind their own name, in the description and in every token.
        self.ending = ""
        self._codes: dict[str, dict[str, str]] = {}
        self.app = FastAPI()
        self.app.get("/.well-known/openid-configuration")(self.describe)
        self.app.get("/authorize")(self.authorize)
        self.app.post("/token")(self.token)
        self.app.get("/jwks")(self.keys)
        self.server = uvicorn.Server(uvicorn.Config(self.app, port=self.port, log_config=None))

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def describe(self) -> Response:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        return JSONResponse({"issuer": self.issuer + self.ending, **{k: f"{self.issuer}/{v}" for k, v in names.items()}})

    async def keys(self) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        """The person agrees at once."""
        asked = dict(request.query_params)
        wanted = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect_uri,
            "code_challenge_method": "S256",
        }  # fmt: skip
        good = all(asked.get(name) == value for name, value in wanted.items())
        good = good and "openid" in asked.get("scope", "").split() and len(asked.get("code_challenge", "")) == 43
        if not good or not asked.get("state") or not asked.get("nonce"):
            return JSONResponse({"error": "invalid_request"}, 400)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return RedirectResponse(f"{self.redirect_uri}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    async def token(
        self, grant_type: str = Form(), code: str = Form(), redirect_uri: str = Form(), client_id: str = Form(),
        code_verifier: str = Form(),
    ) -> Response:  # fmt: skip
        asked = self._codes.pop(code, None)
        digest = hashlib.sha256(code_verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or (grant_type, redirect_uri, client_id) != ("authorization_code", self.redirect_uri, self.client_id)
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.issuer + self.ending, "aud": self.client_id, "iat": now, "exp": now + 60, "nonce": asked["nonce"],
            **self.person, **self.mischief,
        }  # fmt: skip
        key = self.wrong_key if self.sign_with_wrong_key else self.key
        token = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, key)
        return JSONResponse({"access_token": "unused", "token_type": "Bearer", "id_token": token})
