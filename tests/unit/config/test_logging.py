"""Log lines are JSON with values as fields, and hold no telephone numbers, whatever is logged."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from config.logging import configure
from config.settings import Settings


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_has_its_fields_and_its_part(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    configure(Settings(state_dir=tmp_path), "bridge")
    structlog.get_logger().info("a caller joined", call_id="a-pbx1-1763812345-12", position=3)
    (line,) = lines(capsys.readouterr().err)
    assert line["event"] == "a caller joined"
    assert (line["part"], line["level"], line["position"], line["call_id"]) == (
        "bridge",
        "info",
        3,
        "a-pbx1-1763812345-12",
    )


def test_numbers_are_masked_and_lines_cannot_be_broken_into(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    configure(Settings(state_dir=tmp_path), "api")
    log = structlog.get_logger()
    log.warning("from 13812345678", number="+8613812345678", nested={"x": ["07348123456"]}, bad="a\r\nb")
    logging.getLogger("some.library").error("call from %s failed", "13812345678")
    try:
        raise ValueError("13812345678")
    except ValueError:
        log.exception("it failed")
    text = capsys.readouterr().err
    assert "13812345678" not in text
    assert '8123456"' not in text
    assert len(lines(text)) == 3
    assert lines(text)[0]["bad"] == "a b"


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    configure(Settings(state_dir=tmp_path, log_level="warning"), "api")
    structlog.get_logger().info("quiet")
    assert capsys.readouterr().err == ""
