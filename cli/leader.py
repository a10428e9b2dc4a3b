"""A leader for a demonstration: sipp answers at the seat's line, the seat is signed in while it does."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.live import Live

from cli.client import Api
from cli.errors import CommandError, Exit
from cli.line import RECONNECT_S, draw
from cli.output import out, tell
from cli.phones import is_taken, media_port, running
from config.native import Program
from telephony.demo.scenarios import Leader, Place, leader_argv

#: sipp listens at once, or not at all.
LISTEN_S = 5.0
_HERE = ("127.0.0.1", "localhost")


def answer_calls(api: Api, sipp: Program, talk_s: float) -> None:
    """Answer every call at the seat until Ctrl-C, and show the line meanwhile."""
    seat = find_seat(api)
    port = local_port(seat["line"]["asterisk"])
    if is_taken(port):
        raise CommandError(Exit.UNREACHABLE, "leader_port_taken", port=port)
    with TemporaryDirectory(prefix="hotline-leader-") as name:
        folder = Path(name)
        place = Place(port=port, media_port=media_port())
        argv = leader_argv(sipp, Leader(talk_s=talk_s), folder, place)
        with running(sipp, argv, folder) as phone:
            _wait_until_listening(port, folder)
            with _signed_in(api, seat["id"]):
                address = seat["line"]["asterisk"]
                tell("leader_ready", leader=seat["leader"], unit=seat["unit"], address=address)
                _show_line(api, phone.poll)


def find_seat(api: Api) -> dict[str, Any]:
    """The first seat of the open session that answers on this machine. Raises CommandError."""
    session = api.get("/api/line")["session"]
    if session is None:
        raise CommandError(Exit.IMPOSSIBLE, "no_open_session")
    for seat in api.get(f"/api/sessions/{session['id']}")["seats"]:
        if local_port(seat["line"]["asterisk"] or ""):
            found: dict[str, Any] = seat
            return found
    raise CommandError(Exit.IMPOSSIBLE, "no_seat_here")


def local_port(uri: str) -> int:
    """The port of `sip:user@127.0.0.1:port`; 0 when the line is elsewhere."""
    host, _, port = uri.partition("@")[2].partition(":")
    return int(port) if host in _HERE and port.isdecimal() else 0


@contextmanager
def _signed_in(api: Api, seat_id: str) -> Iterator[None]:
    """Signed in and ready; at the end the seat pauses, so that nobody who waits is sent away."""
    api.post(f"/api/seats/{seat_id}/open")
    api.post(f"/api/seats/{seat_id}/resume")
    try:
        yield
    finally:
        api.post(f"/api/seats/{seat_id}/pause", {"reason": "demonstration ended"})


def _wait_until_listening(port: int, folder: Path) -> None:
    deadline = time.monotonic() + LISTEN_S
    while not is_taken(port):
        if time.monotonic() > deadline:
            log = folder / "leader.err"
            detail = log.read_text(errors="replace")[-200:] if log.exists() else "sipp"
            raise CommandError(Exit.NEGATIVE, "phone_failed", detail=detail)
        time.sleep(0.05)


def _show_line(api: Api, poll: Any) -> None:
    with Live(console=out, auto_refresh=False, transient=True) as live:
        while poll() is None:
            for _, line in api.events("/api/line/stream"):
                if out.is_terminal:
                    live.update(draw(line), refresh=True)
                if poll() is not None:
                    return
            time.sleep(RECONNECT_S)
