"""Every URL that leaves for the cloud. None holds a number or a word: a call's id, its scene and counters only."""

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

from config.clock import Clock
from config.secrets import secret
from config.settings import Settings
from ivr.call import Call

Step = Literal[
    "voice",  # a call arrives
    "present",  # say what is to be heard now
    "keys",  # keys were pressed
    "silence",  # nothing was pressed in time
    "hold",  # a piece of hold music is over: the caller's sign of life
    "awaited",  # look whether what is awaited has come
    "recorded",  # a message ended
    "dialled",  # the leg to the leader or the operators is over
    "whisper",  # the other side took the call
    "confirm",  # it was asked to press 1
    "joined",  # the whisper is over: put them through
    "leg",  # the other side's leg changed
    "recording",  # a recording is ready, or will never be
    "status",  # the call changed
    "fallback",  # something of ours did not answer
    "fallback-recorded",  # the message left there
]

#: The cloud by itself tries again only what it could not connect to. Ours may be tried again whatever went wrong: the scene
#: in the URL makes a repetition harmless, and a leader whose leg fails would be rung twice. All attempts together have 15 s:
#: one that cannot connect, or does not answer (a turn may take webhooks.TURN_WITHIN_S), leaves time for the next.
TRIED_AGAIN = "#rc=2&rp=5xx,ct,rt&ct=2000&rt=9000"
#: A signed address stays the same for a day, so that the cloud keeps the sound; it is good for a day more.
DAY_S = 86_400
_SIGNATURE_LENGTH = 32


class Addresses:
    """Addresses under the public URL. Signed ones can be checked by any process of this instance."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._base = settings.effective_public_url
        self._fallback_url = settings.twilio_fallback_url or f"{self._base}/twilio/fallback"
        self._key = secret(settings, "prompt_urls").encode()
        self._clock = clock

    def plain(self, step: Step) -> str:
        """The URL of a step without a query."""
        return f"{self._base}/twilio/{step}"

    def step(self, step: Step, query: Mapping[str, str | int]) -> str:
        """The URL of a step, to be tried again when its answer is lost."""
        return f"{self.plain(step)}?{urlencode(query)}{TRIED_AGAIN}"

    def turn(self, step: Step, call: Call, **more: str | int) -> str:
        """The URL of a step in the scene that this call is in now. `more`: ids and counters only."""
        of = {"of": call.id.removeprefix("t-")} if call.leg else {}
        return self.step(step, {"scene": call.scene, "seq": call.seq, **of, **more})

    def fallback(self, call: Call) -> str:
        """Where the cloud turns when it does not get what a live call is to hear now: as the number is set up, for this call."""
        base, _, fragment = self._fallback_url.partition("#")
        _, _, query = self.turn("fallback", call).partition("#")[0].partition("?")
        return f"{base}{'&' if '?' in base else '?'}{query}{f'#{fragment}' if fragment else TRIED_AGAIN}"

    def sound(self, path: Path) -> str:
        """The URL of a prompt: `<language>/<hash>.wav` in the prompts' folder."""
        return self._signed(f"{path.parent.name}/{path.name}")

    def music(self, piece: int) -> str:
        """The URL of one piece of the hold music."""
        return self._signed(f"music/{piece}.wav")

    def is_signed(self, expires: int, signature: str, name: str) -> bool:
        """True for an address that we gave out and that has not expired."""
        return expires > self._clock() and hmac.compare_digest(self._signature(expires, name), signature)

    def _signed(self, name: str) -> str:
        expires = (int(self._clock()) // DAY_S + 2) * DAY_S
        return f"{self._base}/twilio/prompts/{expires}/{self._signature(expires, name)}/{name}"

    def _signature(self, expires: int, name: str) -> str:
        digest = hmac.new(self._key, f"{expires}/{name}".encode(), hashlib.sha256)
        return digest.hexdigest()[:_SIGNATURE_LENGTH]
