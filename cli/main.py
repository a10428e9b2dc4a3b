"""The command `hotline`. Builds the command tree and turns every end into one clear line and an exit code (cli.errors.Exit)."""

import sys
from collections.abc import Sequence

import typer

from cli import (
    account,
    call,
    dial,
    directing,
    forecast,
    ledger,
    line,
    order,
    processing,
    report,
    seat,
    simulate,
    token,
    twilio,
)
from cli.client import read_settings
from cli.errors import CommandError, Exit
from cli.messages import say
from cli.output import err

EPILOG = (
    "退出码 · exit codes: 0 好 ok, 1 否 the answer is no, 2 用法 usage, 3 连不上 unreachable, 4 被拒 refused, "
    "5 做不到 not possible, 130 Ctrl-C"
)

app = typer.Typer(
    name="hotline",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="12345 热线问政：领导接听市民来电 · the leader answers the citizens' calls",
    epilog=EPILOG,
)
app.add_typer(directing.app, name="session")
app.add_typer(seat.app, name="seat")
app.add_typer(line.app, name="line")
app.add_typer(order.app, name="order")
app.add_typer(call.app, name="call")
app.add_typer(account.app, name="account")
app.add_typer(token.app, name="token")
app.add_typer(forecast.app, name="forecast")
app.add_typer(twilio.app, name="twilio")
app.add_typer(ledger.app, name="ledger")
app.command("report")(report.show_report)
app.command("dial")(dial.dial)
app.command("simulate")(simulate.simulate)
processing.add_commands(app)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Nothing escapes but the exit code."""
    try:
        app(args=list(sys.argv[1:] if arguments is None else arguments), prog_name="hotline", standalone_mode=True)
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
