"""`hotline order`: find work orders (工單), read one, move one on."""

from typing import Annotated

import typer

from cli.client import Api
from cli.messages import say
from cli.options import AsJson, ReasonText, Url
from cli.output import local, out, print_json, print_table, spell, tell

app = typer.Typer(no_args_is_help=True, help="工单：查询、查看、办理 · work orders")


@app.command("list")
def list_orders(
    tag: Annotated[str, typer.Option("--tag", help="标签，简繁皆可 · a tag, in either script")] = "",
    status: Annotated[str, typer.Option("--status", help="状态 · status")] = "",
    unit: Annotated[str, typer.Option("--unit", help="承办单位 · unit")] = "",
    call_id: Annotated[str, typer.Option("--call", help="来电 · call id")] = "",
    cursor: Annotated[str, typer.Option("--cursor", help="上一页给出的 next · from the page before")] = "",
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """查询工单 · find work orders."""
    query = {"tag": tag, "status": status, "unit": unit, "call_id": call_id, "cursor": cursor}
    found = Api(url).get("/api/work-orders", query)
    if as_json:
        print_json(found)
        return
    print_table(
        ("col_number", "col_state", "col_unit", "col_source", "col_tags", "col_created", "col_due", "col_id"),
        [
            (
                o["number"],
                o["status"],
                o["unit"] or "",
                o["source"],
                " ".join(o["tags"]),
                local(o["created_at"]),
                local(o["due_at"]),
                o["id"],
            )
            for o in found["items"]
        ],
    )
    if found["next"]:
        out.print(f"--cursor {found['next']}")


@app.command("show")
def show_order(order_id: str, url: Url = "", as_json: AsJson = False) -> None:
    """查看一张工单 · read one work order."""
    order = Api(url).get(f"/api/work-orders/{order_id}")
    if as_json:
        print_json(order)
        return
    tell("order_is", number=order["number"], state=order["status"])
    rows = [(local(event["at"]), event["kind"], spell(event["data"])) for event in order["events"]]
    print_table(("col_at", "col_kind", "col_data"), rows)
    if order["transitions"]:
        out.print("hotline order do ID " + " | ".join(order["transitions"]))


@app.command("do")
def move_on(
    order_id: str,
    transition: str,
    unit: Annotated[str, typer.Option("--unit", help="承办单位 · unit")] = "",
    text: Annotated[str, typer.Option("--text", help="办理情况 · what was done")] = "",
    reason: ReasonText = "",
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """办理：签收、答复、办结等 · move a work order on."""
    body = {name: value for name, value in (("unit", unit), ("text", text), ("reason", reason)) if value}
    order = Api(url).post(f"/api/work-orders/{order_id}/{transition}", body)
    if as_json:
        print_json(order)
    else:
        tell("order_is", number=order["number"], state=say(order["status"]))
