"""`hotline ledger`: the proof that no call is unaccounted for. Exit code 1 when one is."""

from typing import Annotated, Any

import typer

from cli.client import Api
from cli.errors import Exit
from cli.messages import say
from cli.options import AsJson, Url
from cli.output import print_json, print_table, tell

#: Ids told on the terminal; `--json` has them all.
IDS_MAX = 10


def show_ledger(
    session_id: Annotated[str, typer.Option("--session", help="只看一个场次 · of one session")] = "",
    cdr: Annotated[
        bool, typer.Option("--cdr", help="与 Asterisk 话单核对 · compare with Asterisk's call records")
    ] = False,
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """台账：来电数等于各种结果之和 · calls = the sum of outcomes."""
    api = Api(url)
    found = api.get("/api/ledger", {"session_id": session_id})
    missing: list[str] = []
    if cdr:
        from cli.cdr import compare_records

        found["cdr"] = compare_records(api)
        missing = found["cdr"]["missing"]
    if as_json:
        print_json(found)
    else:
        _tell_ledger(found)
    if found["unaccounted"] or missing:
        raise typer.Exit(Exit.NEGATIVE)


def _tell_ledger(found: dict[str, Any]) -> None:
    rows = [(say(outcome), count) for outcome, count in sorted(found["outcomes"].items())]
    print_table(("col_outcome", "col_count"), rows)
    if found["unaccounted"]:
        ids = " ".join(found["unaccounted_calls"][:IDS_MAX])
        tell("ledger_broken", count=found["unaccounted"], calls=ids)
    else:
        tell("ledger_whole", calls=found["calls"])
    if found["live"]:
        tell("ledger_live", live=found["live"])
    if "cdr" in found:
        tell("ledger_cdr", records=found["cdr"]["records"], missing=len(found["cdr"]["missing"]))
