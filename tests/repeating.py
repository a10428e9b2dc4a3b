"""A Redis whose every answer is lost: what is sent is done, sent once more and done again, and the second answer is heard.

For connections of config.shared, over which all commands of a process go. What answers by decision only that it is no news
(docs/adr/0042) is done twice, too, and its first answer is heard; what by decision may be off by one, or late, is done once.
"""

from collections import Counter
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest

from config.link import Link, Listener
from config.scripts import Script

_ROOT = Path(__file__).parents[1]
#: `<package>/<name>`, as the files of the project lie.
SCRIPTS = {
    str(path.relative_to(_ROOT)).replace("/lua/", "/").removesuffix(".lua"): Script(path)
    for path in sorted(_ROOT.glob("*/**/lua/*-*.lua"))
    if not {".hotline", ".venv", "node_modules"} & set(path.relative_to(_ROOT).parts)
}
#: The answer says whether something was news, and nobody decides by it.
SAYS_WHETHER_IT_IS_NEWS = {
    "queueing/join-4", "queueing/take_over-5", "queueing/leave-6", "queueing/free-2", "queueing/return_to_head-2", "queueing/hold-1",
    "calls/leave_place-1", "calls/keep_head-1", "calls/woken-1",
}  # fmt: skip
#: A try may be counted twice, or given back twice; a wake-up whose handing out nobody heard of comes after its lease.
MAY_BE_OFF = {"api/accounts/count-1", "api/accounts/give_back-1", "calls/due-1"}
#: Used unheard is used.
_ONCE = b"\r\nGETDEL\r\n"
_BY_DIGEST = {script.digest.encode(): name for name, script in SCRIPTS.items()}
_BY_TEXT = {sha1(script.text.encode(), usedforsecurity=False).digest(): name for name, script in SCRIPTS.items()}


def lose_every_answer(monkeypatch: pytest.MonkeyPatch, repeated: Counter[str]) -> None:
    """From now on. `repeated`: how often each script was done twice, by its name, is counted there."""
    real = Link.ask

    def ask(self: Link, packed: bytes, count: int) -> Any:
        first = real(self, packed, count)
        name = _script(packed)
        if isinstance(self, Listener) or name in MAY_BE_OFF or _ONCE in packed:
            return first
        second = real(self, packed, count)
        repeated[name] += 1
        return first if name in SAYS_WHETHER_IT_IS_NEWS else second

    monkeypatch.setattr(Link, "ask", ask)


def _script(packed: bytes) -> str:
    """The script that is run; empty = none of ours."""
    words = packed[:80].split(b"\r\n")
    if len(words) < 5 or words[2] not in (b"EVALSHA", b"EVAL"):
        return ""
    if words[2] == b"EVALSHA":
        return _BY_DIGEST.get(words[4], "")
    start = packed.index(b"\r\n", packed.index(b"EVAL") + 6) + 2
    text = packed[start : start + int(words[3][1:])]
    return _BY_TEXT.get(sha1(text, usedforsecurity=False).digest(), "")
