"""Which shards are woken side by side."""

from calls.shards import shard_keys
from calls.wakeups import AT_ONCE, BATCH, side_by_side

KEYS = [shard_keys("x:", shard) for shard in range(16)]


def test_a_few_callers_are_wokenside_by_side_and_a_crowd_in_groups() -> None:
    assert side_by_side([]) == []
    assert side_by_side([(keys, 3) for keys in KEYS]) == [KEYS]
    crowd = side_by_side([(keys, 10 * BATCH) for keys in KEYS])
    assert [keys for group in crowd for keys in group] == KEYS
    assert {len(group) for group in crowd} == {AT_ONCE // BATCH}
