"""`hotline forecast`: is what callers are told true? Needs nothing that runs; rehearsals bring a Redis of their own."""

import logging
from typing import Annotated

import structlog
import typer
from msgspec import to_builtins

from calls.report import Promise
from cli.client import read_settings
from cli.errors import CommandError, Exit
from cli.options import AsJson
from cli.output import print_json, print_table, progress, tell
from queueing.calibration import Row, calibrate
from queueing.pace import Prior
from rehearsal.company import NoServer, house, run
from rehearsal.plan import Plan
from rehearsal.promises import kept

app = typer.Typer(no_args_is_help=True, help="预测 · the forecast told to callers")


@app.callback()
def forecast() -> None:
    """预测 · the forecast told to callers."""


@app.command("calibrate")
def show_calibration(
    sessions: Annotated[int, typer.Option("--sessions", min=1, help="模拟多少场 · sessions to simulate")] = 10_000,
    seed: Annotated[int, typer.Option("--seed", help="同一种子结果相同 · the same seed, the same table")] = 1,
    rehearsals: Annotated[
        int, typer.Option("--rehearsals", min=0, help="再演练多少场核对 · whole sessions to rehearse, too")
    ] = 0,
    callers: Annotated[int, typer.Option("--callers", min=1, max=20_000, help="演练的来电数 · calls in each")] = 846,
    as_json: AsJson = False,
) -> None:
    """告知七成，真的接通七成吗 · of those told 70 %, are 70 % put through."""
    settings = read_settings()
    prior = Prior(settings.handle_time_s, settings.handle_time_weight, settings.patience_s, settings.patience_weight)
    with progress(sessions) as advance:
        rows = calibrate(sessions, seed, prior, advance)
    promises = _rehearsed(rehearsals, callers, seed) if rehearsals else []
    if as_json:
        print_json({"sessions": to_builtins(rows), "rehearsals": to_builtins(promises)})
        return
    _show(rows)
    tell("calibrated", sessions=sessions, seed=seed)
    if promises:
        _show_promises(promises)
        tell("calibrated_rehearsed", rehearsals=rehearsals, callers=callers, seed=seed)


def _rehearsed(rehearsals: int, callers: int, seed: int) -> list[Promise]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        with house() as place:
            return run(kept(place, [Plan(seed=seed + n, callers=callers) for n in range(rehearsals)]))
    except NoServer as error:
        raise CommandError(Exit.UNREACHABLE, "program_missing", name="valkey-server", command="make setup") from error


def _show(rows: list[Row]) -> None:
    print_table(
        ("col_told", "col_callers", "col_said", "col_served", "col_stayed", "col_stayed_served"),
        [
            (_range(row.least), row.told, f"{row.said:.1%}", f"{row.share:.1%}", row.stayed, f"{row.share_stayed:.1%}")
            for row in rows
        ],
    )


def _show_promises(promises: list[Promise]) -> None:
    print_table(
        ("col_told", "col_callers", "col_stayed", "col_stayed_served"),
        [
            (_range(one.least), one.told, one.stayed, f"{one.served / one.stayed:.1%}" if one.stayed else "-")
            for one in promises
        ],
    )


def _range(least: float) -> str:
    return f"{least:.0%}-{least + 0.1:.0%}"
