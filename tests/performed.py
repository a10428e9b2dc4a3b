"""Waiting until what saved turns ask for has been performed, by whichever process does it."""

from calls.assembly import Core
from tests.waiting import until


async def performed(core: Core, deadline: float = 30.0) -> None:
    """Returns when no command of any saved turn waits. A turn saves its commands with the call, in one step: whoever has seen
    the call change and waits for this sees all that follows from it. `Outbox.idle` knows only of what its process has begun."""

    async def nothing_waits() -> bool:
        return (await core.outbox.lag()).lanes == 0

    await until(nothing_waits, deadline, "every command performed")
