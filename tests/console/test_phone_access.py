"""Who gets a browser phone, for how long, and what it does when the microphone, the api or Asterisk is not there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from api.phone.desks import Desks
from api.phone.tickets import VALID_S
from tests.certificates import own_address, self_signed
from tests.phones import hearing
from tests.phones.browser import Chromiums
from tests.phones.hall import BROWSER_LINE, CITIZEN_HZ, LEADER, LEADER_HZ, UNIT, gate_of, origin_of, sign_in
from tests.servers import free_port
from tests.system.conftest import brisk, shared
from tests.system.installation import Installation
from tests.system.watch import session
from tests.waiting import patient, until

__all__ = ["shared"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOREIGN_LEADER = "li"
REGISTER = (
    "REGISTER sip:hotline.invalid SIP/2.0\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK-{name}\r\nMax-Forwards: 69\r\n"
    "To: <sip:{name}@hotline.invalid>\r\nFrom: <sip:{name}@hotline.invalid>;tag=1\r\nCall-ID: {name}\r\n"
    "CSeq: 1 REGISTER\r\nContact: <sip:x@a.invalid;transport=ws>;expires=60\r\nContent-Length: 0\r\n\r\n"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> AsyncIterator[Installation]:
    async with brisk(tmp_path_factory.mktemp("access"), shared) as installation:
        await gate_of(installation).accounts.create(LEADER, "leader", unit=UNIT)
        await gate_of(installation).accounts.create(FOREIGN_LEADER, "leader", unit="市人社局")
        yield installation


async def ask(house: Installation, wanted: dict[str, str], login: str = "") -> httpx.Response:
    """For a ticket, as a page of `login` does."""
    cookies, headers = {}, {}
    if login:
        name, value = await sign_in(house, login)
        found = await gate_of(house).logins.find(value)
        assert found is not None
        cookies, headers = {name: value}, {"X-CSRF-Token": found.csrf}
    async with httpx.AsyncClient(
        base_url=origin_of(house), cookies=cookies, headers=headers, trust_env=False
    ) as client:
        return await client.post("/api/phone/tickets", json=wanted)


async def citizens_ticket(house: Installation) -> str:
    return str((await ask(house, {"purpose": "citizen"})).json()["ticket"])


def socket(
    house: Installation, ticket: str, origin: str | None = None, cookie: tuple[str, str] | None = None
) -> connect:
    headers = {"Cookie": "=".join(cookie)} if cookie else {}
    return connect(
        f"ws://127.0.0.1:{house.settings.http_port}/ws", proxy=None, additional_headers=headers,
        origin=Origin(origin_of(house) if origin is None else origin),
        subprotocols=[Subprotocol("sip"), Subprotocol(f"ticket.{ticket}")],
    )  # fmt: skip


async def refused(attempt: connect) -> bool:
    try:
        async with attempt:
            return False
    except InvalidStatus as answer:
        return answer.response.status_code == 403


async def test_a_ticket_opens_one_connection_from_our_pages_and_expires(house: Installation) -> None:
    ticket = await citizens_ticket(house)
    async with socket(house, ticket) as open_one:
        assert open_one.subprotocol == "sip"
        assert await refused(socket(house, ticket)), "used a second time"
    assert await refused(socket(house, "never-given"))
    for origin in ("https://elsewhere.example", "null", ""):
        assert await refused(socket(house, await citizens_ticket(house), origin)), origin
    late = await citizens_ticket(house)
    keys = [key async for key in house.core.redis.scan_iter(f"{house.settings.redis_prefix}phone-ticket:*")]
    lifetimes = [await house.core.redis.ttl(key) for key in keys]
    assert lifetimes
    assert all(0 < left <= VALID_S for left in lifetimes)
    for key in keys:
        await house.core.redis.pexpire(key, 1)
    await until(lambda: _gone(house, keys), 5, "expiry")
    assert await refused(socket(house, late)), "expired"


async def _gone(house: Installation, keys: list[Any]) -> bool:
    return not await house.core.redis.exists(*keys)


async def test_a_leader_gets_the_phone_of_the_own_seat_only(house: Installation) -> None:
    async with session(house, BROWSER_LINE, sign_in=False) as (_, seat_id):
        wanted = {"purpose": "seat", "seat_id": seat_id}
        assert (await ask(house, wanted)).json()["code"] == "unauthenticated"
        assert (await ask(house, wanted, FOREIGN_LEADER)).json()["code"] == "seat_not_found"
        assert (await ask(house, {"purpose": "operators"}, LEADER)).json()["code"] == "forbidden"
        assert (await house.http.post("/api/phone/tickets", json=wanted)).json()["code"] == "unauthenticated"
        mine = (await ask(house, wanted, LEADER)).json()
        assert (mine["uri"], mine["registers"]) == ("sip:web-1@hotline.invalid", True)
        foreign = await sign_in(house, FOREIGN_LEADER)
        assert await refused(socket(house, mine["ticket"], cookie=foreign)), "another person's ticket"
        unsigned = (await ask(house, wanted, LEADER)).json()["ticket"]
        assert await refused(socket(house, unsigned)), "without the sign-in it was given to"
    assert (await ask(house, wanted, LEADER)).json()["code"] == "seat_not_found", "the session is over"
    async with session(house, "sip:desk@127.0.0.1:9", sign_in=False) as (_, seat_id):
        assert (await ask(house, {**wanted, "seat_id": seat_id}, LEADER)).json()["code"] == "state_conflict"


async def test_who_is_at_a_desk_has_a_phone_of_their_own(house: Installation) -> None:
    """Nobody gets, or rings, that of another; with none free one is told; a phone that is not connected is given on."""
    await gate_of(house).accounts.create("op1", "operator")
    await gate_of(house).accounts.create("op2", "operator")
    mine, other = [(await ask(house, {"purpose": "operators"}, login)).json() for login in ("op1", "op2")]
    assert mine["line"] != other["line"]
    assert (await ask(house, {"purpose": "operators"}, "op1")).json()["line"] == mine["line"]
    cookie = await sign_in(house, "op1")
    async with session(house, sign_in=False) as (_, seat_id), socket(house, mine["ticket"], cookie=cookie) as phone:
        name = mine["line"].removeprefix("sip:").partition("@")[0]
        assert (await say(phone, name)).startswith("SIP/2.0 200")
        assert (await say(phone, other["line"].removeprefix("sip:").partition("@")[0])).startswith("SIP/2.0 404")
        asked = {line: await supervise(house, seat_id, line, cookie) for line in (mine["line"], other["line"], "")}
        assert asked == {mine["line"]: "no_talk", other["line"]: "invalid_line", "": "no_talk"}
    desks = Desks(house.core.redis, house.settings, house.core.clock)
    taken = [await desks.take(f"account-{n}") for n in range(house.settings.desk_phones)]
    assert len(set(filter(None, taken))) == house.settings.desk_phones - 2
    assert (await ask(house, {"purpose": "operators"}, LEADER)).json()["code"] == "forbidden"
    await gate_of(house).accounts.create("op3", "operator")
    assert (await ask(house, {"purpose": "operators"}, "op3")).json()["code"] == "no_phone_free"
    later = Desks(house.core.redis, house.settings, lambda: house.core.clock() + 61)
    assert await later.of("account-2") == ""
    assert await later.take("another") in [*taken, "desk-1", "desk-2"]


async def supervise(house: Installation, seat_id: str, line: str, cookie: tuple[str, str]) -> str:
    """The code of the refusal: nobody talks at this seat."""
    found = await gate_of(house).logins.find(cookie[1])
    assert found is not None
    async with httpx.AsyncClient(
        base_url=origin_of(house), cookies={cookie[0]: cookie[1]}, headers={"X-CSRF-Token": found.csrf}, trust_env=False
    ) as client:
        body = {"reason": "听取诉求", **({"phone": line} if line else {})}
        return str((await client.post(f"/api/seats/{seat_id}/listen", json=body)).json()["code"])


async def test_a_phone_registers_as_itself_only_and_ends_with_the_sign_in(house: Installation) -> None:
    async with session(house, BROWSER_LINE, sign_in=False) as (_, seat_id):
        wanted = {"purpose": "seat", "seat_id": seat_id}
        cookie = await sign_in(house, LEADER)
        ticket = (await ask(house, wanted, LEADER)).json()["ticket"]
        async with socket(house, ticket, cookie=cookie) as phone:
            assert (await say(phone, "web-2")).startswith("SIP/2.0 404")
            assert (await say(phone, "web-1")).startswith("SIP/2.0 200")
            await gate_of(house).logins.end(cookie[1])
            async with asyncio.timeout(patient(15)):
                with pytest.raises(ConnectionClosed) as closed:
                    await phone.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401


async def test_a_citizens_phone_can_not_register_nor_say_what_phones_do_not_say(house: Installation) -> None:
    for said in (
        REGISTER.format(name="web-1"),
        "REFER sip:a@b SIP/2.0\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "x" * 40_000,
    ):
        async with socket(house, await citizens_ticket(house)) as phone:
            await phone.send(said)
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(phone.recv(), patient(5))
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1008


async def say(phone: ClientConnection, name: str) -> str:
    """What is answered to a REGISTER; a question that comes meanwhile (OPTIONS: are you there?) is none."""
    await phone.send(REGISTER.format(name=name))
    async with asyncio.timeout(patient(5)):
        while not (said := str(await phone.recv())).startswith("SIP/2.0 "):
            pass
    return said


async def test_a_citizens_number_is_given_by_us(house: Installation) -> None:
    first = (await ask(house, {"purpose": "citizen"})).json()["number"]
    again = (await ask(house, {"purpose": "citizen", "number": first})).json()["number"]
    forged = (await ask(house, {"purpose": "citizen", "number": "13812345678"})).json()["number"]
    assert first == again
    assert forged.startswith("1990000")


async def test_over_https_from_another_machine_a_citizen_dials_and_hears(
    house: Installation, chromiums: Chromiums, tmp_path: Path
) -> None:
    """By an address that is not loopback, where browsers give the microphone to https only; the phone goes over wss."""
    certificate, key = self_signed(tmp_path)
    port, address = free_port(), own_address()
    extra = {
        "HOTLINE_HTTP_HOST": "0.0.0.0", "HOTLINE_HTTP_PORT": str(port), "HOTLINE_DEMO_PHONE": "on",
        "HOTLINE_PUBLIC_URL": f"https://{address}:{port}", "HOTLINE_TLS_CERT": str(certificate), "HOTLINE_TLS_KEY": str(key),
        "HOTLINE_TRUSTED_PROXIES": "192.0.2.1",
    }  # fmt: skip
    origin = extra["HOTLINE_PUBLIC_URL"]
    await house.start("api", "api over https", **extra)
    try:
        await until(lambda: _answers(origin), 60, "the api over https")
        async with chromiums.phone(origin, CITIZEN_HZ, believes=True) as citizen:
            sockets: list[str] = []
            citizen.page.on("websocket", lambda one: sockets.append(one.url))
            await citizen.open(f"{origin}/phone")
            await citizen.act("dial")
            await citizen.until("talking", 60)
            assert not hearing.describe(await citizen.listen(1.5)).is_silent
            await citizen.act("hang-up")
            await citizen.until("ready")
            async with httpx.AsyncClient(trust_env=False, verify=False) as client:
                form = {"login": LEADER, "password": "wrong, of course"}
                await client.post(f"{origin}/sign-in", data=form, headers={"X-Forwarded-For": "203.0.113.7"})
            [line] = await gate_of(house).trail.read(act="sign_in", limit=1)
            assert line.address == address, "who is no proxy of ours is not believed"
            assert sockets == [f"wss://{address}:{port}/ws"]
            assert not citizen.complaints
    finally:
        await house.kill("api over https")


async def _answers(origin: str) -> bool:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        try:
            return (await client.get(f"{origin}/healthz")).is_success
        except httpx.TransportError:
            return False


async def test_a_refused_microphone_is_said_and_can_be_allowed(house: Installation, chromiums: Chromiums) -> None:
    async with chromiums.phone(origin_of(house), CITIZEN_HZ, microphone=False) as citizen:
        await citizen.open(f"{origin_of(house)}/phone")
        await citizen.act("dial")
        assert "麦克风" in await citizen.until_problem("refused")
        assert (await citizen.says())["state"] == "电话未启用"
        await citizen.context.grant_permissions(["microphone"], origin=origin_of(house))
        await citizen.act("dial")
        await citizen.until("talking")
        assert not hearing.describe(await citizen.listen(1.5)).is_silent
        await citizen.act("hang-up")
        await citizen.until("ready")


async def test_a_phone_comes_back_by_itself_when_asterisk_or_the_api_was_restarted(
    house: Installation, chromiums: Chromiums
) -> None:
    cookie = await sign_in(house, LEADER)
    async with (
        session(house, BROWSER_LINE, sign_in=False) as (_, seat_id),
        chromiums.phone(origin_of(house), LEADER_HZ, cookie=cookie) as leader,
    ):
        await leader.open(f"{origin_of(house)}/phone/seat/{seat_id}")
        await leader.until("ready")
        await house.kill_asterisk()
        await leader.until("away")
        await house.start_asterisk()
        await leader.until("ready", 30)
        await until(lambda: registered(house), 5, "registration at Asterisk")
        await house.kill("api")
        await leader.until("away")
        await house.start("api")
        await leader.until("ready", 30)
        await until(lambda: registered(house), 5, "registration at Asterisk")
        assert not (await leader.says())["problem"]


async def registered(house: Installation) -> bool:
    return "web-1/sip:" in await house.asterisk.command("pjsip show contacts")
