"""`hotline session`: plan, open, close, postpone and cancel a session (場次)."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cli.client import Api, read_settings
from cli.errors import CommandError, Exit
from cli.messages import say
from cli.options import AsJson, ReasonText, Url
from cli.output import local, print_json, print_table, tell
from telephony.demo.cloud import is_configured

app = typer.Typer(no_args_is_help=True, help="场次：建立、开始、结束、改期、取消 · sessions")

#: How far above the SIP port the demonstration's leader listens, so that two instances never meet.
LEADER_PORT_ABOVE = 1000
DEMO_LENGTH = timedelta(hours=2)
_COLUMNS = ("col_id", "col_state", "col_opens", "col_closes", "col_theme", "col_unit", "col_leader")


@app.command("create")
def create_session(
    opens_at: Annotated[str, typer.Option("--opens-at", help="开始时间 · e.g. 2026-12-03T09:00")] = "",
    closes_at: Annotated[str, typer.Option("--closes-at", help="结束时间 · e.g. 2026-12-03T11:00")] = "",
    theme: Annotated[str, typer.Option("--theme", help="主题 · theme")] = "",
    seat: Annotated[
        list[str], typer.Option("--seat", help="席位：单位,领导,线路[,线路] · unit,leader,sip:user@host:port[,+86...]")
    ] = [],  # noqa: B006 - typer reads it, nobody changes it
    demo: Annotated[bool, typer.Option("--demo", help="演示场次：现在开始，两小时 · opens now, for two hours")] = False,
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """建立场次 · plan a session; one whose time has come opens at once."""
    body = (
        demo_session(datetime.now(UTC))
        if demo
        else {
            "opens_at": read_moment("--opens-at", opens_at),
            "closes_at": read_moment("--closes-at", closes_at),
            "theme": theme,
            "seats": [_read_seat(text) for text in seat],
        }
    )
    made = Api(url).post("/api/sessions", body)
    if as_json:
        print_json(made)
        return
    opens, closes = local(made["opens_at"]), local(made["closes_at"])
    tell("session_made", id=made["id"], state=say(made["state"]), opens=opens, closes=closes)
    print_table(
        ("col_id", "col_unit", "col_leader", "col_line"),
        [(s["id"], s["unit"], s["leader"], s["line"]["asterisk"] or s["line"]["twilio"]) for s in made["seats"]],
    )
    if demo:
        tell("demo_next")


def demo_session(now: datetime) -> dict[str, Any]:
    """A session that opens now, with one leader who answers on this machine (see `hotline dial --leader`, `--cloud`)."""
    settings = read_settings()
    line = {"asterisk": f"sip:leader@127.0.0.1:{settings.sip_port + LEADER_PORT_ABOVE}"}
    if is_configured(settings):
        line["twilio"] = line["asterisk"]  # the cloud is played on this machine, and its leader, too
    seat = {"unit": "演示单位", "leader": "演示领导", "line": line}
    return {
        "opens_at": now.isoformat(),
        "closes_at": (now + DEMO_LENGTH).isoformat(),
        "theme": "演示场次",
        "seats": [seat],
    }


@app.command("list")
def list_sessions(url: Url = "", as_json: AsJson = False) -> None:
    """列出场次 · list the sessions."""
    found = Api(url).get("/api/sessions")
    if as_json:
        print_json(found)
        return
    print_table(
        _COLUMNS,
        [
            (
                item["id"],
                say(item["state"]),
                local(item["opens_at"]),
                local(item["closes_at"]),
                item["theme"],
                "、".join(seat["unit"] for seat in item["seats"]),
                "、".join(seat["leader"] for seat in item["seats"]),
            )
            for item in found["items"]
        ],
    )


@app.command("open")
def open_session(session_id: str, url: Url = "", as_json: AsJson = False) -> None:
    """现在开始 · open it now."""
    _act(session_id, "open", {}, url, as_json)


@app.command("close")
def close_session(session_id: str, reason: ReasonText = "", url: Url = "", as_json: AsJson = False) -> None:
    """现在结束；等候的人都转为工单 · close it now; who waits becomes a work order."""
    _act(session_id, "close", {"reason": reason or None}, url, as_json)


@app.command("postpone")
def postpone_session(
    session_id: str,
    opens_at: Annotated[str, typer.Option("--opens-at", help="新的开始时间 · the new time, if known")] = "",
    closes_at: Annotated[str, typer.Option("--closes-at", help="新的结束时间 · the new end")] = "",
    reason: ReasonText = "",
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """改期 · postpone it; one that is open ends now, and the one held instead is told."""
    body: dict[str, object] = {"reason": reason} if reason else {}
    if opens_at:
        body["opens_at"] = read_moment("--opens-at", opens_at)
    if closes_at:
        body["closes_at"] = read_moment("--closes-at", closes_at)
    _act(session_id, "postpone", body, url, as_json)


@app.command("cancel")
def cancel_session(session_id: str, reason: ReasonText = "", url: Url = "", as_json: AsJson = False) -> None:
    """取消 · cancel it."""
    _act(session_id, "cancel", {"reason": reason or None}, url, as_json)


def _act(session_id: str, act: str, body: dict[str, object], url: str, as_json: bool) -> None:
    after = Api(url).post(f"/api/sessions/{session_id}/{act}", body)
    if as_json:
        print_json(after)
    else:
        tell("session_is", id=after["id"], state=say(after["state"]))


def read_moment(name: str, text: str) -> str:
    """ISO 8601 with an offset; a time without one is read in the service's time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(Exit.USAGE, "bad_value", name=name, value=text or "-", hint="2026-12-03T09:00") from error
    zone = ZoneInfo(read_settings().timezone)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()


def _read_seat(text: str) -> dict[str, Any]:
    match [part.strip() for part in text.split(",")]:
        case [unit, leader, first, *rest] if unit and leader and len(rest) <= 1:
            # Further lines of the same carrier, rung in turn, are separated by blanks.
            line = {("asterisk" if one.startswith("sip") else "twilio"): ",".join(one.split()) for one in (first, *rest)}
            return {"unit": unit, "leader": leader, "line": line}
        case _:
            raise CommandError(
                Exit.USAGE, "bad_value", name="--seat", value=text, hint="单位,领导,sip:leader@host:port"
            )
