"""A browser phone as a person uses it: a Chromium with a microphone that speaks a tone, and ears that measure."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from telephony.demo.scenarios import write_tone
from tests.chromium import FLAGS, find_chromium
from tests.phones import hearing
from tests.waiting import until

#: No echo cancellation and the like: a tone is noise to them. And what comes out of the loudspeaker, at 8 kHz.
_EARS = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
const microphones = {};
navigator.mediaDevices.getUserMedia = async ({ audio }) => {
  const stream = await open({ audio: { ...audio, echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  for (const track of stream.getTracks()) microphones[track.id] = track.getSettings().deviceId;
  return stream;
};
window.speaksInto = async () => {
  const told = await document.querySelector('[data-phone]').handset.line.statistics();
  return microphones[[...told.values()].find((one) => one.type === 'media-source').trackIdentifier];
};
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
    """A page with one handset (handset.html) in a profile of its own."""

    page: Page
    context: BrowserContext
    #: Errors on the page's console and in its scripts.
    complaints: list[str] = field(default_factory=list)

    async def open(self, url: str) -> None:
        await self.page.goto(url)

    async def act(self, name: str) -> None:
        """Click dial, answer, hang-up, mute or connect, once it is there."""
        await self.page.click(f"[data-act={name}]:visible")

    async def act_by_key(self, name: str) -> None:
        """The same without a mouse."""
        await self.page.locator(f"[data-act={name}]:visible").press("Enter")

    async def press(self, key: str) -> None:
        """Click a key of the keypad."""
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

    async def speaks_into(self) -> str:
        """The microphone whose sound is sent."""
        return str(await self.page.evaluate("speaksInto()"))

    async def encrypts(self) -> bool:
        """What is said goes by DTLS-SRTP."""
        told = "told => [...told.values()].find((one) => one.type === 'transport')"
        way = await self.page.evaluate(f"document.querySelector('[data-phone]').handset.line.statistics().then({told})")
        return way["dtlsState"] == "connected" and bool(way["srtpCipher"])

    async def take_another_microphone(self) -> None:
        """Chosen among those that are shown."""
        wanted = await self._choose_another("microphone", await self.speaks_into())

        async def is_used() -> bool:
            return await self.speaks_into() == wanted

        await until(is_used, 10, "another microphone")

    async def take_another_loudspeaker(self) -> None:
        voice = self.page.locator("[data-part=voice]")
        wanted = await self._choose_another("speaker", "")

        async def is_used() -> bool:
            return bool(await voice.evaluate("one => one.sinkId") == wanted)

        await until(is_used, 10, "another loudspeaker")

    async def _choose_another(self, part: str, now: str) -> str:
        choice = self.page.locator(f"[data-part={part}]")
        if not await choice.is_visible():
            await self.page.locator("[data-phone] summary").press("Enter")
        shown = await choice.locator("option").evaluate_all("all => all.map(one => one.value)")
        other = next(str(one) for one in shown if one not in (now, "default"))
        await choice.select_option(other)
        return other

    async def level(self, meter: str) -> float:
        """A level meter of the page, 0 to 100: spoken or heard."""
        return float(await self.page.evaluate(f"document.querySelector('[data-part={meter}]').value"))


class Chromiums:
    """One Chromium for each tone, as a microphone belongs to the whole of it; each phone has a profile of its own there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = AsyncExitStack()
        self._running: dict[tuple[float, bool], Browser] = {}

    async def __aenter__(self) -> Self:
        self._playwright = await self._stack.enter_async_context(async_playwright())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def phone(
        self, origin: str, tone_hz: float, *, microphone: bool = True, cookie: tuple[str, str] | None = None,
        believes: bool = False,
    ) -> AsyncIterator[BrowserPhone]:  # fmt: skip
        """`microphone=False`: its use is refused. `believes`: takes a certificate that nobody vouches for.
        `cookie`: name and value of a sign-in at `origin`."""
        browser = await self._with_tone(tone_hz, asks=not microphone)
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
            await context.close()

    async def _with_tone(self, hz: float, *, asks: bool) -> Browser:
        """`asks`: it lets a page have the microphone only once that is permitted."""
        if (hz, asks) not in self._running:
            self._folder.mkdir(parents=True, exist_ok=True)
            speech = write_tone(self._folder / f"{hz:.0f}.wav", hz, 20.0)
            fake = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={speech}"]
            if not asks:
                fake.append("--use-fake-ui-for-media-stream")  # the shell has nobody whom it could ask
            program = find_chromium(asks=asks)
            browser = await self._playwright.chromium.launch(executable_path=program, args=[*FLAGS, *fake])
            self._running[hz, asks] = browser
            self._stack.push_async_callback(browser.close)
        return self._running[hz, asks]
