"""Recorded sentences of the measured town: short tones where a sentence would only take time, or must be recognised."""

from pathlib import Path

from bench.progress import say
from config.native import native_dir
from config.settings import Settings
from ivr.verbs import Prompt
from telephony.demo.scenarios import write_tone
from telephony.prompts import Prompts
from telephony.sounds import prepare

#: After key 1 and key 2 every caller hears this first, on both sides: so the change of prompt is seen to the packet.
NEXT_PROMPT_HZ, NEXT_PROMPT_S = 1000.0, 0.8
#: The leader hears a short tone instead of "等候十二分钟": the handover does not depend on it, the run's length does.
WHISPER_HZ, WHISPER_S = 600.0, 0.12
MOST_BEHIND, MOST_MINUTES = 640, 60
#: Talks of a second make the forecast promise thousands; no real session has such numbers, and none is spoken beforehand.
MOST_SERVED = 4000

QUESTION = (
    Prompt("greeting", {"city": "衡阳市"}),
    Prompt("nobody_waits"),
    Prompt("choose_line"),
)
WAITING = (Prompt("waiting_joined"),)
MESSAGE = (Prompt("message_declined"), Prompt("message_what"), Prompt("message_how", {"minutes": 2}))
THANKS = (Prompt("goodbye_order_recorded"), Prompt("goodbye"))


async def prepare_shared() -> Path:
    """The folder with prompts and music for all installations of the bench; made once, kept by content."""
    folder = native_dir().parent / "bench"
    settings = Settings(state_dir=folder, _env_file=None)
    recorded = folder / "prompts" / "recorded" / settings.language
    _borrow(folder, settings.language)
    for key in ("waiting_joined", "waiting_free", "message_declined"):
        _tone(recorded / f"{key}.wav", NEXT_PROMPT_HZ, NEXT_PROMPT_S)
    # A caller whose talk is over makes room for the next one at once, as behind app_queue.
    for key in ("goodbye_talked", "goodbye"):
        _tone(recorded / f"{key}.wav", WHISPER_HZ, WHISPER_S)
    whispers = [
        Prompt("whisper_new"),
        *(Prompt("whisper_waited", {"minutes": n}) for n in range(1, MOST_MINUTES)),
        *(Prompt("whisper_behind", {"count": n}) for n in range(1, MOST_BEHIND)),
    ]
    served = [Prompt("can_serve", {"count": n}) for n in range(1, MOST_SERVED)]
    for prompt in (*whispers, *served):
        value = "".join(f"-{value}" for value in prompt.values.values())
        _tone(recorded / f"{prompt.key}{value}.wav", WHISPER_HZ, WHISPER_S)
    await prepare(settings, progress=_tell)
    prompts = Prompts(settings)
    await prompts.audio([*whispers, *served[:60]], settings.language)
    return folder


def _borrow(folder: Path, language: str) -> None:
    """Sentences that the tests or an instance have made already are not made again."""
    own = folder / "prompts" / language
    made = native_dir().parent / "tests" / "prompts" / language
    if not own.exists() and made.is_dir():
        own.parent.mkdir(parents=True, exist_ok=True)
        own.symlink_to(made)


def _tell(done: int, total: int) -> None:
    if done % 500 == 0 or done == total:
        say(f"  prompts {done}/{total}")


def _tone(path: Path, hz: float, seconds: float) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tone(path, hz, seconds)
