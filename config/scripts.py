"""Lua scripts in files `<package>/lua/<verb>-<number of keys>.lua`: loaded once, run by digest, sent when unknown.

A script may include a shared function (`--- @include name`); its keys all carry one hash tag.
"""

import hashlib
from collections.abc import Awaitable, Generator
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from config.shared import begin

Argument = str | int | float
#: Every script of this process.
_LOADED: list["Script"] = []
#: A line of a script that stands for the text of `lua/includes/<name>.lua`.
_INCLUDE = "--- @include "


class Script:
    """One script. Its file's name says how many keys it takes; all its keys must carry one hash tag."""

    def __init__(self, path: Path) -> None:
        self.name, _, count = path.stem.rpartition("-")
        self.key_count = int(count)
        self.text = _with_includes(path)
        self.digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        _LOADED.append(self)

    async def run(self, redis: Redis, keys: tuple[str, ...], *arguments: Argument) -> Any:
        """What the script returns. Raises redis.exceptions.ResponseError when it fails."""
        return await self.begin(redis, keys, *arguments)

    def begin(self, redis: Redis, keys: tuple[str, ...], *arguments: Argument) -> Awaitable[Any]:
        """As `run`, sent at once where the connection can: several begun before one is awaited go together."""
        if len(keys) != self.key_count:
            raise ValueError(f"{self.name} takes {self.key_count} keys, not {len(keys)}")
        return _Running(
            self, redis, (self.key_count, *keys, *[one if one.__class__ is str else repr(one) for one in arguments])
        )


class _Running:
    """A script that is under way by its digest. Await it once."""

    __slots__ = ("_begun", "_redis", "_script", "_words")

    def __init__(self, script: Script, redis: Redis, words: tuple[Argument, ...]) -> None:
        self._script, self._redis, self._words = script, redis, words
        self._begun = begin(redis, "EVALSHA", script.digest, *words)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._answer().__await__()

    async def _answer(self) -> Any:
        try:
            return await self._begun
        except NoScriptError:
            return await begin(self._redis, "EVAL", self._script.text, *self._words)


def load(beside: str, name: str) -> Script:
    """The script `lua/<name>.lua` beside the module whose `__file__` is `beside`."""
    return Script(Path(beside).parent / "lua" / f"{name}.lua")


async def teach(redis: Redis) -> None:
    """The server knows every script of this process from now on."""
    for begun in [begin(redis, "SCRIPT LOAD", script.text) for script in _LOADED]:
        await begun


def _with_includes(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(_included(path, line) if line.startswith(_INCLUDE) else line for line in lines)


def _included(path: Path, line: str) -> str:
    return (path.parent / "includes" / f"{line.removeprefix(_INCLUDE).strip()}.lua").read_text(encoding="utf-8")


def written(value: Argument) -> str:
    """A number as Lua reads it back without loss (Python's repr is exact; Lua's own number-to-text is not)."""
    return value if isinstance(value, str) else repr(value)
