"""How this program was called, so that what it says can be copied."""

import shutil
import sys
from pathlib import Path

_NAME = "hotline"


def called() -> str:
    """`hotline` when it is found by that name, else with its folder as it was given: `.venv/bin/hotline`."""
    given = sys.argv[0]
    if Path(given).name != _NAME:
        return _NAME
    found = shutil.which(_NAME)
    return _NAME if found and Path(found).resolve() == Path(given).resolve() else given
