"""Secrets are made once, for their owner only, whoever asks first."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.secrets import secret
from config.settings import Settings

_ASK = """
import sys
from config.secrets import secret
from config.settings import Settings
print(secret(Settings(state_dir=sys.argv[1]), "data_key"))
"""


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    with ThreadPoolExecutor(16) as pool:
        values = set(pool.map(lambda _: secret(settings, "ami_secret"), range(64)))
    assert len(values) == 1
    assert len(values.pop()) >= 32
    file = tmp_path / "secrets" / "ami_secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["ami_secret"]


def test_several_processes_get_the_same_secret(tmp_path: Path) -> None:
    asking = [
        subprocess.Popen([sys.executable, "-c", _ASK, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert len({process.communicate(timeout=60)[0] for process in asking}) == 1


def test_what_is_configured_wins(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, admin_token=SecretStr("fixed"))
    assert secret(settings, "admin_token") == "fixed"
    assert not (tmp_path / "secrets").exists()


def test_a_name_that_is_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name"):
        secret(Settings(state_dir=tmp_path), "../x")
