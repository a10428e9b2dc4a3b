"""Copies what the pages need out of npm's packages: `python -m api.console.collect`, run by `make setup`."""

import os
import shutil
import subprocess
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
#: The one script that is put together here: JsSIP comes in many files.
PHONE = "phone.js"
ESBUILD = ("--format=iife", "--target=es2022", "--charset=utf8", "--legal-comments=none", "--log-level=warning")


def collect(modules: Path, target: Path) -> list[str]:
    """Names that were copied. Raises FileNotFoundError for a package that is not installed."""
    target.mkdir(parents=True, exist_ok=True)
    for source, name in WANTED.items():
        shutil.copyfile(modules / source, target / name)
    return list(WANTED.values())


def bundle(modules: Path, target: Path) -> str:
    """Name of the browser phone's script, with JsSIP in it. Raises FileNotFoundError, CalledProcessError."""
    program, source = str(modules / "esbuild" / "bin" / "esbuild"), str(HERE / "phone" / "phone.js")
    command = [program, source, "--bundle", "--minify", *ESBUILD, f"--outfile={target / PHONE}"]
    subprocess.run(command, check=True, env={**os.environ, "NODE_PATH": str(modules)})
    return PHONE


if __name__ == "__main__":
    try:
        collect(ROOT / "node_modules", HERE / "vendor")
        bundle(ROOT / "node_modules", HERE / "vendor")
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is missing: run `npm ci`")
