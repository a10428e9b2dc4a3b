"""Parts of the system as processes of their own: `hotline api`, `bridge`, `worker`, `cron`.

Each is forked from one process that has imported everything once, so that the hundreds of starts of a test run cost no import
each. From there on it is the same command with the same arguments; how the command itself starts is shown by the tests of
`hotline up` and of the command line, which run it as it is installed.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from config.children import end_with_parent

#: What every part imports; the last one makes it theirs in common.
_PRELOADED = [
    "tests.parts", "cli.main", "cli.migrate", "api.server", "api.app", "telephony.asterisk.bridge", "jobs.worker", "jobs.cron",
    "tests.preloaded",
]  # fmt: skip

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(_PRELOADED)


class Part:
    """A running `hotline <arguments>`, with the words of `subprocess.Popen`; leads a process group of its own."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status; negative for a signal. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0.0)
        return code

    def terminate(self) -> None:
        """SIGTERM, to the part alone."""
        self._process.terminate()

    def kill(self) -> None:
        """kill -9, with everything it started."""
        if self._process.exitcode is None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:  # it was forked a moment ago and does not lead a group yet
                self._process.kill()


def start_part(
    *arguments: str, environment: Mapping[str, str], log: Path | None = None, folder: Path | None = None
) -> Part:
    """Run `hotline <arguments>` with exactly this environment. `log`: where it writes (appended), else where we do.
    `folder`: where it runs, else here."""
    if log is not None:
        log.touch()  # who reads it need not wait for the fork
    process = _context.Process(
        target=_become, args=(arguments, dict(environment), log, folder), name=f"hotline {arguments[0]}", daemon=True
    )
    process.start()
    return Part(process)


def run_part(*arguments: str, environment: Mapping[str, str]) -> None:
    """The same until it ends, well."""
    code = start_part(*arguments, environment=environment, log=Path(os.devnull)).wait(60)
    assert code == 0, f"hotline {' '.join(arguments)} ended with {code}"


def _end_with_the_tests() -> None:
    """kill -9 of who started the parts ends them, too. The process that forks them ends when nobody holds its pipe any more: a
    part, which got it for processes of its own, must not; and when it ends, its parts do."""
    end_with_parent()
    pipe = forkserver._forkserver._forkserver_alive_fd  # type: ignore[attr-defined]
    if pipe is not None:
        os.close(pipe)
        forkserver._forkserver._forkserver_alive_fd = None  # type: ignore[attr-defined]


def _become(arguments: tuple[str, ...], environment: dict[str, str], log: Path | None, folder: Path | None) -> None:
    _end_with_the_tests()
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    _connect(0, os.open(os.devnull, os.O_RDONLY))
    if log is not None:
        written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.dup2(written, 1)
        _connect(2, written)
    if folder is not None:
        os.chdir(folder)
    sys.argv = ["hotline", *arguments]
    from cli.main import run  # imported before the fork already

    sys.exit(run())


def _connect(descriptor: int, opened: int) -> None:
    os.dup2(opened, descriptor)
    os.close(opened)
