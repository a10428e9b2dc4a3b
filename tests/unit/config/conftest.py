"""Tests of settings, secrets, numbers, text, logging and database errors, without servers."""

import pytest

from tests.servers import free_port


@pytest.fixture
def unused_port() -> int:
    """A port of this machine on which nobody listens."""
    return free_port()
