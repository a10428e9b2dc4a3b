"""Lua scripts in files `<package>/lua/<verb>-<number of keys>.lua`: loaded once, run by digest, sent when unknown.

A script may include a shared function (`--- @include name`); its keys all carry one hash tag.
"""

import hashlib
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

Argument = str | int | float
#: A line of a script that stands for the text of `lua/includes/<name>.lua`.
_INCLUDE = "--- @include "


class Script:
    """One script. Its file's name says how many keys it takes; all its keys must carry one hash tag."""

    def __init__(self, path: Path) -> None:
        self.name, _, count = path.stem.rpartition("-")
        self.key_count = int(count)
        self.text = _with_includes(path)
        self.digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, redis: Redis, keys: tuple[str, ...], *arguments: Argument) -> Any:
        """What the script returns. Raises redis.exceptions.ResponseError when it fails."""
        if len(keys) != self.key_count:
            raise ValueError(f"{self.name} takes {self.key_count} keys, not {len(keys)}")
        values = [written(argument) for argument in arguments]
        try:
            return await redis.evalsha(self.digest, self.key_count, *keys, *values)
        except NoScriptError:
            return await redis.eval(self.text, self.key_count, *keys, *values)


def load(beside: str, name: str) -> Script:
    """The script `lua/<name>.lua` beside the module whose `__file__` is `beside`."""
    return Script(Path(beside).parent / "lua" / f"{name}.lua")


def _with_includes(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(_included(path, line) if line.startswith(_INCLUDE) else line for line in lines)


def _included(path: Path, line: str) -> str:
    return (path.parent / "includes" / f"{line.removeprefix(_INCLUDE).strip()}.lua").read_text(encoding="utf-8")


def written(value: Argument) -> str:
    """A number as Lua reads it back without loss (Python's repr is exact; Lua's own number-to-text is not)."""
    return value if isinstance(value, str) else repr(value)
