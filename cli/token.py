"""`hotline token`: API tokens for automation, each with its scopes."""

from typing import Annotated

import typer

from api.accounts.model import ApiToken
from api.accounts.principal import Principal
from api.gate import Gate
from cli.account import with_gate
from cli.errors import CommandError, Exit
from cli.options import AsJson
from cli.output import local, out, print_json, print_table, tell

app = typer.Typer(no_args_is_help=True, help="API 令牌：新建、列出、吊销 · tokens of the API")
_BY_COMMAND = Principal("command line", frozenset(), "administrator")
DAY_S = 86_400


@app.command("create")
def create_token(
    name: str,
    scope: Annotated[list[str], typer.Option("--scope", help="read line sessions seats orders numbers ...")],
    days: Annotated[
        int, typer.Option("--days", min=0, help="有效天数，0 不过期 · days it is valid, 0 = for ever")
    ] = 365,
) -> None:
    """新建令牌，只显示这一次 · make a token; it is shown this once."""

    async def create(gate: Gate) -> str:
        token = await gate.tokens.create(name, scope, days * DAY_S)
        await gate.trail.write(_BY_COMMAND, "create_token", on_what=f"name={name} {' '.join(scope)}", result="done")
        return token

    out.print(with_gate(create), markup=False, soft_wrap=True)


@app.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """列出令牌 · list the tokens."""

    async def find(gate: Gate) -> list[ApiToken]:
        return list(await gate.tokens.all())

    found = with_gate(find)
    if as_json:
        print_json([{"name": t.name, "scopes": t.scopes, "revoked": t.revoked_at is not None} for t in found])
        return
    rows = [
        (
            t.name,
            " ".join(t.scopes),
            "-" if t.revoked_at else "+",
            local(t.created_at.isoformat()),
            local(t.expires_at.isoformat()) if t.expires_at else "",
        )
        for t in found
    ]
    print_table(("col_name", "col_scopes", "col_enabled", "col_created", "col_expires"), rows)


@app.command("revoke")
def revoke_token(name: str) -> None:
    """吊销，立即失效 · revoke; it is refused from now on."""

    async def revoke(gate: Gate) -> bool:
        await gate.trail.write(_BY_COMMAND, "revoke_token", on_what=f"name={name}", result="done")
        return await gate.tokens.revoke(name)

    if not with_gate(revoke):
        raise CommandError(Exit.IMPOSSIBLE, "impossible", code="UnknownToken", detail=name)
    tell("token_revoked", name=name)
