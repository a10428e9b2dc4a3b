"""One installation with both carriers: a real Asterisk, and the cloud's double on the other side of the webhooks."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ivr.wording import render
from tests.cloud import Cloud
from tests.integration.twilio.town import ACCOUNT, NUMBER, TOKEN
from tests.servers import free_port
from tests.system.brief import LANGUAGE, Brief
from tests.system.installation import PARTS, Installation
from tests.system.played import Played, watched
from tests.system.watch import BRISK


@dataclass(frozen=True, slots=True)
class Both:
    """`played`: what Asterisk's callers hear; the cloud's have their transcripts. `brief`: the sentences."""

    house: Installation
    cloud: Cloud
    played: Played
    brief: Brief


@asynccontextmanager
async def both_carriers(
    folder: Path,
    settings: Mapping[str, str],
    *,
    speed: float = 20.0,
    parts: tuple[str, ...] = PARTS,
    fetches: bool = False,
) -> AsyncIterator[Both]:
    """`speed`: the cloud's virtual seconds in a real one. Sentences are blips; those of the cloud too when it `fetches` them from
    us, else it speaks them by itself."""
    port, brief = free_port(), Brief(folder / "brief")
    async with Cloud(account_sid=ACCOUNT, auth_token=TOKEN, speed=speed) as cloud:
        cloud.read_aloud = lambda url: render(prompt, LANGUAGE) if (prompt := brief.prompt(url)) else url
        account = {
            **subscribed(cloud, port),
            **({"HOTLINE_PUBLIC_URL": f"http://127.0.0.1:{port}"} if fetches else {}),
        }
        async with (
            Installation(folder / "hotline", brief.folder, {**BRISK, **account, **settings}, parts) as house,
            watched(house, brief) as played,
        ):
            yield Both(house, cloud, played, brief)


def subscribed(cloud: Cloud, port: int) -> dict[str, str]:
    """The settings of an installation whose api listens at this port and is at this cloud; the cloud knows its URLs."""
    base = f"http://127.0.0.1:{port}/twilio"
    cloud.own(NUMBER, voice_url=f"{base}/voice", status_url=f"{base}/status", fallback_url=f"{base}/fallback")
    return {
        "HOTLINE_HTTP_PORT": str(port), "HOTLINE_TWILIO_ACCOUNT_SID": ACCOUNT, "HOTLINE_TWILIO_AUTH_TOKEN": TOKEN,
        "HOTLINE_TWILIO_NUMBER": NUMBER, "HOTLINE_TWILIO_API_URL": cloud.api_url,
    }  # fmt: skip
