"""Is there room for what callers say? Looks only; what a full disk means for a call is the stage's."""

import os
import shutil
from pathlib import Path

#: An hour of messages and talks at 16 kB a second.
LEAST_FREE_BYTES = 64 << 20


def trouble_with(folder: Path) -> str:
    """What is wrong with the folder of recordings, and what to do; empty when it can be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"recordings cannot be kept in {folder}: {error.strerror}; set HOTLINE_RECORDINGS_DIR"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"recordings cannot be kept in {folder}: no right to write; set HOTLINE_RECORDINGS_DIR"
    if free < LEAST_FREE_BYTES:
        return f"recordings: only {free >> 20} MB are free for {folder}; make room"
    return ""
