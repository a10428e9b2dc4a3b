"""Asterisk's call records against the ledger. Reads the record file of the Asterisk on this machine."""

from pathlib import Path
from typing import Any

from cli.client import Api, read_settings
from cli.errors import CommandError, Exit
from telephony.asterisk.cdr import calls
from telephony.asterisk.record_files import kept, read_kept


def compare_records(api: Api) -> dict[str, Any]:
    """`records` = calls that Asterisk knows, `missing` = those of them without an outcome in the ledger."""
    settings = read_settings()
    path = record_file(settings.state_dir)
    if not kept(path):
        raise CommandError(Exit.UNREACHABLE, "part_missing", part=path)
    known = calls(read_kept(path))
    return {"records": len(known), "missing": [call_id for call_id in known if not _is_closed(api, call_id)]}


def record_file(state_dir: Path) -> Path:
    """Where the Asterisk of this instance writes its records."""
    return state_dir / "asterisk" / "log" / "cdr-custom" / "hotline.csv"


def _is_closed(api: Api, call_id: str) -> bool:
    try:
        return bool(api.get(f"/api/calls/{call_id}")["outcome"])
    except CommandError as error:
        if error.code is Exit.IMPOSSIBLE:
            return False
        raise
