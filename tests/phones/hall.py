"""The room of a test with browser phones: who sits at which, and who is signed in."""

from contextlib import AsyncExitStack
from pathlib import Path

from api.gate import Gate, assemble_gate
from tests.phones.baresip import Phone
from tests.phones.browser import BrowserPhone, Chromiums
from tests.system.installation import Installation

CITIZEN_HZ, LEADER_HZ, OPERATOR_HZ = 500.0, 900.0, 1700.0
#: The line of a seat whose leader answers in the browser.
BROWSER_LINE = "sip:web-1@browser"
#: The leader of the seat that Installation.open_session makes.
LEADER, UNIT = "zhang", "市住建局"


def gate_of(house: Installation) -> Gate:
    return assemble_gate(house.core)


def origin_of(house: Installation) -> str:
    return f"http://127.0.0.1:{house.settings.http_port}"


async def sign_in(house: Installation, login: str) -> tuple[str, str]:
    """Name and value of the cookie."""
    gate = gate_of(house)
    account = await gate.accounts.find(login)
    value = await gate.logins.begin(account.id, account.login, account.name, account.role, account.unit, "link")
    return gate.cookie, value


class Hall:
    """Opens phones that end with the test."""

    def __init__(self, house: Installation, folder: Path, stack: AsyncExitStack, chromiums: Chromiums) -> None:
        self.house, self.folder, self.stack, self.chromiums = house, folder, stack, chromiums

    async def citizen(self) -> BrowserPhone:
        phone = await self._browser(CITIZEN_HZ, None)
        await phone.open(f"{origin_of(self.house)}/phone")
        return phone

    async def leader(self, seat_id: str) -> BrowserPhone:
        phone = await self._browser(LEADER_HZ, await sign_in(self.house, LEADER))
        await phone.open(f"{origin_of(self.house)}/phone/seat/{seat_id}")
        await phone.until("ready")
        return phone

    async def desk_of(self, login: str, call_id: str) -> BrowserPhone:
        """An operator who looks at a call, with the phone left switched off."""
        cookie = await sign_in(self.house, login)
        phone = await self._browser(LEADER_HZ, cookie, microphone=False)
        await phone.open(f"{origin_of(self.house)}/desk?call={call_id}")
        return phone

    async def desk(self, seat_id: str) -> BrowserPhone:
        """The leader at the leader's desk, with the handset that is on it."""
        phone = await self._browser(LEADER_HZ, await sign_in(self.house, LEADER))
        await phone.open(f"{origin_of(self.house)}/leader?seat={seat_id}")
        await phone.until("ready")
        return phone

    async def operator(self, login: str) -> BrowserPhone:
        """An operator at the desk, with the operators' handset that is on it."""
        phone = await self._browser(OPERATOR_HZ, await sign_in(self.house, login))
        await phone.open(f"{origin_of(self.house)}/desk")
        await phone.until("ready")
        return phone

    async def sip(self, number: str, tone_hz: float) -> Phone:
        return await self.stack.enter_async_context(Phone(self.folder / f"sip{number}", number, tone_hz=tone_hz))

    async def _browser(
        self, tone_hz: float, cookie: tuple[str, str] | None, *, microphone: bool = True
    ) -> BrowserPhone:
        phone = self.chromiums.phone(origin_of(self.house), tone_hz, cookie=cookie, microphone=microphone)
        return await self.stack.enter_async_context(phone)
