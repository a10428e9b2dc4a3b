"""The commands that run a part as a process of its own. Each part is imported when its command runs: the others stay quick."""

import asyncio
from importlib import import_module
from typing import Annotated, Literal

import typer
import uvloop

from cli.client import read_settings
from cli.errors import CommandError, Exit
from cli.options import AsJson
from config.logging import configure
from config.memory import settle
from config.settings import Settings

#: Parts that log; the others speak to a person.
LOGGED = ("bridge", "worker", "fetcher", "cron")


#: What a tree of commands gets from here.
COMMANDS = ("up", "doctor", "migrate", "health", "asterisk", "api", "bridge", "worker", "cron")


def add_commands(app: typer.Typer) -> None:
    """Put up, doctor and every single part into the command tree."""
    for command in (up, doctor, migrate, health, asterisk, api, bridge, worker, cron):
        app.command(command.__name__)(command)


def up() -> None:
    """在一台机器上启动全部 · run everything on this machine."""
    _run("cli.up", "up")


def doctor(
    as_json: AsJson = False,
    install: Annotated[
        bool, typer.Option("--install", help="取来缺少的程序 · fetch the programs that are missing")
    ] = False,
) -> None:
    """检查缺什么、怎么办 · what is there, what is missing, what to do."""
    from cli.doctor import run

    raise typer.Exit(run(read_settings(), as_json, install))


def migrate() -> None:
    """更新数据库表 · bring the database to this version's tables."""
    _run("cli.migrate", "migrate")


def health(part: Annotated[str, typer.Argument(help="api asterisk bridge worker fetcher cron")]) -> None:
    """这个部件正常吗（退出码） · does this part do its work (exit code)."""
    from cli.health import PARTS, run

    if part not in PARTS:
        raise typer.BadParameter(f"{part}: {' '.join(PARTS)}")
    raise typer.Exit(run(read_settings(), part))


def asterisk() -> None:
    """以我们的配置运行 Asterisk · become an Asterisk with our configuration."""
    _run("cli.asterisk", "asterisk")


def api(
    host: Annotated[str, typer.Option("--host", help="监听地址 · address to listen on")] = "",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="监听端口 · port to listen on")] = 0,
) -> None:
    """接口进程 · the HTTP API."""
    from api.server import CertificateRefused, PortTaken, run

    given = {name: value for name, value in (("http_host", host), ("http_port", port)) if value}
    settings = read_settings().model_copy(update=given)
    configure(settings, "api")
    try:
        run(settings)
    except PortTaken as taken:
        raise CommandError(Exit.UNREACHABLE, "port_taken", detail=taken) from taken
    except CertificateRefused as refused:
        raise CommandError(Exit.USAGE, "bad_setting", detail=f"HOTLINE_TLS_CERT, HOTLINE_TLS_KEY: {refused}") from refused


def bridge() -> None:
    """Asterisk 桥 · the bridge that drives one Asterisk node."""
    _run("telephony.asterisk.bridge", "bridge")


def worker(
    only: Annotated[
        Literal["quick", "slow", ""],
        typer.Option("--only", help="quick 派单、回访等；slow 取云端录音 · dispatch and calls; or fetching the cloud's recordings"),
    ] = "",
) -> None:
    """后台任务 · background jobs."""
    _run("jobs.worker", "fetcher" if only == "slow" else "worker", only=only)


def cron() -> None:
    """定时任务 · the cron table."""
    _run("jobs.cron", "cron")


def _run(module: str, part: str, **more: str) -> None:
    """Run `module.run(settings)`, a coroutine or not, until it ends; its number, if it answers one, is the exit code."""
    settings: Settings = read_settings()
    try:
        start = import_module(module).run
    except ModuleNotFoundError as error:
        raise CommandError(Exit.UNREACHABLE, "part_missing", part=error.name) from error
    if part in LOGGED:
        configure(settings, part)
        settle()
    code = start(settings, **more)
    if asyncio.iscoroutine(code):
        code = uvloop.run(code)  # half the processor time of a turn is the loop's and the sockets'
    raise typer.Exit(code if isinstance(code, int) else Exit.OK)
