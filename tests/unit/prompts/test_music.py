"""Our hold music: the same every time, a minute long, quiet, without a seam."""

import itertools
from pathlib import Path

import pytest

from telephony.music import compose, write_music
from telephony.sound import RATE, Samples, levels


@pytest.fixture(scope="module")
def tune() -> Samples:
    return compose()


def test_it_is_the_same_every_time(tune: Samples) -> None:
    assert compose() == tune


def test_a_minute_of_quiet_sound_that_never_stops(tune: Samples) -> None:
    assert len(tune) / RATE == pytest.approx(60, abs=1)
    assert max(map(abs, tune)) <= 8200
    frames = levels(tune)
    assert min(sum(frames[at : at + 50]) / 50 for at in range(0, len(frames) - 50, 50)) > 150


def test_the_loop_has_no_seam(tune: Samples) -> None:
    steps = max(abs(after - before) for before, after in itertools.pairwise(tune))
    assert abs(tune[0] - tune[-1]) <= steps


def test_it_is_written_once(tmp_path: Path) -> None:
    path = write_music(tmp_path / "moh" / "hold.wav")
    written = path.stat().st_mtime_ns
    assert write_music(path).stat().st_mtime_ns == written
