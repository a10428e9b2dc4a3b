"""X-Twilio-Signature, written from its description and not from the twilio library, so that either checks the other.

https://www.twilio.com/docs/usage/security#validating-requests
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode


def sign(auth_token: str, url: str, params: Mapping[str, str]) -> str:
    """Sign a form (or, with no parameters, a GET): HMAC-SHA1 of the URL and the sorted name-value pairs, base64."""
    signed = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def with_body_hash(url: str, body: bytes) -> str:
    """The URL under which a JSON body is posted: `bodySHA256` added, hexadecimal. The URL alone is signed then."""
    joint = "&" if "?" in url else "?"
    return url + joint + urlencode({"bodySHA256": hashlib.sha256(body).hexdigest()})
