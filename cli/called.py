"""How this program was called, so that what it says can be copied."""

import shutil
import sys
from pathlib import Path

_NAME = "hotline"


def called() -> str:
    """`hotline` when it is found by that name, else with its folder as seen from here: `.venv/bin/hotline`."""
    given = Path(sys.argv[0]).absolute()
    found = shutil.which(_NAME)
    if given.name != _NAME or (found and Path(found).resolve() == given.resolve()):
        return _NAME
    return str(given.relative_to(Path.cwd()) if given.is_relative_to(Path.cwd()) else given)
