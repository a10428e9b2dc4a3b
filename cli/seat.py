"""`hotline seat`: a leader signs in, pauses, resumes, signs out (席位)."""

import typer

from cli.client import Api
from cli.messages import say
from cli.options import AsJson, ReasonText, Url
from cli.output import print_json, print_table, tell

app = typer.Typer(no_args_is_help=True, help="席位：签到、暂停、恢复、签退 · seats")


@app.command("list")
def list_seats(url: Url = "", as_json: AsJson = False) -> None:
    """现在的席位 · the seats of the open session."""
    line = Api(url).get("/api/line")
    if as_json:
        print_json(line["seats"])
        return
    rows = [(s["id"], s["unit"], s["leader"], say(s["state"]), s["depth"]) for s in line["seats"]]
    print_table(("col_id", "col_unit", "col_leader", "col_state", "col_depth"), rows)


@app.command("open")
def open_seat(seat_id: str, url: Url = "", as_json: AsJson = False) -> None:
    """签到 · the leader signs in."""
    _act(seat_id, "open", "", url, as_json)


@app.command("pause")
def pause_seat(seat_id: str, reason: ReasonText = "", url: Url = "", as_json: AsJson = False) -> None:
    """暂停：不再接入下一位 · no further callers are put through."""
    _act(seat_id, "pause", reason, url, as_json)


@app.command("resume")
def resume_seat(seat_id: str, url: Url = "", as_json: AsJson = False) -> None:
    """恢复 · callers are put through again."""
    _act(seat_id, "resume", "", url, as_json)


@app.command("ready")
def seat_is_ready(seat_id: str, url: Url = "", as_json: AsJson = False) -> None:
    """不用再整理，马上接下一位 · ready at once: ends wrap-up."""
    _act(seat_id, "resume", "", url, as_json)


@app.command("close")
def close_seat(seat_id: str, reason: ReasonText = "", url: Url = "", as_json: AsJson = False) -> None:
    """签退 · the leader signs out."""
    _act(seat_id, "close", reason, url, as_json)


def _act(seat_id: str, act: str, reason: str, url: str, as_json: bool) -> None:
    after = Api(url).post(f"/api/seats/{seat_id}/{act}", {"reason": reason} if reason else {})
    if as_json:
        print_json(after)
    else:
        tell("seat_is", id=after["id"], state=say(after["state"]))
