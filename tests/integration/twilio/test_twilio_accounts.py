"""The ledger against the cloud's own list of calls: who is missing is named, with what is known of them."""

import asyncio
import json
import os
from typing import Any

import httpx
import pytest

from api.routes import proof
from cli.parts import hotline_argv
from telephony.twilio import connection
from telephony.twilio.exchange import call_id_of
from tests.cloud import When
from tests.cloud.mischief import Drop, Rule
from tests.integration.twilio.town import ADMIN, NUMBER, Town, said
from tests.servers import free_port


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The double's clock runs ahead of ours."""
    monkeypatch.setattr(proof, "SETTLED_S", -24 * 3600.0)


async def _check(here: Town) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {ADMIN}"}
    query = {"session_id": here.session_id}
    async with httpx.AsyncClient(trust_env=False, base_url=here.settings.effective_public_url, headers=headers) as api:
        found: dict[str, Any] = (await api.get("/api/ledger/check", params=query)).json()
        return found


async def _command(here: Town) -> tuple[int, bool, list[str]]:
    """`hotline ledger check`: its exit status, whether it found the ledger complete, and the calls it misses."""
    settings = here.settings
    environment = {
        **os.environ,
        "HOTLINE_STATE_DIR": str(settings.state_dir),
        "HOTLINE_PUBLIC_URL": settings.effective_public_url,
        "HOTLINE_HTTP_PORT": str(settings.http_port),
        "HOTLINE_ADMIN_TOKEN": ADMIN,
    }
    argv = (*hotline_argv(), "ledger", "check", "--session", here.session_id, "--json")
    process = await asyncio.create_subprocess_exec(*argv, env=environment, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    found = json.loads(told)
    return process.returncode or 0, found["complete"], [one["call_id"] for one in found["missing"]]


async def test_a_call_that_only_the_cloud_knows_is_named_with_what_is_known(
    here: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await here.open_session()
    leg = here.call(When(said("choose_free"), hang_up=True))
    assert await here.outcome(leg) == "abandoned"
    whole = await _check(here)
    assert (whole["complete"], whole["cloud"], whole["cloud_records"], whole["missing"]) == (True, "ok", 1, [])
    assert await _command(here) == (0, True, [])
    with monkeypatch.context() as away:
        away.setattr(here.settings, "twilio_api_url", f"http://127.0.0.1:{free_port()}")
        assert await _command(here) == (1, False, [])

    here.cloud.mischief.add(Rule(r"/twilio/", Drop()))
    lost = here.call()
    await lost.ended()
    here.cloud.errors.clear()  # it complained that nobody answered, as it should
    found = await _check(here)
    assert (found["complete"], found["cloud_records"], found["unaccounted"]) == (False, 2, [])
    (missing,) = found["missing"]
    assert (missing["call_id"], missing["carrier"], missing["last_kind"]) == (call_id_of(lost.sid), "twilio", "")
    assert (missing["told"], missing["started_at"] != "") == (lost.status, True)
    assert lost.parties.from_.removeprefix("+86") not in str(found)
    assert await _command(here) == (1, False, [missing["call_id"]])

    monkeypatch.setattr("tests.cloud.rest.calls.rfc2822", lambda moment: "the other day" if moment else None)
    found = await _check(here)
    assert [(one["call_id"], one["started_at"]) for one in found["missing"]] == [(missing["call_id"], None)]


async def test_the_clouds_list_is_read_to_its_last_page(here: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST_CALLS", 2)
    legs = [here.call(When(said("closed_now"), hang_up=True)) for _ in range(5)]
    assert await here.ended(legs) == ["abandoned"] * 5
    assert here.parts is not None
    listed = await here.parts.exchange.connection.calls_to(NUMBER, "2020-01-01")
    assert {call.sid for call in listed} == {leg.sid for leg in legs}
    assert all(call.started_at for call in listed)
