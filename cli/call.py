"""`hotline call`: what happened to one call."""

from typing import Annotated

import typer

from cli.client import Api
from cli.messages import say
from cli.options import AsJson, Url
from cli.output import local, out, print_json, print_table, spell

app = typer.Typer(no_args_is_help=True, help="来电：查看经过 · calls")


@app.command("show")
def show_call(
    call_id: str,
    reason: Annotated[
        str, typer.Option("--reason", help="说明原因以查看完整号码，会记录 · shows the full number, recorded")
    ] = "",
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """一个来电的经过与结果 · everything that happened to a call."""
    call = Api(url).get(f"/api/calls/{call_id}", {"reason": reason})
    if as_json:
        print_json(call)
        return
    out.print(
        f"{call['call_id']}  {call['number']}  {say(call['outcome'] or call['node'])}  {call['order_number']}",
        markup=False,
    )
    print_table(
        ("col_at", "col_kind", "col_data"),
        [(local(event["at"]), event["kind"], spell(event["data"])) for event in call["events"]],
    )


@app.callback()
def _calls() -> None:
    """来电 · calls."""
