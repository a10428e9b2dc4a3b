"""Where calls live, and that no script ever reaches over two slots of a Cluster."""

import re
from collections import Counter
from pathlib import Path

import pytest
from redis.asyncio import Redis

import calls
import queueing
import telephony.twilio as twilio
from calls.entries import Entry
from calls.shards import SHARDS, call_key, shard_keys, shard_of, todo_key
from config.clock import now
from config.redis import connect_url
from config.scripts import ANY, Script
from config.settings import Settings
from config.shared import Argument
from ivr.call import Call
from ivr.commands import WakeAt
from queueing.keys import line_keys
from queueing.line import Line
from tests.doubles.bench import process
from tests.doubles.books import Books

FOLDERS = [Path(str(package.__file__)).parent / "lua" for package in (calls, queueing, twilio)]
SCRIPTS = sorted(path for folder in FOLDERS for path in folder.glob("*.lua"))
TAG = re.compile(r"\{([^}]+)\}")


def test_calls_spread_over_all_shards_and_stay_where_they_are() -> None:
    spread = Counter(shard_of(f"a-pbx1-17630-{number}") for number in range(16000))
    assert set(spread) == set(range(SHARDS))
    assert max(spread.values()) < 2 * min(spread.values())
    assert shard_of("a-pbx1-1763-12") == shard_of("a-pbx1-1763-12")


def test_all_keys_of_a_call_carry_the_tag_of_its_shard() -> None:
    call_id = "a-pbx1-1763-12"
    shard = shard_keys("hotline:", shard_of(call_id))
    keys = [call_key("hotline:", call_id), todo_key("hotline:", "line", call_id)]
    keys += [getattr(shard, name) for name in shard.__struct_fields__]
    assert {TAG.findall(key)[0] for key in keys} == {f"c{shard_of(call_id):02d}"}
    assert all(key.startswith("hotline:{") for key in keys)


def test_all_keys_of_a_line_carry_one_tag() -> None:
    keys = line_keys("hotline:", "s1")
    names = [getattr(keys, name) for name in keys.__struct_fields__]
    assert len(set(names)) == len(names)
    assert {tuple(TAG.findall(name)) for name in names} == {("line:s1",)}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_names_its_keys_and_touches_no_others(path: Path) -> None:
    script = Script(path)
    # K: the keys as they are given to a function that several scripts share.
    used = {int(number) for number in re.findall(r"\bK(?:EYS)?\[(\d+)\]", script.text)}
    if "K[5 + lane]" in script.text:
        used |= {6, 7}
    if script.key_count == ANY:
        assert used == {1, 2, 3}
        assert "KEYS[3 + lane]" in script.text
    else:
        assert used == set(range(1, script.key_count + 1))
    header = script.text.partition("\nlocal ")[0]
    assert "-- KEYS: " in header
    assert "-- Returns" in script.text
    for call in re.findall(r"redis\.call\('(\w+)', ([^,)]+)", script.text):
        command, first = call
        assert command == "PUBLISH" or first.startswith(("KEYS[", "K[")) or first in ("seat", "seen", "waiting", "todo"), call


async def test_every_script_is_run_with_the_keys_of_one_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plays every act of the line and of a turn without a server, and looks at the keys that would be sent."""
    seen: dict[str, set[str]] = {}

    class Stopped(Exception):
        """Far enough."""

    def look(self: Script, redis: Redis, keys: tuple[str, ...], *arguments: Argument) -> object:
        seen[self.name] = {TAG.findall(key)[0] for key in keys}
        raise Stopped

    monkeypatch.setattr(Script, "begin", look)
    settings = Settings(redis_url="redis://127.0.0.1:1/0", _env_file=None)
    redis = connect_url(settings.redis_url)
    ours, line = process(redis, settings, now, Books()), Line(redis, settings, now)
    call = Call("a-1", "asterisk", 1.0)
    acts = (
        line.join("s1", "a-1", 1.0, 1), line.leave("s1", "a-1", "x", 1), line.claim_next("s1", "me", 1),
        line.renew("s1", 1, 1), line.take("s1", 1, 1.0), line.free("s1", 1, True, 1.0),
        line.return_to_head("s1", 1, "x", True), line.reap("s1"), ours.seats.pause("s1", "x"),
        ours.seats.resume("s1"), ours.seats.close("s1"), ours.seats.hold("s1", on=True),
        ours.calls.create(call), ours.calls.put(0, call, ()), ours.outbox.add(Entry("a-1-1-0", "a-1", 1, 1.0, WakeAt(at=1.0))),
    )  # fmt: skip
    for act in acts:
        with pytest.raises(Stopped):
            await act
    assert len(seen) == len(acts)
    assert all(len(tags) == 1 for tags in seen.values()), seen
