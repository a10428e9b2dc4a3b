"""Is a webhook the cloud's, and about our account? Decides only; it answers nothing and logs nothing."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from twilio.request_validator import RequestValidator

#: A webhook has some twenty parameters; whoever sends more wants something else.
PARAMETERS_MAX = 200


class Form:
    """The parameters of a webhook, in the shape in which the official validator reads them."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getlist(self, name: str) -> list[str]:
        """All values of a parameter."""
        return self._values[name]

    def get(self, name: str) -> str:
        """The first value; empty when there is none."""
        values = self._values.get(name)
        return values[0] if values else ""


def read_form(body: bytes) -> Form:
    """The form of a body. Raises ValueError for one with too many parameters; what is no UTF-8 is replaced."""
    text = body.decode("utf-8", "replace")
    return Form(parse_qsl(text, keep_blank_values=True, max_num_fields=PARAMETERS_MAX, errors="replace"))


class Signatures:
    """Checks against the URL that is configured as public: behind a proxy, the URL a process sees is another one."""

    def __init__(self, account_sid: str, auth_token: str, public_url: str) -> None:
        self._account_sid, self._token = account_sid, auth_token
        self._validator: Any = RequestValidator(auth_token)
        self._public_url = public_url.rstrip("/")

    def signs_form(self, target: str, form: Form, signature: str) -> bool:
        """`target`: path and query as they were requested. False also for a webhook of another account."""
        if not self._can_check(signature) or form.get("AccountSid") != self._account_sid:
            return False
        return bool(self._validator.validate(self._public_url + target, form, signature))

    def signs_json(self, target: str, body: bytes, signature: str) -> bool:
        """A JSON body is signed by its digest in the URL; without one it is not signed at all."""
        if not self._can_check(signature) or "bodySHA256" not in parse_qs(urlsplit(target).query):
            return False
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return bool(self._validator.validate(self._public_url + target, text, signature))

    def sign(self, target: str, form: Form) -> str:
        """The signature the cloud would send: for `hotline twilio check`."""
        return str(self._validator.compute_signature(self._public_url + target, form))

    def _can_check(self, signature: str) -> bool:
        return bool(self._account_sid and self._token and signature) and signature.isascii() and len(signature) <= 200
