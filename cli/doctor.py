"""`hotline doctor`: what is there, what is missing, what to do. Fetches missing programs when asked to, else only looks."""

import asyncio
import json
import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.checks import Finding, examine
from cli.native import TO_RUN, install
from cli.platform_messages import sentence
from config.settings import Settings

_SIGNS = {"ok": ("✓", "green"), "note": ("·", "yellow"), "missing": ("✗", "red")}


def run(settings: Settings, as_json: bool = False, fetch: bool = False) -> int:
    """Prints the findings; 1 when something that is needed is missing."""
    if fetch:
        install(TO_RUN)
    findings = asyncio.run(examine(settings))
    missing = sum(finding.state == "missing" for finding in findings)
    if as_json:
        document = {"ok": not missing, "findings": [finding.as_dict() for finding in findings]}
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    else:
        _print_table(findings, missing, settings)
    return 1 if missing else 0


def _print_table(findings: list[Finding], missing: int, settings: Settings) -> None:
    language = settings.language
    table = Table(*(sentence(column, language) for column in ("part", "state", "what", "todo")))
    for finding in findings:
        sign, colour = _SIGNS[finding.state]
        table.add_row(Text(finding.subject), Text(sign, colour), Text(finding.what), Text(finding.todo))
    out = Console()
    out.print(table)
    out.print(sentence("something_missing" if missing else "all_there", language, count=missing))
