"""Who looks at pages in a test, and what they look for: axe's rules, and that every piece is come to without a mouse."""

from playwright.async_api import Browser, Page

from tests.console.conftest import Console, enter, faults_of, pretty, script_of

_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]},
    "resultTypes": ["violations"],
}


class Visitors:
    """One browser profile for each who looks: signed in once, with axe on every page."""

    def __init__(self, browser: Browser, console: Console) -> None:
        self._browser, self._console = browser, console
        self._pages: dict[str, Page] = {}

    async def page_of(self, login: str) -> Page:
        if login not in self._pages:
            page = await enter(self._browser, self._console, login, reduced_motion="reduce")
            await page.context.add_init_script(script_of("axe-core/axe.min.js"))
            self._pages[login] = page
        faults_of(self._pages[login]).clear()
        return self._pages[login]

    async def speaks(self, page: Page, language: str) -> None:
        await page.context.add_cookies([{"name": "hotline-language", "value": language, "url": self._console.url}])


async def is_accessible(page: Page, where: str) -> None:
    found = await page.evaluate("rules => axe.run(document, rules)", _RULES)
    faults = [
        {"rule": one["id"], "impact": one["impact"], "where": [node["html"][:160] for node in one["nodes"][:3]]}
        for one in found["violations"]
        if one["impact"] in ("serious", "critical", "moderate")
    ]
    assert faults == [], f"{where}: {pretty(faults)}"


async def goes_through_by_tab(page: Page, where: str) -> None:
    """Every link, field and button that is there is come to by Tab, is seen to have the focus, and is left again."""
    await page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    missed: list[str] = await page.evaluate(_FOLLOW)
    assert missed, where
    for _ in range(8):  # dates and players are come to in their parts
        for _ in range(max(len(missed), 10) + 3):
            await page.keyboard.press("Tab")
        missed, unseen = await page.evaluate("[missed(), unseen]")
        assert unseen == [], f"{where}: without an outline"
        if not missed:
            return
    raise AssertionError(f"{where}: never come to {missed[:3]}")


#: What can have the focus is marked until it has had it; of radio buttons of a group, the arrows do the rest.
_FOLLOW = """() => {
  const groups = new Set();
  for (const one of document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')) {
    if (one.disabled || one.type === 'hidden' || !one.checkVisibility({ visibilityProperty: true })) continue;
    if (one.type === 'radio') { if (groups.has(one.name)) continue; groups.add(one.name); }
    one.dataset.tabTo = '';
  }
  window.unseen = [];
  window.missed = () => [...document.querySelectorAll('[data-tab-to]')].map((one) => one.outerHTML.slice(0, 120));
  document.addEventListener('focusin', ({ target }) => {
    if (target.matches('audio')) return;
    const style = getComputedStyle(target);
    delete target.dataset.tabTo;
    if (target.type === 'radio') for (const other of document.getElementsByName(target.name)) delete other.dataset.tabTo;
    const isSeen = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || target.matches('.skip');
    if (!isSeen) window.unseen.push(target.outerHTML.slice(0, 160));
  });
  return window.missed();
}"""
