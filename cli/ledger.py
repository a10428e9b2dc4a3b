"""`hotline ledger`: the proof that no call is unaccounted for. Exit code 1 when one is."""

from typing import Annotated, Any

import typer

from cli.client import Api
from cli.errors import Exit
from cli.messages import say
from cli.options import AsJson, Url
from cli.output import local, out, print_json, print_table, tell

#: Ids told on the terminal; `--json` has them all.
IDS_MAX = 10
#: Lists of the check that must be empty.
_COUNTED = ("unaccounted", "forgotten", "without_order", "stuck", "missing")


app = typer.Typer(help="台账 · the ledger")


@app.callback(invoke_without_command=True)
def show_ledger(
    context: typer.Context,
    session_id: Annotated[str, typer.Option("--session", help="只看一个场次 · of one session")] = "",
    cdr: Annotated[
        bool, typer.Option("--cdr", help="与 Asterisk 话单核对 · compare with Asterisk's call records")
    ] = False,
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """台账：来电数等于各种结果之和 · calls = the sum of outcomes."""
    if context.invoked_subcommand:
        return
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


@app.command("check")
def check_ledger(
    session_id: Annotated[str, typer.Option("--session", help="只核对一个场次 · of one session")] = "",
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """核对：结果唯一、与话单及云端相符、封存未动 · one outcome each, none missing, nothing changed."""
    found = Api(url).get("/api/ledger/check", {"session_id": session_id})
    if as_json:
        print_json(found)
    else:
        _tell_check(found)
    if not found["complete"]:
        raise typer.Exit(Exit.NEGATIVE)


def _tell_check(found: dict[str, Any]) -> None:
    if found["complete"]:
        records, cloud = found["asterisk_records"], found["cloud_records"]
        tell("checked_whole", calls=found["calls"], seals=found["seals"], records=records, cloud=cloud)
    elif any(found[name] for name in (*_COUNTED, "broken_seals")):
        counts = {name: len(found[name]) for name in _COUNTED}
        tell("checked_broken", broken=len(found["broken_seals"]), **counts)
    else:
        tell("checked_away")
    if found["live"]:
        tell("checked_live", live=found["live"])
    others = [name for name in ("asterisk", "cloud") if found[name] != "ok"]
    if others:
        words = [f"{say(f'records_{name}')} ({say(f'records_{found[name]}')})" for name in others]
        tell("checked_off", sources=", ".join(words + found["silent_nodes"]))
    for one in (*found["unaccounted"], *found["forgotten"], *found["without_order"]):
        out.print(
            f"  {one['call_id']}  {local(one['first_at'])} - {local(one['last_at'])}  {one['last_kind']}", markup=False
        )
    for one in found["missing"]:
        known = one["last_kind"] or "-"
        told = f"{one['carrier']}: {one['told']}, {one['seconds']:.0f} s"
        out.print(f"  {one['call_id']}  {local(one['started_at'])}  {told}  {known}", markup=False)
    for one in found["stuck"]:
        out.print(f"  {one['call_id']}  {local(one['since'])}  {say('col_stuck')}: {one['command'] or '?'}", markup=False)
    for one in found["broken_seals"]:
        span = f"{one['first_entry']}-{one['last_entry']}"
        out.print(f"  {say('col_seal')} {one['number']} ({span}): {one['fault']}", markup=False)


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
