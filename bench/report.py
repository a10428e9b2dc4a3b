"""Measured against wanted, as a table. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

_MET, _MISSED = "met", "**not met**"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, as text with its unit. `met`: None = there is no target."""

    what: str
    ours: str
    theirs: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """Rows that were measured together, what `theirs` is, and what must be known to read them."""

    title: str
    rows: tuple[Row, ...]
    beside: str = "app_queue"
    notes: tuple[str, ...] = ()
    #: What went wrong, when it could not be measured.
    failure: str = ""


def table(chapter: Chapter) -> str:
    """As Markdown."""
    lines = [f"## {chapter.title}", ""]
    if chapter.failure:
        lines += [f"**Not measured:** {chapter.failure}", ""]
    if chapter.rows:
        lines += _cells("what", "hotline", chapter.beside, "ratio", "target", "met"), _cells(*["---"] * 6)
        lines += [_cells(row.what, row.ours, row.theirs, row.ratio, row.target, _met(row)) for row in chapter.rows]
        lines.append("")
    lines += [f"- {note}" for note in chapter.notes]
    return "\n".join(lines).rstrip() + "\n"


def document(machine: Sequence[tuple[str, str]], sections: Iterable[str]) -> str:
    """bench/RESULTS.md, of what `section` made."""
    text = "\n".join(sections)
    rows = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("| what |")]
    met, missed = (sum(line.endswith(f"| {word} |") for line in rows) for word in (_MET, _MISSED))
    lines = [
        "# Results",
        "",
        f"Written by `make bench`. {met} of {met + missed} targets met; each chapter tells when it was measured.",
        "Both sides ran on this machine, one after the other, with the same load; `python -c 'help(\"bench\")'` tells how.",
        "",
        _cells("machine", ""),
        _cells("---", "---"),
        *(_cells(name, value) for name, value in machine),
        "",
    ]
    return "\n".join(lines) + "\n" + text


def section(chapter: Chapter, at: datetime) -> str:
    """A chapter with the time at which it was measured."""
    head, _, rest = table(chapter).partition("\n\n")
    return f"{head}\n\nMeasured {at:%Y-%m-%d %H:%M} UTC.\n\n{rest}"


def merge(document: str, newer: Iterable[str]) -> list[str]:
    """The sections of a document, those that are measured anew replaced by their titles, others added at the end."""
    found = {_title(one): one for one in ("## " + part for part in document.split("\n## ")[1:])}
    for one in newer:
        found[_title(one)] = one
    return [one.rstrip("\n") + "\n" for one in found.values()]


def ms(seconds: float) -> str:
    value = seconds * 1000
    return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"


def times(value: float) -> str:
    return f"{value:.2f} x" if value < 10 else f"{value:.0f} x"


def _met(row: Row) -> str:
    return "" if row.met is None else _MET if row.met else _MISSED


def _title(section: str) -> str:
    return section.partition("\n")[0]


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
