"""Everything that can be heard, made before the first call: hold music, Asterisk's own fallback, all prompts.

`python -m telephony.sounds` does it and shows how far it is. It takes half a minute once, and nothing the next time.
"""

import asyncio
import sys
from collections.abc import Iterable

from config.settings import Settings, load_settings
from ivr.facts import SessionFacts
from telephony.music import write_music
from telephony.prompts import Progress, Prompts
from telephony.speech import SpeechUnavailable


async def prepare_first(settings: Settings) -> None:
    """What must be there before Asterisk starts: music and the fallback's sentences. Takes two seconds, once."""
    await asyncio.to_thread(write_music, settings.state_dir / "moh" / "hold.wav")
    await Prompts(settings).write_fallback(settings.state_dir / "asterisk" / "sounds")


async def prepare(settings: Settings, sessions: Iterable[SessionFacts] = (), progress: Progress | None = None) -> int:
    """Everything. Returns how many prompts were made. Raises SpeechUnavailable without an engine."""
    await prepare_first(settings)
    return await Prompts(settings).warm(sessions, progress)


def _show(done: int, total: int) -> None:
    if done % 100 == 0 or done == total:
        print(f"prompts {done}/{total}", file=sys.stderr, flush=True)


def main() -> int:
    """Exit code 0, or 1 when there is no speech engine."""
    try:
        made = asyncio.run(prepare(load_settings(), progress=_show))
    except SpeechUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{made} prompts made")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
