"""Lua scripts in files `<package>/lua/<verb>-<number of keys>.lua` (or `-any`): loaded once, run by digest, sent when
unknown. A number goes as Python's repr, which is exact; Lua's own number-to-text is not.

A script may include a shared function (`--- @include name`, or `calls/name` of another package); its keys all carry one
hash tag.
"""

import hashlib
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from config.shared import Argument, begin, script_words

#: A script that takes any number of keys.
ANY = -1
#: Every script of this process.
_LOADED: list["Script"] = []
#: A line of a script that stands for the text of `lua/includes/<name>.lua`.
_INCLUDE = "--- @include "
_ROOT = Path(__file__).parents[1]


class Script:
    """One script. Its file's name says how many keys it takes; all its keys must carry one hash tag."""

    def __init__(self, path: Path) -> None:
        self.name, _, count = path.stem.rpartition("-")
        self.key_count = ANY if count == "any" else int(count)
        self.text = _with_includes(path)
        self.digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        _LOADED.append(self)

    def run(self, redis: Redis, keys: tuple[str, ...], *arguments: Argument) -> Awaitable[Any]:
        """What the script returns. Raises redis.exceptions.ResponseError when it fails."""
        return self.begin(redis, keys, *arguments)

    def begin(
        self, redis: Redis, keys: tuple[str, ...], *arguments: Argument, same: bool = False
    ) -> Awaitable[Any]:
        """As `run`, sent at once where the connection can: several begun before one is awaited go together. `same`: for a
        script that only reads, as config.shared.begin."""
        if self.key_count not in (len(keys), ANY):
            raise ValueError(f"{self.name} takes {self.key_count} keys, not {len(keys)}")
        begins: Callable[..., Awaitable[Any]] | None = getattr(redis, "begin_script", None)
        if begins is not None:
            return begins(self.digest, self.text, keys, arguments, same=same)
        return _Running(self, redis, script_words(keys, arguments), same=same)


class _Running:
    """A script that is under way by its digest, where the connection knows no scripts. Await it once."""

    __slots__ = ("_begun", "_redis", "_script", "_words")

    def __init__(self, script: Script, redis: Redis, words: tuple[Argument, ...], *, same: bool) -> None:
        self._script, self._redis, self._words = script, redis, words
        self._begun = begin(redis, "EVALSHA", script.digest, *words, same=same)

    def __await__(self) -> Generator[Any, None, Any]:
        try:
            return (yield from self._begun.__await__())
        except NoScriptError:
            return (yield from begin(self._redis, "EVAL", self._script.text, *self._words).__await__())


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
    package, _, name = line.removeprefix(_INCLUDE).strip().rpartition("/")
    folder = _ROOT / package / "lua" if package else path.parent
    return (folder / "includes" / f"{name}.lua").read_text(encoding="utf-8")

