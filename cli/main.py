"""The command `hotline`. Builds the command tree and turns every end into one clear line and an exit code (cli.errors.Exit)."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

import typer

from cli import processing
from cli.client import read_settings
from cli.errors import CommandError, Exit
from cli.messages import say
from cli.output import err

#: Command -> where it is. Only the module of the command that was asked for is imported: a part starts twice as fast.
PLACES = {
    "session": "cli.directing:app",
    "seat": "cli.seat:app",
    "line": "cli.line:app",
    "order": "cli.order:app",
    "call": "cli.call:app",
    "account": "cli.account:app",
    "token": "cli.token:app",
    "forecast": "cli.forecast:app",
    "twilio": "cli.twilio:app",
    "ledger": "cli.ledger:app",
    "report": "cli.report:show_report",
    "dial": "cli.dial:dial",
    "self-test": "cli.self_test:self_test",
    "simulate": "cli.simulate:simulate",
}

EPILOG = (
    "退出码 · exit codes: 0 好 ok, 1 否 the answer is no, 2 用法 usage, 3 连不上 unreachable, 4 被拒 refused, "
    "5 无法执行 not possible, 130 Ctrl-C"
)


def tree(arguments: Sequence[str]) -> typer.Typer:
    """The command tree: the one command that `arguments` begin with, else all of them (for --help and for what is unknown)."""
    app = typer.Typer(
        name="hotline",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="12345 热线问政：领导接听市民来电 · the leader answers the citizens' calls",
        epilog=EPILOG,
    )
    app.callback()(lambda: None)
    asked = arguments[0] if arguments else ""
    if asked not in processing.COMMANDS:
        for name in [asked] if asked in PLACES else PLACES:
            _add(app, name)
    if asked not in PLACES:
        processing.add_commands(app)
    return app


def _add(app: typer.Typer, name: str) -> None:
    module, _, attribute = PLACES[name].partition(":")
    found: typer.Typer | Callable[..., None] = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name)
    else:
        app.command(name)(found)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Nothing escapes but the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        tree(words)(args=words, prog_name="hotline", standalone_mode=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(Exit.USAGE)
    except CommandError as error:
        err.print(str(error), markup=False, style="red")
        return int(error.code)
    except KeyboardInterrupt:
        err.print(say("interrupted"))
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:
        return int(Exit.OK)
    except Exception as error:  # noqa: BLE001 - a person gets a sentence, the log gets the trace
        _report(error)
        return int(Exit.NEGATIVE)
    return int(Exit.OK)


def _report(error: Exception) -> None:
    err.print(say("unforeseen", kind=type(error).__name__), markup=False, style="red")
    if read_settings().log_level == "debug":
        err.print_exception()


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run())


if __name__ == "__main__":
    main()
