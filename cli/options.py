"""Options that many commands share, one word and one meaning each."""

from typing import Annotated

import typer

Url = Annotated[
    str,
    typer.Option(
        "--url", envvar="HOTLINE_API", help="API 的地址，默认取自设置 · address of the API", show_default=False
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="稳定的 JSON 输出 · stable JSON for scripts")]
ReasonText = Annotated[
    str, typer.Option("--reason", help="原因，记入台账 · the reason, kept in the ledger", show_default=False)
]
