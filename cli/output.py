"""How answers look on the terminal: tables and lines for people, stable JSON for scripts."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from cli.messages import say
from config.settings import load_settings

#: What people read out or copy is not broken in two on a narrow terminal.
_WHOLE = ("col_id", "col_number", "col_order", "col_outcome")

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


@contextmanager
def progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on stderr while something long is under way; to be called after each of `total` steps."""
    with Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=err, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)


def print_json(document: object) -> None:
    """One JSON document on stdout, in UTF-8 as it is."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def tell(key: str, /, **values: object) -> None:
    """A sentence of the catalogue on stdout."""
    out.print(Text(say(key, **values)))
    out.file.flush()


def make_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> Table:
    """A table whose heads are keys of the catalogue. Nothing in a cell is read as markup."""
    table = Table(title=Text(title) if title else None, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(Text(say(column)), overflow="fold", no_wrap=column in _WHOLE)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    return table


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """The table, or a word that there is nothing in it."""
    if rows:
        out.print(make_table(columns, rows, title))
    else:
        tell("nothing")


def local(moment: str | None) -> str:
    """`11-22 09:00:05` in the service's time zone."""
    if not moment:
        return ""
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(load_settings().timezone)).strftime("%m-%d %H:%M:%S")


def minutes(seconds: float) -> str:
    """`3:07`."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def spell(data: Mapping[str, Any]) -> str:
    """`key=value` pairs in one line."""
    return " ".join(f"{name}={value}" for name, value in data.items())
