"""`hotline account`: who may sign in. Works on database and Redis themselves, so that it also helps when nobody can sign in."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from redis.exceptions import RedisError

from api.accounts.model import Account
from api.accounts.passwords import PasswordRefused
from api.accounts.principal import Principal
from api.accounts.register import AccountRefused, UnknownAccount
from api.accounts.tokens import TokenRefused
from api.gate import Gate, assemble_gate
from calls.assembly import build
from cli.client import read_settings
from cli.errors import CommandError, Exit
from cli.options import AsJson
from cli.output import local, out, print_json, print_table, tell
from config.database import DatabaseUnavailable
from config.settings import Settings

app = typer.Typer(no_args_is_help=True, help="账号：新建、列出、停用、重设、一次性链接 · accounts")
T = TypeVar("T")
_BY_COMMAND = Principal("command line", frozenset(), "administrator")

PasswordFromInput = Annotated[
    bool, typer.Option("--password-stdin", help="从标准输入读密码 · read the password from standard input")
]


@app.command("create")
def create_account(
    login: str,
    role: Annotated[str, typer.Option("--role", help="operator leader handler supervisor administrator")],
    name: Annotated[str, typer.Option("--name", help="姓名 · name")] = "",
    unit: Annotated[str, typer.Option("--unit", help="单位（领导、承办单位必填） · unit")] = "",
    password_stdin: PasswordFromInput = False,
) -> None:
    """新建账号；没有密码时给出一次性链接 · make an account; without a password a one-time link is printed."""
    password = _password() if password_stdin else ""

    async def create(gate: Gate) -> tuple[Account, str]:
        account = await gate.accounts.create(login, role, name=name, unit=unit, password=password)
        await gate.trail.write(_BY_COMMAND, "create_account", on_what=f"login={account.login}", result="done")
        return account, "" if password else await gate.links.issue(account.id)

    account, link = with_gate(create)
    tell("account_made", login=account.login, role=account.role)
    if link:
        out.print(link, markup=False, soft_wrap=True)


@app.command("list")
def list_accounts(as_json: AsJson = False) -> None:
    """列出账号 · list the accounts."""

    async def find(gate: Gate) -> list[Account]:
        return list(await gate.accounts.all())

    found = with_gate(find)
    if as_json:
        print_json([{"login": a.login, "role": a.role, "unit": a.unit, "enabled": a.enabled} for a in found])
        return
    rows = [
        (a.login, a.name, a.role, a.unit, "+" if a.enabled else "-", local(a.created_at.isoformat())) for a in found
    ]
    print_table(("col_login", "col_name", "col_role", "col_unit", "col_enabled", "col_created"), rows)


@app.command("disable")
def disable_account(login: str) -> None:
    """停用，立即退出其所有登录 · disable; every login of it ends at once."""
    _change(login, "disable_account", lambda gate: gate.accounts.set_enabled(login, enabled=False))


@app.command("enable")
def enable_account(login: str) -> None:
    """重新启用 · enable again."""
    _change(login, "enable_account", lambda gate: gate.accounts.set_enabled(login, enabled=True))


@app.command("reset")
def reset_account(login: str) -> None:
    """从标准输入读新密码；两步验证关闭 · a new password from standard input; the second factor is turned off."""
    password = _password()
    _change(login, "reset_account", lambda gate: gate.accounts.set_password(login, password))


@app.command("link")
def print_link(login: Annotated[str, typer.Argument(help="默认 admin · admin when empty")] = "") -> None:
    """一次性登录链接 · a one-time sign-in link."""

    async def issue(gate: Gate) -> str:
        account = await gate.accounts.find(login) if login else await gate.accounts.first()
        await gate.trail.write(_BY_COMMAND, "issue_link", on_what=f"login={account.login}", result="done")
        return await gate.links.issue(account.id)

    out.print(with_gate(issue), markup=False, soft_wrap=True)


async def first_link(settings: Settings) -> str:
    """A one-time link for the first administrator, who is made when there is none."""
    core = build(settings)
    try:
        gate = assemble_gate(core)
        return await gate.links.issue((await gate.accounts.first()).id)
    finally:
        await core.close()


def with_gate(act: Callable[[Gate], Awaitable[T]]) -> T:
    """Do something with the accounts. Raises CommandError and nothing else of database, Redis and accounts."""

    async def run() -> T:
        core = build(read_settings())
        try:
            return await act(assemble_gate(core))
        finally:
            await core.close()

    try:
        return asyncio.run(run())
    except (AccountRefused, UnknownAccount, PasswordRefused, TokenRefused) as error:
        raise CommandError(Exit.IMPOSSIBLE, "impossible", code=type(error).__name__, detail=error) from error
    except (DatabaseUnavailable, RedisError, OSError) as error:
        raise CommandError(Exit.UNREACHABLE, "accounts_away", detail=error) from error


def _change(login: str, act: str, change: Callable[[Gate], Awaitable[Account]]) -> None:
    async def changed(gate: Gate) -> Account:
        account = await change(gate)
        await gate.trail.write(_BY_COMMAND, act, on_what=f"login={account.login}", result="done")
        return account

    account = with_gate(changed)
    tell("account_is", login=account.login, enabled="+" if account.enabled else "-")


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("密码 · password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")
