"""Recorded prompts and hold music from our own server, under addresses that are signed and expire."""

from array import array

import httpx

from ivr.verbs import Prompt
from telephony.music import write_music
from telephony.sound import write_wav
from tests.cloud import When
from tests.integration.twilio.town import Town

SOUND = array("h", [1000, -1000] * 4000)


def _record(here: Town, *prompts: Prompt) -> list[str]:
    """Half a second of sound for each; the names under which they are served."""
    assert here.parts is not None
    paths = [here.parts.exchange.prompts.path(prompt, here.settings.language) for prompt in prompts]
    for path in paths:
        write_wav(path, SOUND)
    return [path.name for path in paths]


async def test_prompts_and_music_are_played_from_our_server_and_fetched_by_the_cloud(here: Town) -> None:
    await here.open_session()
    await here.core.seats.pause(here.seat_id, "away")
    write_music(here.settings.state_dir / "moh" / "hold.wav")
    greeting, choice = _record(here, Prompt("greeting", {"city": here.settings.city}), Prompt("choose_line"))
    leg = here.call(When(choice, press="1"))
    await here.at(leg, "waiting")
    await leg.heard("/music/0.wav")
    await leg.heard("/music/1.wav")
    played = [heard.text for heard in leg.transcript if heard.kind == "play"]
    assert greeting in played[0]
    assert any(heard.kind == "say" for heard in leg.transcript), "what has no sound is spoken by the cloud's voice"
    leg.hang_up()
    assert await here.outcome(leg) == "abandoned"


async def test_an_address_that_was_changed_or_has_expired_is_not_served(here: Town) -> None:
    assert here.parts is not None
    exchange = here.parts.exchange
    (name,) = _record(here, Prompt("goodbye"))
    good = exchange.addresses.sound(exchange.prompts.folder / here.settings.language / name)
    head, expires, signature, folder, file = good.rsplit("/", 4)
    wrong = [
        f"{head}/{int(expires) + 1}/{signature}/{folder}/{file}",
        f"{head}/1000/{signature}/{folder}/{file}",
        f"{head}/{expires}/{'0' * len(signature)}/{folder}/{file}",
        f"{head}/{expires}/{signature}/en/{file}",
        f"{head}/{expires}/{signature}/{folder}/..%2f..%2fhotline.db",
    ]
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(good)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "audio/wav"
        assert answer.headers["cache-control"] == "public, max-age=86400", "the cloud's caches are shared"
        assert answer.content.startswith(b"RIFF")
        assert {(await client.get(url)).status_code for url in wrong} <= {404, 422}
