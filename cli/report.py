"""`hotline report SESSION`: who waited how long, who was put through, what was promised, whether the order was kept."""

import sys
from typing import Annotated

import typer

from cli.client import Api
from cli.errors import CommandError, Exit
from cli.options import AsJson, Url
from cli.output import out, print_json


def show_report(
    session_id: Annotated[str, typer.Argument(help="场次 · session")],
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="表格 · a table for spreadsheets")] = False,
    as_html: Annotated[bool, typer.Option("--html", help="可打印的网页 · a page to print")] = False,
    url: Url = "",
) -> None:
    """场次报告 · the report of a session."""
    if as_json + as_csv + as_html > 1:
        raise CommandError(Exit.USAGE, "bad_value", name="--json --csv --html", value="", hint="1")
    api, path = Api(url), f"/api/sessions/{session_id}/report"
    if as_json:
        print_json(api.get(path))
    elif as_html:
        sys.stdout.write(api.text(path, {"format": "html"}))
    elif as_csv:
        sys.stdout.write(api.text(path, {"format": "csv"}))
    else:
        for line in api.text(path, {"format": "csv"}).removeprefix("\ufeff").splitlines()[1:]:
            if not line.startswith("depth,"):
                out.print(line.replace(",", "  "), markup=False)
