"""An error that is logged with its exception shows where it came from, and no telephone number."""

import json
import logging

import pytest
import structlog

from config.logging import configure
from config.settings import Settings


def test_an_exception_given_as_a_value_is_written_with_its_traceback(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    before = logging.getLogger().handlers[:]
    try:
        configure(settings, "bridge")
        structlog.get_logger().error("a part broke", exc_info=_raised())
        line = json.loads(capfd.readouterr().err.splitlines()[-1])
    finally:
        logging.getLogger().handlers = before
        structlog.reset_defaults()
    assert "in _raised" in line["exception"]
    assert "13812345678" not in line["exception"]


def _raised() -> Exception:
    try:
        raise ValueError("cannot ring 13812345678")
    except ValueError as error:
        return error
