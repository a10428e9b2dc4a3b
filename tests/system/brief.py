"""Sentences as blips: calls are over in seconds, and which sentence it was tells the name of its file."""

from array import array
from pathlib import Path

from config.settings import Settings
from ivr.call import Language
from ivr.facts import SeatFacts, SessionFacts
from ivr.verbs import Prompt
from telephony.music import write_music
from telephony.prompts import Prompts
from telephony.sound import write_wav

LANGUAGE: Language = "zh-Hans"
#: 0.1 s at 8 kHz: quiet, not silent.
_BLIP = array("h", (300 if n // 8 % 2 else -300 for n in range(800)))
#: Whose names are spoken: those of Installation.open_session, in turn at as many seats as a session can have.
UNITS = (("市教育局", "李四"), ("市住建局", "张三"))
_SEATS = tuple(SeatFacts(str(n), *UNITS[n % 2], "free") for n in range(9))
_HELD = SessionFacts("s", 0.0, 0.0, seats=_SEATS)


class Brief:
    """A folder as `Installation.shared`; `key` tells the sentence of a file or of its URL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        prompts = Prompts(Settings(state_dir=folder, _env_file=None))
        write_music(folder / "moh" / "hold.wav")
        self._sentences = {prompts.path(prompt, LANGUAGE).name: prompt for prompt in prompts.known([_HELD])}
        self._sounds = prompts.folder / LANGUAGE
        for name in self._sentences:
            write_wav(self._sounds / name, _BLIP)

    def make_longer(self, key: str, seconds: float) -> None:
        """This sentence takes so long from now on."""
        for name, prompt in self._sentences.items():
            if prompt.key == key:
                write_wav(self._sounds / name, _BLIP * round(seconds * 10))

    def prompt(self, sound: str) -> Prompt | None:
        """The sentence of a path (with or without its extension) or a URL; None for music and the like."""
        return self._sentences.get(Path(sound).with_suffix(".wav").name)
