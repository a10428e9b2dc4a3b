"""Copies what the pages need out of npm's packages: `python -m api.console.collect`, run by `make setup`."""

import shutil
import sys
from pathlib import Path

from api.console.assets import HERE

ROOT = HERE.parent.parent
#: file in node_modules -> name in vendor/
WANTED = {
    "htmx.org/dist/htmx.min.js": "htmx.js",
    "htmx-ext-sse/dist/sse.min.js": "htmx-sse.js",
    "uplot/dist/uPlot.iife.min.js": "uplot.js",
    "uplot/dist/uPlot.min.css": "uplot.css",
}


def collect(modules: Path, target: Path) -> list[str]:
    """Names that were copied. Raises FileNotFoundError for a package that is not installed."""
    target.mkdir(parents=True, exist_ok=True)
    for source, name in WANTED.items():
        shutil.copyfile(modules / source, target / name)
    return list(WANTED.values())


if __name__ == "__main__":
    try:
        collect(ROOT / "node_modules", HERE / "vendor")
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is missing: run `npm ci`")
