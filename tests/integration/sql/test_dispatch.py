"""Recordings are finished and orders dispatched, on real databases with real WAV files."""

import asyncio
import os
import struct
import wave
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select, text

from config.columns import from_unix
from config.database import Database
from config.settings import Settings
from jobs.recordings import ABSENT_S, STILL_S, finish
from sessions.model import Seat, Session
from workorders import register
from workorders.dispatch import HOTLINE_UNIT
from workorders.intake import NewOrder, make_order
from workorders.model import InboxItem, Recording, Unit, WorkOrder
from workorders.progress import UnknownOrder, move
from workorders.transitions import TransitionRefused

#: Wednesday 2018-04-25 09:30 in Shanghai.
AT = 1_524_619_800.0
#: Saturday 2018-04-28 17:30 in Shanghai: a make-up working day.
DUE = 1_524_907_800.0
TZ = "Asia/Shanghai"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path / "state", recordings_dir=tmp_path)


def write_wav(path: Path, seconds: float, *, unfinished: bool = False, modified: float = AT) -> None:
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(b"\x10\x00" * int(8000 * seconds))
    if unfinished:  # as a process leaves it that was killed while it wrote
        with path.open("r+b") as file:
            file.seek(4)
            file.write(struct.pack("<I", 36))
            file.seek(40)
            file.write(struct.pack("<I", 0))
    os.utime(path, (modified, modified))


async def make(database: Database, recording: str = "m1", **more: object) -> str:
    new = NewOrder(command_id=f"c-{recording}", call_id="a-1", at=AT, source="declined", recording=recording, **more)  # type: ignore[arg-type]
    return (await make_order(database, new)).id


async def recording_of(database: Database, order_id: str) -> Recording:
    async with database.read() as session:
        return (await session.scalars(select(Recording).where(Recording.order_id == order_id))).one()


async def test_a_finished_message_is_measured_and_the_order_reaches_its_units_inbox(
    database: Database, settings: Settings
) -> None:
    order_id = await make(database, unit="市住建局")
    write_wav(settings.recordings / "m1.wav", 2.5)
    assert await finish(database, settings, order_id, lambda: AT + 1) == "dispatched"
    recording = await recording_of(database, order_id)
    assert (recording.state, recording.duration_s, recording.format) == ("ready", 2.5, "wav pcm16 8000 Hz mono")
    assert recording.sha256 == sha256((settings.recordings / "m1.wav").read_bytes()).hexdigest()
    order = await register.get(database, order_id)
    assert (order.status, order.unit, order.dispatched_at) == ("dispatched", "市住建局", from_unix(AT + 1))
    async with database.read() as session:
        query = select(Unit.name).join(InboxItem, InboxItem.unit_id == Unit.id).where(InboxItem.order_id == order_id)
        assert list(await session.scalars(query)) == ["市住建局"]
    assert [event.kind for event in await register.history(database, order_id)] == [
        "registered",
        "recording_ready",
        "dispatched",
    ]


async def test_the_clock_starts_with_the_dispatch_and_counts_make_up_working_days(
    database: Database, settings: Settings
) -> None:
    order_id = await make(database, recording="")
    await finish(database, settings, order_id, lambda: AT)
    order = await register.get(database, order_id)
    assert order.due_at == from_unix(DUE)
    assert "2018-04-28" in order.due_basis


async def test_a_message_whose_writer_was_killed_is_repaired_and_not_before_it_is_still(
    database: Database, settings: Settings
) -> None:
    order_id = await make(database)
    path = settings.recordings / "m1.wav"
    write_wav(path, 3.0, unfinished=True)
    assert await finish(database, settings, order_id, lambda: AT + STILL_S - 1) == "waits"
    assert (await register.get(database, order_id)).status == "registered"
    assert await finish(database, settings, order_id, lambda: AT + STILL_S + 1) == "dispatched"
    assert (await recording_of(database, order_id)).duration_s == 3.0
    with wave.open(str(path)) as repaired:
        assert repaired.getnframes() == 24000


async def test_a_message_that_never_appears_is_missing_and_the_order_is_dispatched_all_the_same(
    database: Database, settings: Settings
) -> None:
    order_id = await make(database)
    assert await finish(database, settings, order_id, lambda: AT + ABSENT_S - 1) == "waits"
    assert await finish(database, settings, order_id, lambda: AT + ABSENT_S + 1) == "dispatched"
    assert (await recording_of(database, order_id)).state == "missing"
    assert (await register.get(database, order_id)).unit == HOTLINE_UNIT


@pytest.mark.parametrize(
    ("content", "state"), [(b"", "empty"), (b"not a wav file at all", "damaged"), (b"RIFF\0\0\0\0WAVEfmt ", "damaged")]
)
async def test_a_file_that_holds_no_sound_is_called_what_it_is(
    database: Database, settings: Settings, content: bytes, state: str
) -> None:
    order_id = await make(database)
    path = settings.recordings / "m1.wav"
    path.write_bytes(content)
    os.utime(path, (AT, AT))
    assert await finish(database, settings, order_id, lambda: AT + 20) == "dispatched"
    assert (await recording_of(database, order_id)).state == state


async def test_a_moment_of_sound_is_an_empty_message(database: Database, settings: Settings) -> None:
    order_id = await make(database)
    write_wav(settings.recordings / "m1.wav", 0.1)
    await finish(database, settings, order_id, lambda: AT + 1)
    assert (await recording_of(database, order_id)).state == "empty"


async def test_many_workers_dispatch_an_order_once(database: Database, settings: Settings) -> None:
    order_id = await make(database)
    write_wav(settings.recordings / "m1.wav", 1.0)
    results = await asyncio.gather(*(finish(database, settings, order_id, lambda: AT + 1) for _ in range(10)))
    assert sorted(results) == ["dispatched"] + ["done_before"] * 9
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM inbox")) == 1
    kinds = [event.kind for event in await register.history(database, order_id)]
    assert kinds == ["registered", "recording_ready", "dispatched"]


async def test_the_first_dispatches_of_a_year_may_come_at_once(database: Database, settings: Settings) -> None:
    orders = [NewOrder(command_id=f"c{n}", call_id=f"a-{n}", at=AT, source="declined") for n in range(8)]
    made = [await make_order(database, order) for order in orders]
    results = await asyncio.gather(*(finish(database, settings, order.id, lambda: AT + 1) for order in made))
    assert results == ["dispatched"] * 8
    for order in made:
        assert (await register.get(database, order.id)).due_at == from_unix(DUE)


async def test_the_unit_is_that_of_the_seat_or_of_the_only_one_in_the_session(
    database: Database, settings: Settings
) -> None:
    opens, closes = from_unix(AT), from_unix(AT + 7200)
    async with database.begin() as session:
        session.add(
            Session(
                id="s1", opens_at=opens, closes_at=closes, original_opens_at=opens, created_at=opens,
                seats=[Seat(id="seat1", position=1, unit="市水务局", leader="李四")],
            )
        )  # fmt: skip
    for recording, more in (("a", {"seat_id": "seat1"}), ("b", {"session_id": "s1"})):
        new = NewOrder(command_id=recording, call_id=f"a-{recording}", at=AT, source="declined", **more)  # type: ignore[arg-type]
        order = await make_order(database, new)
        await finish(database, settings, order.id, lambda: AT)
        assert (await register.get(database, order.id)).unit == "市水务局"


async def test_orders_that_nobody_dispatched_are_found_by_the_sweep(database: Database, settings: Settings) -> None:
    order_id = await make(database, recording="")
    assert await register.unfinished(database, AT - 1) == []
    assert await register.unfinished(database, AT + 1) == [order_id]
    await finish(database, settings, order_id, lambda: AT + 1)
    assert await register.unfinished(database, AT + 10) == []


async def test_an_order_goes_its_way_and_a_redo_starts_a_new_round_with_a_new_clock(
    database: Database, settings: Settings
) -> None:
    order_id = await make(database, recording="")
    for step, status in (
        ("dispatch", "dispatched"), ("sign", "signed"), ("handle", "handling"), ("reply", "replied"),
        ("redo", "dispatched"), ("handle", "handling"), ("reply", "replied"), ("close", "closed"),
    ):  # fmt: skip
        order = await move(database, order_id, step, AT, timezone=TZ, actor="operator")  # type: ignore[arg-type]
        assert order.status == status
    async with database.read() as session:
        rounds = await session.scalars(select(InboxItem.round).order_by(InboxItem.round))
        assert list(rounds) == [1, 2]
    with pytest.raises(TransitionRefused, match="nothing"):
        await move(database, order_id, "reply", AT, timezone=TZ)
    with pytest.raises(UnknownOrder):
        await move(database, "none", "sign", AT, timezone=TZ)
    history = await register.history(database, order_id)
    assert [(event.from_status, event.to_status) for event in history][-1] == ("replied", "closed")
    async with database.read() as session:
        assert (await session.get_one(WorkOrder, order_id)).status == "closed"
