"""Measured against wanted, as a table. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime


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


def document(machine: Sequence[tuple[str, str]], chapters: Iterable[Chapter], at: datetime, missing: Sequence[str], *, quick: bool) -> str:
    """bench/RESULTS.md. `missing`: chapters that were not measured (yet)."""
    measured = list(chapters)
    rows = [row for chapter in measured for row in chapter.rows if row.met is not None]
    met = sum(row.met is True for row in rows)
    lines = [
        "# Results",
        "",
        f"Written by `make bench{' QUICK=1' if quick else ''}` on {at:%Y-%m-%d %H:%M} UTC. "
        f"{met} of {len(rows)} targets met." + (" **A quick run: few samples.**" if quick else ""),
        *([f"**Not measured in this run: {', '.join(missing)}.**"] if missing else []),
        "Both sides ran on this machine, one after the other, with the same load; `python -c 'help(\"bench\")'` tells how.",
        "",
        _cells("machine", ""),
        _cells("---", "---"),
        *(_cells(name, value) for name, value in machine),
        "",
    ]
    return "\n".join(lines) + "\n" + "\n".join(table(chapter) for chapter in measured)


def ms(seconds: float) -> str:
    value = seconds * 1000
    return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"


def times(value: float) -> str:
    return f"{value:.2f} x" if value < 10 else f"{value:.0f} x"


def _met(row: Row) -> str:
    return "" if row.met is None else "met" if row.met else "**not met**"


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
