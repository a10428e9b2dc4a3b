"""Taken ports are found before anything starts, and named with the setting that moves them."""

import socket
from collections.abc import Iterator

import pytest

from cli.ports import Port, taken_ports, wanted_ports
from config.settings import Settings


@pytest.fixture(params=["tcp", "udp"])
def taken(request: pytest.FixtureRequest) -> Iterator[Port]:
    kind = socket.SOCK_STREAM if request.param == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if request.param == "tcp":
            holder.listen()
        yield Port("SIP", "127.0.0.1", holder.getsockname()[1], request.param, "HOTLINE_SIP_PORT")


def test_a_taken_port_is_found(taken: Port) -> None:
    assert taken_ports([taken]) == [taken]
    assert taken.fields()["setting"] == "HOTLINE_SIP_PORT"


def test_two_instances_with_other_ports_want_nothing_in_common() -> None:
    def numbers(settings: Settings) -> set[tuple[str, int]]:
        return {(port.transport, port.number) for port in wanted_ports(settings, with_asterisk=True)}

    first = Settings(http_port=8000, sip_port=5060, redis_port=0, ami_port=0, rtp_port_first=0)
    second = Settings(http_port=8001, sip_port=5160, redis_port=0, ami_port=0, rtp_port_first=0)
    assert not numbers(first) & numbers(second)


def test_an_external_redis_needs_no_port_of_ours() -> None:
    settings = Settings(redis_url="redis://elsewhere/0")
    assert "HOTLINE_REDIS_PORT" not in {port.setting for port in wanted_ports(settings, with_asterisk=True)}


def test_every_setting_named_for_a_port_exists() -> None:
    named = {
        port.setting.removeprefix("HOTLINE_").lower()
        for port in wanted_ports(Settings(redis_url=""), with_asterisk=True)
    }
    assert named <= set(Settings.model_fields)
