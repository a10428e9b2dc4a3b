"""What machines ask: alive, ready, metrics, the contract as a document."""

from datetime import UTC, datetime

import msgspec
import pytest

from api.health import Heartbeat
from api.problems import CODES
from calls.enqueue import queue_names
from tests.integration.api.conftest import NUMBER, Instance
from tests.integration.api.test_auth import PATHS


async def worker_lives(instance: Instance, *queues: str) -> None:
    beat = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for name, queue in zip(("w1", "w2"), queues or queue_names(instance.core.settings), strict=False):
        await instance.core.redis.sadd("rq:workers", f"rq:worker:{name}")
        await instance.core.redis.hset(f"rq:worker:{name}", items=["last_heartbeat", beat, "queues", f"another,{queue}"])


async def test_ready_when_every_part_is_there(instance: Instance) -> None:
    await worker_lives(instance)
    answer = await instance.http.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        200, {"database": "ok", "redis": "ok", "asterisk": "off", "worker": "ok"},
    )  # fmt: skip


async def test_not_ready_says_which_part_and_what_to_do(instance: Instance) -> None:
    _, slow = queue_names(instance.core.settings)
    await worker_lives(instance, slow, "another-instances-jobs")  # they dispatch nothing of ours
    answer = await instance.http.get("/readyz")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["failed"]) == (503, "not_ready", ["worker"])
    assert "hotline worker" in problem["detail"]


@pytest.mark.parametrize(("state", "status"), [("ok", 200), ("down", 503)])
async def test_asterisk_is_as_its_bridge_says(instance: Instance, state: str, status: int) -> None:
    await worker_lives(instance)
    settings = instance.core.settings
    object.__setattr__(settings, "asterisk", "external")
    assert (await instance.http.get("/readyz")).json()["asterisk"] == "failed"
    beat = msgspec.json.encode(Heartbeat(instance.core.clock(), state, "wrong password"))
    await instance.core.redis.set(f"{settings.redis_prefix}health:bridge:{settings.pbx_node}", beat, ex=10)
    answer = await instance.http.get("/readyz")
    assert answer.status_code == status
    assert ("wrong password" in answer.text) == (state == "down")


async def test_metrics_count_and_hold_no_personal_data(instance: Instance) -> None:
    await instance.open_session()
    await instance.call_in("a-pbx1-1-1")
    await instance.http.get("/api/calls/a-pbx1-1-1")
    text = (await instance.http.get("/metrics")).text
    assert "hotline_line_depth 1.0" in text
    assert 'route="/api/calls/{call_id}"' in text
    for personal in (NUMBER, "a-pbx1-1-1", "138****"):
        assert personal not in text


async def test_the_document_names_every_path_and_every_problem(instance: Instance) -> None:
    document = (await instance.http.get("/openapi.json")).json()
    acts = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert len(acts) >= len(PATHS)
    for path in ("/healthz", "/readyz", "/metrics", "/api/line/stream"):
        assert ("GET", path) in acts
    known = set(CODES)
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                content = answer.get("content", {})
                assert "application/json" not in content or int(status) < 400
                for problem in content.get("application/problem+json", {}).get("examples", {}).values():
                    assert problem["value"]["code"] in known
                    assert problem["value"]["status"] == int(status)
    assert "HTTPValidationError" not in document["components"]["schemas"]
