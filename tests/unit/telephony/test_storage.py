"""What is said at start when recordings cannot be kept."""

import shutil
from pathlib import Path

import pytest

from telephony.asterisk.storage import LEAST_FREE_BYTES, trouble_with


@pytest.mark.parametrize(("free", "is_trouble"), [(LEAST_FREE_BYTES, False), (LEAST_FREE_BYTES - 1, True), (0, True)])
def test_given_a_disk_that_is_nearly_full_then_it_is_said_before_anybody_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, is_trouble: bool
) -> None:
    real = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: real._replace(free=free))
    said = trouble_with(tmp_path / "recordings")
    assert bool(said) is is_trouble
    if is_trouble:
        assert f"only {free >> 20} MB are free" in said
        assert "make room" in said
