"""`hotline self-test`: before a session opens, ring every seat's line for real and say what came of it."""

import time
from typing import Annotated, Any

import typer

from cli.client import Api
from cli.errors import CommandError, Exit
from cli.messages import say
from cli.options import AsJson, Url
from cli.output import print_json, print_table

#: As long as the longest test call, and a little more.
WITHIN_S = 75.0
ASK_EVERY_S = 0.5


def self_test(
    session_id: Annotated[str, typer.Argument(help="场次；省略即下一场 · the session; the next one when left out")] = "",
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """开场前试呼各席位 · test calls to every seat before a session opens."""
    api = Api(url)
    path = f"/api/sessions/{session_id or _next_session(api)}/test-calls"
    made = api.post(path)
    give_up = time.monotonic() + WITHIN_S
    while any(not item["result"] for item in made["items"]) and time.monotonic() < give_up:
        time.sleep(ASK_EVERY_S)
        made = api.get(path)
    if as_json:
        print_json(made)
    else:
        rows = [(i["leader"], i["line"], say(f"test_{i['result'] or 'no_bridge'}"), i["ring_s"], i["recorded_s"]) for i in made["items"]]
        print_table(("col_leader", "col_line", "col_result", "col_rang", "col_recorded"), rows)
    if not all(item["result"] == "answered" for item in made["items"]):
        raise typer.Exit(int(Exit.NEGATIVE))


def _next_session(api: Api) -> str:
    coming: list[Any] = [one for one in api.get("/api/sessions")["items"] if one["state"] in ("planned", "postponed")]
    if not coming:
        raise CommandError(Exit.IMPOSSIBLE, "impossible", code="session_not_found", detail="-")
    return str(min(coming, key=lambda one: str(one["opens_at"]))["id"])
