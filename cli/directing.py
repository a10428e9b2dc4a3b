"""Acts on a session that is held: `hotline session announce | hold | resume | admission | extend | stop | fairness`."""

from typing import Annotated

import typer

from cli.client import Api
from cli.errors import Exit
from cli.messages import say
from cli.options import AsJson, ReasonText, Url
from cli.output import out, print_json, tell
from cli.session import app, read_moment

__all__ = ["app"]


@app.command("announce")
def announce(session_id: str, notice: str, reason: ReasonText, url: Url = "", as_json: AsJson = False) -> None:
    """向等候的人播报：leader_late、postponed、ending_soon 等 · tell everybody who waits."""
    _tell_waiting(session_id, "announce", {"notice": notice, "reason": reason}, url, as_json)


@app.command("hold")
def hold(session_id: str, reason: ReasonText, url: Url = "", as_json: AsJson = False) -> None:
    """暂停接入，位置保留 · put nobody through for a while."""
    _tell_waiting(session_id, "hold", {"reason": reason}, url, as_json)


@app.command("resume")
def resume(session_id: str, reason: ReasonText, url: Url = "", as_json: AsJson = False) -> None:
    """继续接入 · go on."""
    _tell_waiting(session_id, "resume", {"reason": reason}, url, as_json)


@app.command("admission")
def admission(
    session_id: str,
    reason: ReasonText,
    is_open: Annotated[bool, typer.Option("--open/--closed", help="开放或停止排队 · let new callers wait or not")],
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """停止或恢复排队 · close or open the line for new callers."""
    _change(session_id, "admission", {"open": is_open, "reason": reason}, url, as_json)


@app.command("extend")
def extend(session_id: str, closes_at: str, reason: ReasonText, url: Url = "", as_json: AsJson = False) -> None:
    """延长本场 · close later than planned."""
    body: dict[str, object] = {"closes_at": read_moment("CLOSES_AT", closes_at), "reason": reason}
    _change(session_id, "extend", body, url, as_json)


@app.command("stop")
def stop(session_id: str, reason: ReasonText, url: Url = "", as_json: AsJson = False) -> None:
    """紧急停止：等候的人都转为工单，通话告知双方后结束，来电人将获回拨 · emergency stop, ends the talk too."""
    _change(session_id, "stop", {"reason": reason}, url, as_json)


@app.command("fairness")
def fairness(session_id: str, url: Url = "", as_json: AsJson = False) -> None:
    """公平性：实际顺序与排队顺序，每处不同都有原因 · the served order against the joining order."""
    found = Api(url).get(f"/api/sessions/{session_id}/fairness")
    if as_json:
        print_json(found)
    else:
        for one in found["deviations"]:
            why = [*one["reasons"], *(f"? {call_id}" for call_id in one["unexplained"])]
            out.print(f"{one['call_id']} > {' '.join(one['overtook'])}: {'; '.join(why)}", markup=False)
        out.print(say("fairness", served=found["served"], unexplained=found["unexplained"]))
    if found["unexplained"]:
        raise typer.Exit(Exit.NEGATIVE)


def _tell_waiting(session_id: str, act: str, body: dict[str, object], url: str, as_json: bool) -> None:
    after = Api(url).post(f"/api/sessions/{session_id}/{act}", body)
    print_json(after) if as_json else out.print(say("told", told=after["told"]))


def _change(session_id: str, act: str, body: dict[str, object], url: str, as_json: bool) -> None:
    after = Api(url).post(f"/api/sessions/{session_id}/{act}", body)
    if as_json:
        print_json(after)
    else:
        tell("session_is", id=after["id"], state=say(after["state"]))
