"""Calls that go on side by side, as on a real line: each is a story of its own, and a test waits for the end of one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.system.installation import Installation

#: A story gets the installation and a folder of its own.
Story = Callable[[Installation, Path], Awaitable[None]]
#: What each story came to, by its name; awaiting one raises what went wrong in it.
Told = Mapping[str, asyncio.Task[None]]


@asynccontextmanager
async def side_by_side(house: Installation, folder: Path, stories: Mapping[str, Story]) -> AsyncIterator[Told]:
    """All begin at once. Their folders have short names: a phone cuts long ones."""

    async def tell(number: int, story: Story) -> None:
        place = folder / str(number)
        place.mkdir(parents=True)
        await story(house, place)

    told = {name: asyncio.create_task(tell(n, story)) for n, (name, story) in enumerate(stories.items())}
    try:
        yield told
    finally:
        for task in told.values():
            task.cancel()
        await asyncio.gather(*told.values(), return_exceptions=True)


def named(*stories: Story) -> Mapping[str, Story]:
    """The stories by the names of their functions."""
    return {str(getattr(story, "__name__", story)): story for story in stories}
