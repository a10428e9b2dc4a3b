"""Calls that go on side by side, as on a real line: each is a story of its own, and a test waits for the end of one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.system.installation import Installation

#: A story gets the installation and a folder of its own.
Story = Callable[[Installation, Path], Awaitable[None]]
Told = dict[Story, asyncio.Task[None]]


@asynccontextmanager
async def side_by_side(house: Installation, folder: Path, stories: Sequence[Story]) -> AsyncIterator[Told]:
    """All begin at once. What one comes to is raised where its task is awaited. Folders are short: a phone cuts long names."""

    async def tell(story: Story) -> None:
        place = folder / str(stories.index(story))
        place.mkdir(parents=True)
        await story(house, place)

    told = {story: asyncio.create_task(tell(story)) for story in stories}
    try:
        yield told
    finally:
        for task in told.values():
            task.cancel()
        await asyncio.gather(*told.values(), return_exceptions=True)


def name_of(story: Story) -> str:
    """The story's name as the name of its test."""
    return str(getattr(story, "__name__", "story"))
