"""`hotline line`: who waits, live from the stream; and the two acts on a caller who waits."""

import time
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from cli.client import Api
from cli.messages import say
from cli.options import AsJson, ReasonText, Url
from cli.output import make_table, minutes, out, print_json

#: Pause before a stream that was cut is opened again.
RECONNECT_S = 1.0
#: More rows than this do not fit a screen; the head says how many wait.
ROWS_MAX = 40

app = typer.Typer(invoke_without_command=True, help="等候队列，实时 · the waiting line, live")


@app.callback()
def show_line(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="只显示一次 · print once and end")] = False,
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """显示等候队列，随变化更新 · show the line, updated with every change."""
    if context.invoked_subcommand is not None:
        return
    api = Api(url)
    if as_json:
        print_json(api.get("/api/line"))
    elif once or not out.is_terminal:
        out.print(draw(api.get("/api/line")))
    else:
        _follow(api)


@app.command("move")
def move_caller(call_id: str, position: int, reason: ReasonText, url: Url = "", as_json: AsJson = False) -> None:
    """调整位次 · move a caller to another position."""
    after = Api(url).post(f"/api/line/{call_id}/move", {"position": position, "reason": reason})
    print_json(after) if as_json else out.print(Text(f"{after['call_id']} → {after['position']}"))


@app.command("release")
def release_caller(
    call_id: str,
    to: Annotated[str, typer.Option("--to", help="work_order | operator | callback")],
    reason: ReasonText,
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """移出队列 · take a caller out of the line."""
    after = Api(url).post(f"/api/line/{call_id}/release", {"to": to, "reason": reason})
    print_json(after) if as_json else out.print(Text(f"{after['call_id']} → {to}"))


@app.command("next")
def offer_next(call_id: str, reason: ReasonText, url: Url = "", as_json: AsJson = False) -> None:
    """下一位就接这位 · offer this caller next."""
    _put(call_id, "next", {"reason": reason}, url, as_json)


@app.command("urgent")
def mark_urgent(call_id: str, reason: ReasonText, url: Url = "", as_json: AsJson = False) -> None:
    """紧急，排到最前 · it cannot wait: to the head of the line."""
    _put(call_id, "urgent", {"reason": reason}, url, as_json)


@app.command("seat")
def put_to_seat(call_id: str, seat_id: str, reason: ReasonText, url: Url = "", as_json: AsJson = False) -> None:
    """转到另一个席位，等候时间照算 · to another seat's line, with the joining time kept."""
    _put(call_id, "seat", {"seat_id": seat_id, "reason": reason}, url, as_json)


def _put(call_id: str, act: str, body: dict[str, object], url: str, as_json: bool) -> None:
    after = Api(url).post(f"/api/line/{call_id}/{act}", body)
    print_json(after) if as_json else out.print(Text(f"{after['call_id']} → {after['position']}"))


def _follow(api: Api) -> None:
    """Draw until Ctrl-C; a stream that ends is opened again."""
    with Live(Text("…"), console=out, auto_refresh=False, transient=False) as live:
        while True:
            for _, document in api.events("/api/line/stream"):
                live.update(draw(document), refresh=True)
            live.update(Text(say("stream_cut")), refresh=True)
            time.sleep(RECONNECT_S)


def draw(line: dict[str, Any]) -> RenderableType:
    """The line as two tables under one sentence."""
    session = line["session"]
    state = say(session["state"]) if session else say("no_session")
    longest = minutes(line["longest_wait_s"])
    head = Text(say("line_head", theme="", state=state, depth=line["depth"], longest=longest), style="bold")
    seats = make_table(
        ("col_unit", "col_leader", "col_state", "col_depth"),
        [(seat["unit"], seat["leader"], say(seat["state"]), seat["depth"]) for seat in line["seats"]],
    )
    callers = make_table(
        ("col_position", "col_number", "col_waited", "col_state", "col_carrier", "col_call"),
        [
            (c["position"], c["number"], minutes(c["waited_s"]), say(c["state"]), c["carrier"], c["call_id"])
            for c in line["callers"][:ROWS_MAX]
        ],
    )
    return Group(head, *([seats] if line["seats"] else []), *([callers] if line["callers"] else []))
