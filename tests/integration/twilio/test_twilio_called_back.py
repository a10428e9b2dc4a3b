"""Who is called back, and who comes by the fallback URL, with everything that networks do to webhooks: the same comes of it."""

from pathlib import Path

import pytest

from config.settings import Settings
from telephony.twilio.exchange import call_id_of
from tests.cloud import Callee, When
from tests.cloud.leg import Leg
from tests.cloud.mischief import Drop, Forge, Rule
from tests.integration.twilio.town import LEADER, Town, said, town
from tests.integration.twilio.weather import MISCHIEF, assert_copies_heard_the_same, brew
from tests.performed import performed
from tests.servers import redis_server
from tests.waiting import until

TAKES_IT, DOES_NOT, BY_FALLBACK = "+8613812345671", "+8613812345672", "+8613812345673"
#: TAKES_IT, as people key it in.
KEYED = "13812345671#"


async def _keep_places(here: Town) -> list[Leg]:
    """Callers who asked to be called back, in this order: the first withholds the number and keys it in, the voice URL of the last
    one's leg is never reached."""
    await here.open_session()
    await here.core.seats.pause(here.seat_id, "away")
    legs = []
    for number in ("anonymous", DOES_NOT, BY_FALLBACK):
        keeps = (When("请按一", press="1"), When("请按三", press="3", after_s=40), When("联系电话", press=KEYED))
        legs.append(here.call(*keeps, number=number))
        await here.at(legs[-1], "waiting", 30.0)
    for leg in legs:
        await here.at(leg, "kept", 30.0)
        await leg.ended(30.0)
    here.cloud.mischief.add(Rule(rf"/twilio/voice\?.*{legs[-1].sid}", Drop()), Rule(r"/twilio/fallback\?", Forge()))
    return legs


def _rung(here: Town, number: str) -> list[Leg]:
    return [leg for leg in here.cloud.calls.values() if leg.parties.to == number]


@pytest.mark.parametrize("mischief", MISCHIEF, ids=lambda name: name.replace(" ", "_"))
async def test_the_same_comes_of_it_with_webhooks(
    mischief: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telephony.twilio.bridge.SWEEP_EVERY_S", 0.5)
    with redis_server(tmp_path) as server:
        mine = Settings(redis_url=server.url, state_dir=tmp_path / "state", _env_file=None)
        async with town(mine, twilio_silence_s=2.0) as here:
            here.cloud.calls_per_second = 1000.0
            here.cloud.callees[TAKES_IT] = here.cloud.callees[BY_FALLBACK] = Callee(script=(When("请按一", press="1"),))
            here.cloud.callees[DOES_NOT] = Callee(outcome="no-answer")
            here.cloud.callees[LEADER] = Callee(script=(When("", press="1"),), talk_s=20)
            brew(here.cloud, mischief)
            takes_it, does_not, by_fallback = await _keep_places(here)
            await here.core.seats.resume(here.seat_id)
            await here.at(takes_it, "talking", 30.0)
            await here.at(takes_it, "ended", 30.0)
            await here.at(does_not, "ended", 30.0)
            await here.at(by_fallback, "ended", 30.0)
            assert here.spool_files() == [], "who went on by the fallback URL left no message"
            (back,) = _rung(here, BY_FALLBACK)
            assert any("/twilio/fallback?" in one.request.url for one in here.cloud.sent if one.request.call_sid == back.sid)
            assert {one.answer.status for one in here.cloud.webhooks.forgeries if one.answer} == {403}

            here.cloud.mischief.add(Rule(r"/twilio/voice", Drop()))
            server.kill()
            apologised = here.call(When(said("fallback_sorry"), speak_s=11))
            await apologised.ended(60.0)
            server.start()
            assert await here.outcome(apologised, 60.0) == "fallback"
            await until(lambda: not here.spool_files(), 20.0, "the spool is empty")

            orders = {order.call_id: order.source for order in await here.orders(4)}
            rung = [len(_rung(here, number)) for number in (TAKES_IT, DOES_NOT, BY_FALLBACK, LEADER)]
            await performed(here.core)
            summary = await here.core.ledger.summary(here.session_id)
            recordings = [len(await here.recordings(leg)) for leg in (takes_it, does_not, by_fallback, apologised)]
    assert orders == {
        call_id_of(takes_it.sid): "talked", call_id_of(does_not.sid): "callback", call_id_of(by_fallback.sid): "talked",
        call_id_of(apologised.sid): "fallback",
    }  # fmt: skip
    assert rung == [1, 2, 1, 2]
    assert recordings == [1, 0, 1, 1]
    assert (summary.calls, summary.unaccounted) == (4, ())
    assert summary.outcomes == {"callback": 3, "fallback": 1}
    assert {error.code for error in here.cloud.errors} <= {11205}, "what was dropped, and no fault of ours"
    assert_copies_heard_the_same(here.cloud, mischief)
