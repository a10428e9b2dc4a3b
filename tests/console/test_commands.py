"""`hotline account` and `hotline token` beside a running instance, and the link that `hotline up` prints."""

import asyncio
import sys

import pytest

from cli.account import first_link
from tests.console.conftest import Console

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _hotline(console: Console, *arguments: str, typed: str = "") -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", *arguments, env=console.environment,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate(typed.encode())
    return process.returncode or 0, said.decode()


async def test_an_account_is_made_linked_reset_and_disabled(console: Console) -> None:
    code, said = await _hotline(console, "account", "create", "zhang", "--role", "leader", "--unit", "市住建局")
    assert code == 0, said
    path = next(word for word in said.split() if "/sign-in/link/" in word).removeprefix(console.url)
    async with console.client("") as http:
        assert (await http.post(path)).status_code == 303
        assert (await http.get("/board")).status_code == 200
        code, said = await _hotline(console, "account", "reset", "zhang", typed="a new pass phrase\n")
        assert code == 0, said
        assert (await http.get("/board")).status_code == 303, "a reset ends every login"
        form = {"login": "zhang", "password": "a new pass phrase"}
        assert (await http.post("/sign-in", data=form)).status_code == 303
        assert (await _hotline(console, "account", "disable", "zhang"))[0] == 0
        assert (await http.get("/board")).status_code == 303
    assert '"zhang"' in (await _hotline(console, "account", "list", "--json"))[1]
    assert (await console.gate.trail.read(act="disable_account", limit=1))[0].on_what == "login=zhang"


@pytest.mark.parametrize(
    "arguments",
    [
        ("account", "create", "X Y", "--role", "operator"),
        ("account", "create", "li", "--role", "leader"),
        ("account", "create", "li", "--role", "king"),
        ("account", "disable", "nobody"),
        ("account", "disable", "root"),
        ("token", "create", "t", "--scope", "everything"),
    ],
)
async def test_what_cannot_be_is_refused(console: Console, arguments: tuple[str, ...]) -> None:
    code, said = await _hotline(console, *arguments)
    assert code == 5, said
    assert "Traceback" not in said


async def test_a_token_is_shown_once_and_works(console: Console) -> None:
    code, said = await _hotline(console, "token", "create", "probe", "--scope", "read", "--days", "1")
    assert code == 0, said
    async with console.client(said.strip()) as http:
        assert (await http.get("/api/line")).status_code == 200
    assert said.strip() not in (await _hotline(console, "token", "list"))[1]


async def test_the_link_of_a_first_start_opens_everything(console: Console) -> None:
    path = (await first_link(console.settings)).removeprefix(console.url)
    async with console.client("") as http:
        assert (await http.post(path)).status_code == 303
        assert (await http.get("/accounts")).status_code == 200
