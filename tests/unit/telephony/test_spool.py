"""A message that the dialplan recorded is in the call's recording once, wherever a crash came in between."""

import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from telephony.asterisk.spool import Spool, seconds_of

CALL, NAME = "a-pbx1-7-1", "a-pbx1-7-1-m3"
#: More than the steps of any way: renames and removals.
STEPS = 8


class Crash(BaseException):
    """The process dies."""


def speak(path: Path, seconds: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes([seconds]) * 16000 * seconds)


def dies_before(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is gone when it wants to change the folder for this time."""
    done = 0

    def counted(act: Callable[..., object]) -> Callable[..., object]:
        def change(*given: object, **more: object) -> object:
            nonlocal done
            done += 1
            if done == step:
                raise Crash
            return act(*given, **more)

        return change

    monkeypatch.setattr(Path, "replace", counted(Path.replace))
    monkeypatch.setattr(Path, "unlink", counted(Path.unlink))
    monkeypatch.setattr(wave.Wave_write, "writeframes", counted(wave.Wave_write.writeframes))


@pytest.mark.parametrize("step", range(1, STEPS))
@pytest.mark.parametrize("said_before_s", [0, 3])
def test_given_a_crash_at_any_point_when_it_is_taken_again_then_every_second_is_there_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, said_before_s: int
) -> None:
    folder, recordings = tmp_path / "spool", tmp_path / "recordings"
    folder.mkdir()
    recordings.mkdir()
    spool = Spool(folder, recordings)
    speak(folder / f"{CALL}.wav", 2)
    if said_before_s:
        speak(recordings / f"{NAME}.wav", said_before_s)
    with monkeypatch.context() as patch:
        dies_before(step, patch)
        try:
            spool.take(CALL, NAME)
        except Crash:
            assert spool.holds(CALL) or seconds_of(recordings / f"{NAME}.wav") == said_before_s + 2
    assert spool.take(CALL, NAME) == said_before_s + 2
    assert spool.take(CALL, NAME) == said_before_s + 2
    assert not spool.holds(CALL)
    said = (recordings / f"{NAME}.wav").read_bytes()[44:]
    assert said == bytes([said_before_s]) * 16000 * said_before_s + bytes([2]) * 16000 * 2
    assert [file.suffix for file in folder.iterdir() if file.suffix != ".draft"] == []


def test_given_a_message_that_is_set_aside_then_it_becomes_a_recording_of_its_own(tmp_path: Path) -> None:
    spool = Spool(tmp_path, tmp_path / "recordings")
    speak(tmp_path / f"{CALL}.wav", 2)
    spool.set_aside(CALL)
    spool.set_aside(CALL)
    assert (spool.holds(CALL), spool.late()) == (False, [CALL])
    spool.give_late(CALL, f"{CALL}-m0")
    spool.give_late(CALL, f"{CALL}-m0")
    spool.forget_late(CALL)
    spool.forget_late(CALL)
    assert spool.late() == []
    assert seconds_of(tmp_path / "recordings" / f"{CALL}-m0.wav") == 2
