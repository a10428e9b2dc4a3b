"""Tells how far the run is."""

import sys
import time

_begun = time.monotonic()


def say(text: str) -> None:
    """One line with the minutes and seconds since the start, on stderr."""
    minutes, seconds = divmod(int(time.monotonic() - _begun), 60)
    print(f"[{minutes:2d}:{seconds:02d}] {text}", file=sys.stderr, flush=True)
