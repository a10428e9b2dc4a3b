"""Group commit: many writers, few transactions, and one that is refused harms nobody else."""

import asyncio
from collections.abc import Sequence

import pytest

from calls.group import GroupCommit


class Disk:
    """Counts transactions; refuses every one that holds `poison`; knows what it has."""

    def __init__(self) -> None:
        self.transactions: list[tuple[str, ...]] = []
        self.held: set[str] = set()
        self.ready = asyncio.Event()

    async def write_all(self, items: Sequence[str]) -> list[bool]:
        await self.ready.wait()
        if "poison" in items:
            raise ValueError("refused")
        self.transactions.append(tuple(items))
        new = [item not in self.held for item in items]
        self.held.update(items)
        return new


async def test_what_comes_during_a_transaction_goes_down_in_the_next_one_together() -> None:
    disk = Disk()
    group = GroupCommit(disk.write_all)
    writers = [asyncio.create_task(group.write(str(n))) for n in range(50)]
    await asyncio.sleep(0)
    disk.ready.set()
    assert await asyncio.gather(*writers) == [True] * 50
    assert len(disk.transactions) <= 2
    assert await group.write("7") is False


async def test_one_that_is_refused_fails_alone() -> None:
    disk = Disk()
    group = GroupCommit(disk.write_all)
    writers = [asyncio.create_task(group.write(item)) for item in ("a", "poison", "b")]
    await asyncio.sleep(0)
    disk.ready.set()
    results = await asyncio.gather(*writers, return_exceptions=True)
    assert results[0] is results[2] is True
    assert isinstance(results[1], ValueError)


async def test_a_writer_that_gave_up_does_not_hold_up_the_others() -> None:
    disk = Disk()
    group = GroupCommit(disk.write_all)
    first, second = asyncio.create_task(group.write("a")), asyncio.create_task(group.write("b"))
    await asyncio.sleep(0)
    first.cancel()
    disk.ready.set()
    assert await second is True
    with pytest.raises(asyncio.CancelledError):
        await first
