"""A browser phone as a person uses it: one Chromium with a microphone that speaks a tone, and ears that measure."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from playwright.async_api import BrowserContext, Page, async_playwright

from telephony.demo.scenarios import write_tone
from tests.chromium import FLAGS, find_chromium
from tests.phones import hearing

#: No echo cancellation and the like: a tone is noise to them. And what comes out of the loudspeaker, at 8 kHz.
_EARS = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = ({ audio }) =>
  open({ audio: { ...audio, echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
window.listenFor = (seconds) => new Promise((done) => {
  const ear = new AudioContext({ sampleRate: 8000 });
  const source = ear.createMediaStreamSource(document.querySelector('[data-part=voice]').srcObject);
  const tap = ear.createScriptProcessor(1024, 1, 1);
  const heard = [];
  tap.onaudioprocess = ({ inputBuffer }) => {
    heard.push(...Array.from(inputBuffer.getChannelData(0), (one) => Math.round(one * 32767)));
    if (heard.length < seconds * 8000) return;
    tap.onaudioprocess = null;
    ear.close();
    done(heard);
  };
  source.connect(tap).connect(ear.destination);
});
"""


@dataclass(slots=True)
class BrowserPhone:
    """A page with one handset (handset.html) in a browser of its own."""

    page: Page
    context: BrowserContext
    #: Errors on the page's console and in its scripts.
    complaints: list[str] = field(default_factory=list)

    async def open(self, url: str) -> None:
        await self.page.goto(url)

    async def act(self, name: str) -> None:
        """Click dial, answer, hang-up, mute or connect, once it is there."""
        await self.page.click(f"[data-act={name}]:visible")

    async def press(self, key: str) -> None:
        await self.page.click(f'[data-key="{key}"]:enabled')

    async def until(self, state: str, within_s: float = 20.0) -> None:
        """The handset is in this state: off connecting ready away calling ringing talking."""
        try:
            await self.page.wait_for_selector(f"[data-phone][data-state={state}]", timeout=within_s * 1000)
        except Exception as error:
            raise AssertionError(f"not {state} but {await self.says()}; {self.complaints}") from error

    async def says(self) -> Mapping[str, str]:
        """What a person reads: the state, and the problem if there is one."""
        names = ("state", "problem", "number")
        texts = [await self.page.text_content(f"[data-part={name}]") or "" for name in names]
        return dict(zip(names, texts, strict=True))

    async def until_problem(self, reason: str, within_s: float = 15.0) -> str:
        """The sentence of this problem, visible."""
        await self.page.wait_for_selector(
            f"[data-problem={reason}] [data-part=problem]:visible", timeout=within_s * 1000
        )
        return (await self.says())["problem"]

    async def listen(self, seconds: float) -> hearing.Samples:
        """What the loudspeaker plays meanwhile, 8 kHz."""
        return np.array(await self.page.evaluate("(seconds) => listenFor(seconds)", seconds), dtype=np.float64)

    async def level(self, meter: str) -> float:
        """A level meter of the page, 0 to 100: spoken or heard."""
        return float(await self.page.evaluate(f"document.querySelector('[data-part={meter}]').value"))


@asynccontextmanager
async def browser_phone(
    folder: Path, origin: str, tone_hz: float, *, microphone: bool = True, cookie: tuple[str, str] | None = None,
    believes: bool = False,
) -> AsyncIterator[BrowserPhone]:  # fmt: skip
    """`microphone=False`: its use is refused. `believes`: takes a certificate that nobody vouches for.
    `cookie`: name and value of a sign-in at `origin`."""
    speech = _speech(folder, tone_hz)
    arguments = [
        *FLAGS, "--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={speech}",
    ]  # fmt: skip
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(microphone=True), args=arguments)
        context = await browser.new_context(ignore_https_errors=believes)
        if microphone:
            await context.grant_permissions(["microphone"], origin=origin)
        if cookie is not None:
            await context.add_cookies([{"name": cookie[0], "value": cookie[1], "url": origin}])
        await context.add_init_script(_EARS)
        phone = BrowserPhone(await context.new_page(), context)
        phone.page.on("console", lambda said: phone.complaints.append(said.text) if said.type == "error" else None)
        phone.page.on("pageerror", lambda error: phone.complaints.append(str(error)))
        try:
            yield phone
        finally:
            await browser.close()


def _speech(folder: Path, tone_hz: float) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return write_tone(folder / "speech.wav", tone_hz, 20.0)
