"""`hotline order`: find work orders (工單), read one, move one on."""

import re
from typing import Annotated

import typer
from rich.text import Text

from cli.client import Api
from cli.messages import word
from cli.options import AsJson, ReasonText, Url
from cli.output import local, out, print_json, print_table, spell, tell

OrderName = Annotated[str, typer.Argument(help="工单号（2026-1122-0007）或编号 · its number, or its id")]
_NUMBER = re.compile(r"\d{4}-\d{4}-\d+")

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
        ("col_number", "col_state", "col_unit", "col_source", "col_created", "col_due"),
        [
            (
                order["number"],
                word("status", order["status"]),
                order["unit"] or "",
                word("source", order["source"]),
                local(order["created_at"])[:-3],
                local(order["due_at"])[:-3],
            )
            for order in found["items"]
        ],
    )
    if found["next"]:
        out.print(f"--cursor {found['next']}")


@app.command("show")
def show_order(order: OrderName, url: Url = "", as_json: AsJson = False) -> None:
    """查看一张工单 · read one work order."""
    api = Api(url)
    found = api.get(f"/api/work-orders/{_find(api, order)}")
    if as_json:
        print_json(found)
        return
    tell("order_is", number=found["number"], state=word("status", found["status"]))
    out.print(Text(" ".join((*found["tags"], found["id"]))))
    rows = [(local(event["at"]), word("event", event["kind"]), spell(event["data"])) for event in found["events"]]
    print_table(("col_at", "col_kind", "col_data"), rows)
    if found["transitions"]:
        out.print(f"hotline order do {found['number']} " + " | ".join(found["transitions"]))


@app.command("do")
def move_on(
    order: OrderName,
    transition: str,
    unit: Annotated[str, typer.Option("--unit", help="承办单位 · unit")] = "",
    text: Annotated[str, typer.Option("--text", help="办理情况 · what was done")] = "",
    reason: ReasonText = "",
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """办理：签收、答复、办结等 · move a work order on."""
    api = Api(url)
    body = {name: value for name, value in (("unit", unit), ("text", text), ("reason", reason)) if value}
    moved = api.post(f"/api/work-orders/{_find(api, order)}/{transition}", body)
    if as_json:
        print_json(moved)
    else:
        tell("order_is", number=moved["number"], state=word("status", moved["status"]))


def _find(api: Api, named: str) -> str:
    """The id of an order that is named by it or, as people do, by its number."""
    if not _NUMBER.fullmatch(named):
        return named
    items: list[dict[str, str]] = api.get("/api/work-orders", {"number": named})["items"]
    return items[0]["id"] if items else named
