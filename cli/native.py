"""`python -m cli.native [--dev]`: fetches the programs that are neither installed nor unpacked yet."""

import sys
from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from config.debian import PackagesUnavailable, fetch
from config.native import find_program

#: Asterisk, the voice, and the phones of `hotline dial`.
TO_RUN = ("asterisk", "espeak-ng", "baresip", "sipp")

#: Checks docker-compose.yml against the real schema; proxies before the API.
TO_TEST = (*TO_RUN, "docker-compose", "nginx")


def main(arguments: list[str]) -> int:
    """Exit code 0 when every program can be started afterwards. `--dev`: also those that only tests need."""
    return 0 if install(TO_TEST if arguments == ["--dev"] else TO_RUN) else 1


def install(programs: Iterable[str]) -> bool:
    """Fetches what is missing, with progress on the terminal; True when nothing is missing any more."""
    missing = [name for name in programs if find_program(name) is None]
    if not missing:
        return True
    out = Console(stderr=True)
    out.print(f"fetching {', '.join(missing)} from Debian (about 75 MB, once; nothing is installed into the system)")
    try:
        _fetch(missing, out)
    except PackagesUnavailable as reason:
        out.print(f"cannot fetch {', '.join(missing)}: {reason}", style="red", markup=False)
        return False
    return True


def _fetch(programs: list[str], out: Console) -> None:
    share, text = TextColumn("{task.percentage:>3.0f}%"), TextColumn("{task.description}")
    columns = (BarColumn(), share, TimeElapsedColumn(), text)
    with Progress(*columns, console=out) as bar:
        task = bar.add_task("", total=1.0)
        fetch(programs, lambda text, share: bar.update(task, description=text[:60], completed=share))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
