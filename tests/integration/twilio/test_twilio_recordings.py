"""Messages and talks recorded by the cloud: fetched, checked, deleted there; one that never comes is reported."""

import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import select

from config.settings import Settings
from jobs import cloud_recordings
from jobs.recordings import finish
from telephony.twilio.exchange import call_id_of
from telephony.twilio.spool import Spool
from telephony.twilio.spool import sweep as sweep_spool
from tests.cloud import When
from tests.cloud.audio import recorded
from tests.cloud.leg import Leg
from tests.cloud.mischief import Drop, Rule
from tests.cloud.recordings import Recording as Kept
from tests.cloud.rest.troubles import Trouble
from tests.integration.twilio.town import ACCOUNT, LEADER, NUMBER, TOKEN, WILLING, Town, said, town
from tests.parts import start_part
from tests.waiting import until
from workorders import register
from workorders.intake import NewOrder, make_order
from workorders.model import Recording, WorkOrder
from workorders.register import history

#: Midnight before a Thursday: as text, "Thu" comes before "Wed".
THURSDAY = datetime(2026, 11, 19, tzinfo=UTC).timestamp()
FETCHES = "rq:job:fetch_recording-*"


async def _recordings(here: Town) -> list[Recording]:
    async with here.core.database.read() as session:
        return list(await session.scalars(select(Recording).order_by(Recording.name)))


async def _declined(here: Town) -> tuple[Leg, WorkOrder]:
    await here.core.seats.pause(here.seat_id, "away")
    leg = here.call(
        When(said("choose_line"), press="2"), When("提示音", speak_s=9), When(said("order_repeat"), hang_up=True)
    )
    assert await here.outcome(leg) == "work_order"
    return leg, await here.order(leg)


async def _fetch_all(here: Town) -> None:
    """What the worker does with the jobs that the notices enqueued."""
    parts = here.parts
    assert parts is not None
    await here.cloud.quiet()

    async def enqueued() -> list[str]:
        return [one async for one in here.core.redis.scan_iter(FETCHES)]

    for key in await until(enqueued, 15.0, "the job"):
        argument = key.removeprefix("rq:job:fetch_recording-").rpartition("-")[0]

        async def fetched(argument: str = argument) -> bool:
            sid, name = argument[:34], argument[35:]
            return await cloud_recordings.fetch(here.core, parts.exchange.connection, sid, name) != "later"

        await until(fetched, 20.0, "the recording")


async def _sweep(here: Town, later_s: float = 0.0) -> int:
    """What cron has the worker do, `later_s` from now; how many jobs came of it. Jobs of before were done, or lost."""
    assert here.parts is not None
    await here.core.redis.delete("-", *[one async for one in here.core.redis.scan_iter(FETCHES)])
    core = replace(here.core, clock=lambda: here.core.clock() + later_s)
    return await cloud_recordings.sweep(core, here.parts.exchange.connection)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_recordings, "NOTICE_WITHIN_S", 0.0)
    monkeypatch.setattr(cloud_recordings, "FIRST_PAUSE_S", 0.05)


async def test_a_message_is_fetched_checked_and_deleted_at_the_cloud(here: Town) -> None:
    """The first time half of it comes, the second time nothing: what is kept is whole."""
    await here.open_session()
    leg, order = await _declined(here)
    here.cloud.troubles.add(Trouble(r"GET .*\.wav$", "cut"), Trouble(r"GET .*\.wav$", "before"))
    await _fetch_all(here)
    await finish(here.core.database, here.settings, order.id)
    (recording,) = await _recordings(here)
    assert (recording.state, recording.order_id) == ("ready", order.id)
    assert recording.duration_s == pytest.approx(9 + here.settings.message_silence_s, abs=2)
    (kept,) = here.cloud.recordings.kept.values()
    assert recording.sha256 == hashlib.sha256(recorded(kept.duration, kept.channels)).hexdigest()
    assert "8000 Hz" in recording.format
    assert (here.settings.recordings / recording.path).is_file()
    assert not await here.cloud_recordings(leg)


async def test_a_recording_in_which_nobody_spoke_is_deleted_at_the_cloud_and_left_nowhere(here: Town) -> None:
    """Asked for twice, and no notice of either comes: the order is one without a message, and no file stays behind."""
    here.cloud.mischief.add(Rule(r"/twilio/recording\?", Drop()))
    await here.open_session()
    await here.core.seats.pause(here.seat_id, "away")
    leg = here.call(When(said("choose_line"), press="2"), When(said("order_repeat"), hang_up=True))
    assert await here.outcome(leg) == "work_order"
    order = await here.order(leg)
    assert [(one.state, one.source) for one in here.cloud.recordings.kept.values()] == [("completed", "RecordVerb")] * 2
    await _fetch_all(here)
    assert [one.state for one in here.cloud.recordings.kept.values()] == ["deleted"] * 2
    assert (await _recordings(here), list(here.settings.recordings.glob("*"))) == ([], [])
    assert await finish(here.core.database, here.settings, order.id) == "dispatched"
    (about, _) = here.cloud.recordings.kept
    name = next(fact.data["recording"] for fact in await here.core.ledger.events(call_id_of(leg.sid)) if fact.kind == "no_words")
    assert here.parts is not None
    again = await cloud_recordings.fetch(here.core, here.parts.exchange.connection, about, str(name))
    assert again == "silent", "and a job that comes again waits for nothing"
    assert await _sweep(here, 3600) == 0


async def test_a_worker_fetches_what_is_there_and_reports_what_the_cloud_says_will_never_be(here: Town) -> None:
    """The notices' jobs, done by `hotline worker`, which asks the cloud by itself."""
    mine = here.settings
    worker = start_part(
        "worker",
        environment=os.environ
        | {
            "HOTLINE_REDIS_URL": mine.redis_url, "HOTLINE_STATE_DIR": str(mine.state_dir), "HOTLINE_ASTERISK": "off",
            "HOTLINE_TWILIO_ACCOUNT_SID": ACCOUNT, "HOTLINE_TWILIO_AUTH_TOKEN": TOKEN, "HOTLINE_TWILIO_NUMBER": NUMBER,
            "HOTLINE_TWILIO_API_URL": mine.twilio_api_url, "HOTLINE_LOG_LEVEL": "error",
        },
        folder=mine.state_dir,
    )  # fmt: skip
    try:
        await here.open_session()
        calls: list[tuple[Leg, WorkOrder]] = []
        for fail in (False, True):
            here.cloud.recordings.fail = fail
            calls.append(await _declined(here))
            await here.cloud.quiet()

        async def done() -> bool:
            """And nothing is left at the cloud, and both orders go on."""
            states = {row.order_id: row.state for row in await _recordings(here)}
            left = [one for leg, _ in calls for one in await here.cloud_recordings(leg)]
            orders = [(await register.get(here.core.database, order.id)).status for _, order in calls]
            return (
                [states[order.id] for _, order in calls] == ["ready", "missing"]
                and not left
                and orders == ["dispatched"] * 2
            )

        await until(done, 60.0, "one fetched, one missing")
    finally:
        worker.kill()
        worker.wait(15)
    (kept,) = mine.recordings.glob("*.wav")
    assert hashlib.sha256(kept.read_bytes()).hexdigest() in {row.sha256 for row in await _recordings(here)}


async def test_a_message_at_one_machine_becomes_an_order_though_another_was_told_of_the_end_first(
    here: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fallback URL leads to one machine, the status to another: each has a spool of its own."""
    parts = here.parts
    assert parts is not None
    base = f"{here.settings.effective_public_url}/twilio"
    here.cloud.own(NUMBER, voice_url=f"{base}/fallback", status_url=f"{base}/status", fallback_url=f"{base}/fallback")
    elsewhere = Spool(here.settings.model_copy(update={"state_dir": tmp_path / "elsewhere"}))
    monkeypatch.setattr(parts.webhooks, "spool", elsewhere)
    leg = here.call(When(said("fallback_sorry"), speak_s=11))
    await leg.ended(30.0)
    assert (await here.outcome(leg), await here.orders(), here.spool_files()) == ("abandoned", (), [])

    (message,) = elsewhere.all()
    for _ in range(2):  # the process may die before the file is removed
        elsewhere.keep(message, leg.parties.from_)
        assert await sweep_spool(parts.exchange, elsewhere) == 1
    assert ((await here.order(leg)).source, len(await here.orders())) == ("fallback", 1)
    assert await here.recordings(leg) == [f"t-{leg.sid}-m0"]
    await _fetch_all(here)
    assert (here.settings.recordings / f"t-{leg.sid}-m0.wav").is_file()


async def test_a_talk_is_recorded_and_fetched(here: Town) -> None:
    here.cloud.callees[LEADER] = WILLING
    await here.open_session()
    leg = here.call(When(said("choose_free"), press="1"))
    await here.at(leg, "talking")
    second = here.cloud.clock.now() + 1.0
    await until(lambda: here.cloud.clock.now() > second, 5.0, "a talk of a second")
    leg.dialed[0].hang_up()
    assert await here.outcome(leg) == "talked"
    order = await here.order(leg)
    await _fetch_all(here)
    await finish(here.core.database, here.settings, order.id)
    (recording,) = await _recordings(here)
    assert recording.state == "ready"
    assert "-t" in recording.name


async def test_without_any_notice_the_sweep_fetches_it(here: Town) -> None:
    """Nor is it left at the cloud, or its message lost, because one request failed: the first, and the deletion."""
    await here.open_session()
    leg, _ = await _declined(here)
    await here.cloud.quiet()
    (newest,) = here.cloud.recordings.kept.values()
    newest.started_at = THURSDAY + 5
    older = Kept(leg.sid, "RecordVerb", 1, 3.0, THURSDAY - 5, state="completed")  # asked for again after midnight, UTC
    here.cloud.recordings.kept[older.sid] = older

    async def swept() -> bool:
        return await _sweep(here) == 1

    await until(swept, 20.0, "the sweep")
    here.cloud.troubles.add(Trouble(r"DELETE .*Recordings", "before"))
    await _fetch_all(here)
    (recording,) = await _recordings(here)
    assert recording.state == "ready"
    assert recording.duration_s == pytest.approx(newest.duration, abs=0.1)
    assert [one.sid for one in await here.cloud_recordings(leg)] == [older.sid, newest.sid], "the deletion failed"
    older.state = "deleted"
    assert await _sweep(here) == 0, "not again at once"
    assert await _sweep(here, 31) == 1
    await _fetch_all(here)
    assert not await here.cloud_recordings(leg)
    assert await _sweep(here, 3600) == 0


async def test_a_recording_that_no_order_knows_of_is_fetched_and_waits_for_its_order(here: Town) -> None:
    """What the fallback recorded, while the cloud cannot give it at first and the call is not over."""
    parts = here.parts
    assert parts is not None
    kept = Kept("CA" + "5" * 32, "RecordVerb", 1, 3.0, here.cloud.clock.now())
    here.cloud.recordings.keep(kept, None)
    call_id = call_id_of(kept.call_sid)
    here.cloud.troubles.add(Trouble(r"GET .*\.wav$", "before", cloud_recordings.TRIES))
    about = (here.core, parts.exchange.connection, kept.sid, f"{call_id}-m0")
    assert await cloud_recordings.fetch(*about) == "later"
    assert await _sweep(here, 31) == 1
    await _fetch_all(here)
    assert kept.state == "deleted"
    assert await _recordings(here) == []
    await make_order(here.core.database, NewOrder(command_id="c", call_id=call_id, at=here.core.clock(), source="fallback"))
    assert await _sweep(here, 31) == 1
    await _fetch_all(here)
    assert [recording.state for recording in await _recordings(here)] == ["ready"]
    assert await _sweep(here, 3600) == 0


async def test_a_recording_that_never_comes_is_reported_and_the_order_stands(settings: Settings, redis: Redis) -> None:
    """Missing it is by the word of the cloud, never because the cloud could not be asked; and it may come later all the same."""
    async with town(settings, twilio_recording_wait_s=30.0) as here:
        here.cloud.recordings.vanish = True
        await here.open_session()
        _, order = await _declined(here)
        here.cloud.troubles.add(Trouble(r"GET .*/Recordings\.json$", "before"))
        assert await finish(here.core.database, here.settings, order.id) == "waits"
        assert await _sweep(here, 31) == 0
        assert [recording.state for recording in await _recordings(here)] == ["expected"]
        later = here.core.clock() + 31
        assert await finish(here.core.database, here.settings, order.id, lambda: later) == "dispatched"
        assert [recording.state for recording in await _recordings(here)] == ["expected"]
        assert await _sweep(here, 31) == 1
        assert [recording.state for recording in await _recordings(here)] == ["missing"]
        (kept,) = here.cloud.recordings.kept.values()
        kept.state = "completed"
        (row,) = await _recordings(here)
        parts = here.parts
        assert parts is not None
        assert await cloud_recordings.fetch(here.core, parts.exchange.connection, kept.sid, row.name) == "fetched"
        assert [recording.state for recording in await _recordings(here)] == ["ready"]
        kinds = [event.kind for event in await history(here.core.database, order.id)]
    assert kinds == ["registered", "dispatched", "recording_missing", "recording_ready"]
