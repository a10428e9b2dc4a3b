"""The message log of sipp as values: who sent what when. Also while it grows."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_RULE = re.compile(r"^-{20,} (\d{4}-\d\d-\d\d)\s+(\d\d:\d\d:\d\d\.\d+)\s*$", re.MULTILINE)
_HOW = re.compile(r"^\w+ message (sent|received)", re.MULTILINE)
_AUDIO = re.compile(r"^m=audio (\d+) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Message:
    """One SIP message as sipp saw it. `at`: Unix seconds; `what`: method, or status as text; `method`: of its CSeq."""

    at: float
    sent: bool
    what: str
    method: str
    call_id: str
    #: Port of the audio in its SDP; 0 = none.
    audio_port: int


class SipLog:
    """Follows one log file. Every call of `more` returns the messages that became whole since the last one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = ""

    def more(self, *, ended: bool = False) -> list[Message]:
        """`ended`: nothing more will be written, the last message is whole."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
            self._offset += len(data)
            self._rest += data.decode("utf-8", "replace")
        starts = [match.start() for match in _RULE.finditer(self._rest)]
        if not starts:
            return []
        last = len(self._rest) if ended else starts[-1]
        # The last message is whole when its length says so: to wait for the next rule would be too long.
        last += _end_of_message(self._rest[last:])
        whole, self._rest = self._rest[:last], self._rest[last:]
        return list(parse(whole))


def parse(text: str) -> Iterator[Message]:
    """The messages of a whole log."""
    rules = [*_RULE.finditer(text)]
    for n, rule in enumerate(rules):
        end = rules[n + 1].start() if n + 1 < len(rules) else len(text)
        message = _read(rule, text[rule.end() : end])
        if message is not None:
            yield message


def handovers(messages: Iterable[Message]) -> list[tuple[float, float]]:
    """Seen by the leader's phone: when it sent BYE, and the seconds until the next call's INVITE came in."""
    found: list[tuple[float, float]] = []
    known: set[str] = set()
    free_since: float | None = None
    for message in messages:
        if message.sent and message.what == "BYE":
            free_since = message.at if free_since is None else free_since
        elif not message.sent and message.what == "INVITE" and message.call_id not in known:
            known.add(message.call_id)
            if free_since is not None:
                found.append((free_since, message.at - free_since))
                free_since = None
    return found


def _end_of_message(text: str) -> int:
    """Where the message behind the rule at the start of `text` ends; 0 when it is not all there yet."""
    head, blank, rest = text.partition("\r\n\r\n")
    length = _header(head, "Content-Length")
    if not blank or not length.isdigit() or len(rest) < int(length):
        return 0
    return len(head) + len(blank) + int(length)


def _read(rule: re.Match[str], text: str) -> Message | None:
    how = _HOW.search(text)
    if how is None:
        return None
    body = text[how.end() :].partition("\n")[2].replace("\r\n", "\n").lstrip("\n")
    first = body.partition("\n")[0].split()
    if len(first) < 2:
        return None
    what = first[1] if first[0].startswith("SIP/") else first[0]
    audio = _AUDIO.search(body)
    return Message(
        at=datetime.fromisoformat(f"{rule[1]}T{rule[2][:15]}").timestamp(),
        sent=how[1] == "sent",
        what=what,
        method=_header(body, "CSeq").partition(" ")[2].strip(),
        call_id=_header(body, "Call-ID"),
        audio_port=int(audio[1]) if audio else 0,
    )


def _header(text: str, name: str) -> str:
    found = re.search(rf"^{name}:\s*(.*?)\s*$", text, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""
