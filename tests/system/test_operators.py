"""With an operators' line: 0 in a closed session reaches them; when none of them answers the matter is recorded."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from ivr.verbs import Prompt
from tests.phones.baresip import Phone
from tests.system.conftest import brisk
from tests.system.installation import Installation
from tests.system.watch import call_from, ended, hears, kinds, order_of, reaches
from tests.waiting import until
from workorders.intake import NewOrder, make_order

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPERATOR_HZ, CITIZEN_HZ = 900.0, 500.0


@dataclass(frozen=True, slots=True)
class Hall:
    house: Installation
    operator: Phone
    #: Whoever is called about an order.
    petitioner: Phone


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> AsyncIterator[Hall]:
    folder = tmp_path_factory.mktemp("hall")
    async with (
        Phone(folder / "operator", "operator", tone_hz=OPERATOR_HZ) as operator,
        Phone(folder / "petitioner", "13800000803", tone_hz=CITIZEN_HZ) as petitioner,
    ):
        extra = {
            "HOTLINE_OPERATORS_LINE": operator.address, "HOTLINE_OPERATOR_RING_S": "4",
            "HOTLINE_CALLBACK_LINE": petitioner.address, "HOTLINE_FOLLOW_UP_HOURS": "00:00-23:59:59.999999",
        }  # fmt: skip
        async with brisk(folder, shared, **extra) as house:
            yield Hall(house, operator, petitioner)


async def test_given_no_session_when_0_is_pressed_then_an_operator_and_the_citizen_hear_each_other(
    hall: Hall, tmp_path: Path
) -> None:
    house, operator = hall.house, hall.operator
    async with Phone(tmp_path / "citizen", "13800000801", tone_hz=CITIZEN_HZ) as citizen:
        await citizen.dial(house.service)
        call_id = await call_from(house, "+8613800000801")
        await hears(house, citizen, Prompt("closed_now"))
        await citizen.press("0")
        await hears(house, citizen, Prompt("operator_connecting"))
        await operator.until("CALL_INCOMING")
        await operator.answer()
        await operator.until("CALL_ESTABLISHED")
        await citizen.hears_tone(OPERATOR_HZ, 2.0, share=0.5)
        await operator.hears_tone(CITIZEN_HZ)
        await operator.hang_up()
        call = await ended(house, call_id)
    assert call["outcome"] == "transferred"
    assert [kind for kind in kinds(call) if "operator" in kind or kind == "transferred"] == [
        "operator",
        "transferred",
        "operator_talked",
    ]
    assert await house.orders(call_id=call_id) == []


async def test_given_the_operators_phone_rings_when_the_citizen_hangs_up_then_there_is_an_order_to_call_back(
    hall: Hall, tmp_path: Path
) -> None:
    house, before = hall.house, _rings(hall.operator)
    async with Phone(tmp_path / "citizen", "13800000803") as citizen:
        await citizen.dial(house.service)
        call_id = await call_from(house, "+8613800000803")
        await reaches(house, call_id, "closed")
        await citizen.press("0")
        await until(lambda: _rings(hall.operator) > before, 30, "the operators' phone rings")
        await citizen.hang_up()
        assert (await ended(house, call_id))["outcome"] == "abandoned"
    assert (await order_of(house, call_id))["source"] == "abandoned"


def _rings(phone: Phone) -> int:
    return [event.get("type") for event in phone.events].count("CALL_INCOMING")


async def test_given_no_operator_answers_then_the_matter_is_recorded(hall: Hall, tmp_path: Path) -> None:
    house = hall.house
    async with Phone(tmp_path / "citizen", "13800000802", tone_hz=CITIZEN_HZ) as citizen:
        await citizen.dial(house.service)
        call_id = await call_from(house, "+8613800000802")
        await reaches(house, call_id, "closed")
        await citizen.press("0")
        await reaches(house, call_id, "message", 30)
        await hears(house, citizen, Prompt("message_operators_busy"))
        await citizen.press("#")
        recording = (await reaches(house, call_id, "message")).recording
        assert recording
        await citizen.listen(3.0)
        await citizen.press("#")
        await reaches(house, call_id, "order")
        await citizen.hang_up()
        assert (await ended(house, call_id))["outcome"] == "work_order"
    order = await order_of(house, call_id)
    assert (order["source"], order["tags"]) == ("closed", [])
    assert [one["state"] for one in order["recordings"]] == ["ready"]


async def test_given_a_follow_up_when_0_is_pressed_then_an_operator_and_the_petitioner_hear_each_other(hall: Hall) -> None:
    house, operator, petitioner = hall.house, hall.operator, hall.petitioner
    operator.events.clear()
    new = NewOrder(command_id="c", at=house.core.clock(), source="declined", number="+8613800000803", unit="市水务局")
    path = f"/api/work-orders/{(await make_order(house.core.database, new)).id}"
    for step in ("dispatch", "handle", "reply", "calls/follow-up"):
        await house.post(f"{path}/{step}")
    await petitioner.until("CALL_INCOMING", 30)
    await petitioner.answer()
    await hears(house, petitioner, Prompt("placed_greeting", {"city": house.settings.city}), within_s=40)
    await petitioner.press("0")
    await operator.until("CALL_INCOMING", 30)
    await operator.answer()
    await operator.until("CALL_ESTABLISHED")
    await petitioner.hears_tone(OPERATOR_HZ, 2.0, share=0.5)
    await operator.hears_tone(CITIZEN_HZ)
    await operator.hang_up()
    await hears(house, petitioner, Prompt("goodbye"))
    await petitioner.until("CALL_CLOSED", 30)
    assert (await house.get(path))["status"] == "replied", "the operator says what becomes of it"

    async def done() -> bool:
        return bool((await house.get(f"{path}/calls"))["items"][0]["result"] == "operator")

    await until(done, 20, "the result of the call")
