"""`hotline dial`: real SIP calls as citizens, or answering as the leader, so that the whole is seen without a phone."""

import signal
from typing import Annotated

import typer

from cli.citizens import Wish, place_calls
from cli.client import Api, read_settings
from cli.cloud import MESSAGE_S, place_cloud_call
from cli.errors import CommandError, Exit
from cli.leader import answer_calls
from cli.options import AsJson, Url
from config.native import Program, find_program
from telephony.demo.cloud import CloudCall

#: More at once are a load test, not a demonstration.
CALLERS_MAX = 500
#: A leader's talk in a demonstration.
TALK_S = 10.0
#: Patience of a citizen in a demonstration.
STAY_S = 120.0


def dial(
    wait: Annotated[bool, typer.Option("--wait", help="按 1 等候（默认） · press 1 and wait (the default)")] = False,
    decline: Annotated[bool, typer.Option("--decline", help="按 2 留言转工单 · press 2 and leave the matter")] = False,
    leader: Annotated[bool, typer.Option("--leader", help="作为领导接听 · answer as the leader")] = False,
    cloud: Annotated[bool, typer.Option("--cloud", help="经云电话的替身拨入 · call through a double of the cloud phone")] = False,
    callers: Annotated[int, typer.Option("--callers", min=1, max=CALLERS_MAX, help="来电数 · how many call")] = 1,
    seconds: Annotated[
        float,
        typer.Option(
            "--seconds", min=0, help="市民最多等多久，领导通话多久 · patience, or length of a talk; 0 = default"
        ),
    ] = 0.0,
    number: Annotated[str, typer.Option("--number", help="主叫号码 · calling number of the first")] = "",
    target: Annotated[str, typer.Option("--target", help="SIP 地址 host:port · where the hotline takes SIP")] = "",
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """拨打 12345，或作为领导接听 · call 12345 as citizens, or answer as the leader."""
    if wait + decline + leader > 1:
        raise CommandError(
            Exit.USAGE, "bad_value", name="dial", value="--wait --decline --leader", hint="只选一个 · one of them"
        )
    if number and not all(char.isalnum() or char in "+-_." for char in number):
        raise CommandError(Exit.USAGE, "bad_value", name="--number", value="-", hint="13800005678")
    # SIGTERM ends the phones as Ctrl-C does; a shell's background job ignores SIGINT unless told otherwise.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if cloud:
        _dial_cloud(wait=wait, decline=decline, seconds=seconds, number=number, as_json=as_json)
        return
    sipp, api = _find_sipp(), Api(url)
    if leader:
        answer_calls(api, sipp, seconds or TALK_S)
        return
    settings = read_settings()
    wish = Wish(
        kind="decline" if decline else "wait",
        callers=callers,
        stay_s=seconds or STAY_S,
        number=number,
        target=target or f"127.0.0.1:{settings.sip_port}",
        service=settings.service_number,
    )
    if not place_calls(api, sipp, wish, as_json=as_json):
        raise typer.Exit(Exit.NEGATIVE)


def _dial_cloud(*, wait: bool, decline: bool, seconds: float, number: str, as_json: bool) -> None:
    keys = ("2",) if decline else ("1",) if wait else ()
    speak_s = MESSAGE_S if decline else 0.0
    call = CloudCall(caller=number, keys=keys, speak_s=speak_s, stay_s=seconds, talk_s=TALK_S)
    if not place_cloud_call(read_settings(), call, as_json=as_json):
        raise typer.Exit(Exit.NEGATIVE)


def _find_sipp() -> Program:
    sipp = find_program("sipp")
    if sipp is None:
        raise CommandError(Exit.UNREACHABLE, "program_missing", name="sipp", command="hotline doctor --install")
    return sipp
