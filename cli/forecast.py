"""`hotline forecast`: is what callers are told true? Needs nothing that runs."""

from typing import Annotated

import typer

from cli.client import read_settings
from cli.options import AsJson
from cli.output import print_json, print_table, tell
from queueing.calibration import calibrate
from queueing.pace import Prior

app = typer.Typer(no_args_is_help=True, help="预测 · the forecast told to callers")


@app.callback()
def forecast() -> None:
    """预测 · the forecast told to callers."""


@app.command("calibrate")
def show_calibration(
    sessions: Annotated[int, typer.Option("--sessions", min=1, help="模拟多少场 · sessions to simulate")] = 10_000,
    seed: Annotated[int, typer.Option("--seed", help="同一种子结果相同 · the same seed, the same table")] = 1,
    as_json: AsJson = False,
) -> None:
    """告知七成，真的接通七成吗 · of those told 70 %, are 70 % put through."""
    settings = read_settings()
    prior = Prior(settings.handle_time_s, settings.handle_time_weight, settings.patience_s, settings.patience_weight)
    rows = calibrate(sessions, seed, prior)
    if as_json:
        print_json([{"from": row.least, "told": row.told, "said": row.said, "served": row.share} for row in rows])
        return
    print_table(
        ("col_told", "col_callers", "col_said", "col_served"),
        [(f"{row.least:.0%}-{row.least + 0.1:.0%}", row.told, f"{row.said:.1%}", f"{row.share:.1%}") for row in rows],
    )
    tell("calibrated", sessions=sessions, seed=seed)
