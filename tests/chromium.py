"""The real browser of the tests and figures: the whole Chromium where it is to ask whether a page may have the microphone, which its
headless shell cannot; else the shell, the same engine for a third of the processor."""

import shutil

#: As root, without a screen, and without a word to the network.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip


def find_chromium(*, asks: bool = False) -> str:
    """The path of the browser; of one that `asks`. Raises RuntimeError."""
    program = "chromium" if asks else "chromium-headless-shell"
    found = shutil.which(program)
    if found is None:
        raise RuntimeError(f"{program} is missing: run `make setup-dev`")
    return found
