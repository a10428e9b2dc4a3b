"""Prompts by the real engine: speech, kept by content, replaceable by a recorded file, never in a caller's way."""

import asyncio
import itertools
from pathlib import Path

import pytest

from config.settings import Settings
from ivr.call import Language
from ivr.facts import SeatFacts, SessionFacts
from ivr.verbs import Prompt
from telephony import prompts as prompts_module
from telephony import speech
from telephony.prompts import Prompts
from telephony.sound import RATE, levels, read_wav, write_wav
from telephony.sounds import prepare_first

QUESTION = (
    Prompt("greeting", {"city": "衡阳市"}),
    Prompt("answering_unit", {"unit": "市教育局"}),
    Prompt("answering_leader", {"leader": "李明"}),
    Prompt("waiting_now", {"count": 12}),
    Prompt("choose_line"),
)


@pytest.fixture
def instance(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path, _env_file=None)


async def test_the_question_is_speech_that_starts_at_once(instance: Settings) -> None:
    sounds = await Prompts(instance).audio(QUESTION, "zh-Hans")
    assert len(sounds) == len(QUESTION)
    for sound in sounds:
        samples = read_wav(sound.read_bytes())
        frames = levels(samples)
        assert 1.0 < len(samples) / RATE < 12
        assert next(at for at, level in enumerate(frames) if level > 150) < 5  # 50 ms
        assert 1500 < (sum(value * value for value in samples) / len(samples)) ** 0.5 < 6000
        assert max(map(abs, samples)) < 24000
        # Speech rises and falls with its syllables; a tone or noise does not.
        assert sum(1 for a, b in itertools.pairwise(frames) if (a < 800) != (b < 800)) > 4


async def test_mandarin_is_not_read_as_english_letters() -> None:
    spoken = speech._run("-v", speech.MANDARIN, "-b", "1", "--stdin", "-x", "-q", text="现在有两位在等候，还有再听一遍")
    phonemes = spoken.decode()
    assert "(en)" not in phonemes
    assert "w'ei51" in phonemes
    assert "X'ai35" in phonemes


async def test_what_is_made_is_found_at_once_and_by_another_process_too(instance: Settings) -> None:
    first = await Prompts(instance).audio(QUESTION, "zh-Hans")
    made = [sound.stat().st_mtime_ns for sound in first]
    other = Prompts(instance)
    second = await other.audio(QUESTION, "zh-Hans")
    assert [sound.stat().st_mtime_ns for sound in second] == made


async def test_who_stops_does_not_wait_for_all_that_is_being_made(instance: Settings) -> None:
    """A first start makes more than a thousand: SIGTERM must not wait for them."""
    begun = asyncio.Event()

    def progress(done: int, total: int) -> None:
        if done < total:
            begun.set()

    prompts = Prompts(instance)
    making = asyncio.create_task(prompts.warm(progress=progress))
    await begun.wait()
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert len(list(prompts.folder.rglob("*.wav"))) < len(list(prompts.known(()))) / 2


async def test_many_callers_who_want_the_same_new_sentence_make_it_once(
    instance: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    original = prompts_module.make

    def make(text: str, language: Language, path: Path, recorded: Path | None) -> None:
        made.append(path)
        original(text, language, path, recorded)

    monkeypatch.setattr(prompts_module, "make", make)
    prompts = Prompts(instance)
    sounds = await asyncio.gather(*(prompts.audio([Prompt("goodbye")], "zh-Hans") for _ in range(50)))
    assert len(made) == 1
    assert len({sound for (sound,) in sounds}) == 1


async def test_a_recorded_file_takes_the_sentence_s_place_at_once_and_gives_it_back(instance: Settings) -> None:
    prompts = Prompts(instance)
    (spoken,) = await prompts.audio([Prompt("goodbye")], "zh-Hans")
    recorded = instance.state_dir / "prompts" / "recorded" / "zh-Hans" / "goodbye.wav"
    write_wav(recorded, speech.tone(2.0, 500))
    (replaced,) = await prompts.audio([Prompt("goodbye")], "zh-Hans")
    assert replaced != spoken
    assert len(read_wav(replaced.read_bytes())) / RATE == pytest.approx(2.05, abs=0.1)
    recorded.unlink()
    assert await prompts.audio([Prompt("goodbye")], "zh-Hans") == [spoken]


async def test_a_recorded_file_for_one_value(instance: Settings) -> None:
    recorded = instance.state_dir / "prompts" / "recorded" / "zh-Hans" / "ahead-3.wav"
    write_wav(recorded, speech.tone(2.0, 500))
    prompts = Prompts(instance)
    assert prompts.recorded(Prompt("ahead", {"count": 3}), "zh-Hans") == recorded
    assert prompts.recorded(Prompt("ahead", {"count": 4}), "zh-Hans") is None
    assert prompts.recorded(Prompt("answering_unit", {"unit": "../../ahead-3"}), "zh-Hans") is None


async def test_a_recorded_file_that_is_no_sound_is_passed_over(instance: Settings) -> None:
    recorded = instance.state_dir / "prompts" / "recorded" / "zh-Hans" / "goodbye.wav"
    recorded.parent.mkdir(parents=True)
    recorded.write_bytes(b"not a sound")
    (sound,) = await Prompts(instance).audio([Prompt("goodbye")], "zh-Hans")
    assert len(read_wav(sound.read_bytes())) > RATE // 4


async def test_without_an_engine_the_caller_still_hears_something(
    instance: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_program(*arguments: str, text: str = "") -> bytes:
        raise speech.SpeechUnavailable("espeak-ng is not installed")

    speech.engine_version.cache_clear()
    monkeypatch.setattr(speech, "_run", no_program)
    try:
        (sound,) = await Prompts(instance).audio([Prompt("goodbye")], "zh-Hans")
    finally:
        speech.engine_version.cache_clear()
    assert max(map(abs, read_wav(sound.read_bytes()))) > 3000


async def test_a_slow_engine_holds_nobody_longer_than_the_patience(
    instance: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = asyncio.Event()
    monkeypatch.setattr(prompts_module, "PATIENCE_S", 0.1)
    prompts = Prompts(instance)

    async def never(prompt: Prompt, language: Language, path: Path) -> None:
        await stuck.wait()

    monkeypatch.setattr(prompts, "_make_off_the_loop", never)
    (sound,) = await prompts.audio([Prompt("goodbye")], "zh-Hans")
    assert not stuck.is_set()
    assert sound.name == "tone.wav"
    stuck.set()
    await asyncio.gather(*prompts._making.values())


async def test_names_of_a_session_are_made_beforehand(instance: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts_module, "all_prompts", lambda language: [Prompt("goodbye")])
    seat = SeatFacts(id="s", unit="市教育局", leader="李明", state="free")
    session = SessionFacts(id="s", opens_at=0, closes_at=1, seats=(seat,))
    prompts, told = Prompts(instance), list[tuple[int, int]]()
    assert await prompts.warm([session], progress=lambda done, total: told.append((done, total))) == 6
    assert told[-1] == (6, 6)
    assert await prompts.warm([session]) == 0
    assert prompts.path(Prompt("next_unit", {"unit": "市教育局"}), "zh-Hans").exists()


async def test_a_chinese_name_in_an_english_sentence_is_spoken_by_the_chinese_voice(instance: Settings) -> None:
    assert [voice for _, voice in speech._parts("hotline of 衡阳市.", "en")] == [speech.ENGLISH, speech.MANDARIN]
    (sound,) = await Prompts(instance).audio([Prompt("greeting", {"city": "衡阳市"})], "en")
    assert 2 < len(read_wav(sound.read_bytes())) / RATE < 12


async def test_music_and_the_fallback_are_there_before_asterisk_starts(instance: Settings) -> None:
    await prepare_first(instance)
    sounds = instance.state_dir / "asterisk" / "sounds"
    assert {file.name for file in sounds.iterdir()} == {"sorry.wav", "leave_message.wav", "thank_you.wav", "beep.wav"}
    assert (instance.state_dir / "moh" / "hold.wav").exists()
