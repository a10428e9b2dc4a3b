"""Time limits of which one timer takes care."""

import asyncio

import pytest

from config.within import Within


async def test_what_is_done_in_time_is_given() -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    within = Within()
    assert await asyncio.gather(*(within.run(work(), 30.0) for _ in range(3))) == ["done"] * 3


async def test_what_takes_too_long_is_ended_and_others_go_on() -> None:
    within, ended, may_end = Within(), asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def other() -> str:
        await may_end.wait()
        return "done"

    going_on = asyncio.create_task(within.run(other(), 30.0))
    with pytest.raises(TimeoutError):
        await within.run(slow(), 0.01)
    assert ended.is_set()
    may_end.set()
    assert await going_on == "done"


async def test_the_task_may_go_on_afterwards_and_be_cancelled_by_others() -> None:
    within, both_over = Within(), asyncio.Event()

    async def twice() -> str:
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await within.run(asyncio.Event().wait(), 0.01)
        both_over.set()
        await within.run(asyncio.Event().wait(), 30.0)
        return "never"

    task = asyncio.create_task(twice())
    await both_over.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_work_is_its_own() -> None:
    async def broken() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await Within().run(broken(), 30.0)
