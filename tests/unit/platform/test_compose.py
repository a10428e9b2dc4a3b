"""The compose file: its schema by the real program, and that everything it names exists here."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cli.health import PARTS
from cli.main import tree
from config.native import find_unpacked
from config.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "docker-compose.yml"

#: Not settings of ours: what compose itself fills in.
OF_COMPOSE = {"POSTGRES_PASSWORD", "POSTGRES_PORT", "REDIS_PASSWORD", "REDIS_PORT", "POSTGRES_USER", "POSTGRES_DB"}
#: The issue of the city's operators: each of these is a service of its own.
SERVICES = {"asterisk", "redis", "postgres", "api", "bridge", "worker", "fetcher", "cron"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
    return found


@pytest.fixture(scope="module")
def commands() -> set[str]:
    group = typer.main.get_command(tree(()))
    assert hasattr(group, "commands")
    return set(group.commands)


def ours(services: dict[str, Any]) -> dict[str, Any]:
    return {name: service for name, service in services.items() if service["image"].startswith("hotline:")}


def test_compose_itself_accepts_the_file(tmp_path: Path) -> None:
    program = find_unpacked("docker-compose")
    assert program is not None, "run `python -m cli.native --dev`"
    copy = tmp_path / "docker-compose.yml"
    copy.write_text(FILE.read_text())
    (tmp_path / "deploy").mkdir()
    names = [*sorted(OF_COMPOSE), "HOTLINE_ADMIN_TOKEN"]
    (tmp_path / "deploy/hotline.env").write_text("".join(f"{name}=1234\n" for name in names))
    checked = subprocess.run(
        [*program.argv, "--file", str(copy), "--env-file", str(tmp_path / "deploy/hotline.env"), "config", "--quiet"],
        env=program.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


def test_without_secrets_it_does_not_start(tmp_path: Path) -> None:
    program = find_unpacked("docker-compose")
    assert program is not None
    empty = tmp_path / "empty.env"
    empty.touch()
    checked = subprocess.run(
        [*program.argv, "--file", str(FILE), "--env-file", str(empty), "config", "--quiet"],
        env=program.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode != 0
    assert "make-env.sh" in checked.stderr


def test_every_part_is_a_service_with_a_health_check(services: dict[str, Any]) -> None:
    assert set(services) >= SERVICES
    for name in SERVICES:
        assert services[name]["healthcheck"]["test"], name


def test_every_command_exists(services: dict[str, Any], commands: set[str]) -> None:
    for name, service in ours(services).items():
        assert service["command"][0] in commands, name
    assert 'ENTRYPOINT ["hotline"]' in (ROOT / "Dockerfile").read_text()


def test_every_health_check_asks_for_a_part_that_exists(services: dict[str, Any], commands: set[str]) -> None:
    assert "health" in commands
    for name, service in ours(services).items():
        if "healthcheck" in service:
            kind, program, command, part = service["healthcheck"]["test"]
            assert (kind, program, command) == ("CMD", "hotline", "health")
            assert part == name
            assert part in PARTS


def test_every_variable_is_a_setting() -> None:
    known = {f"HOTLINE_{name.upper()}" for name in Settings.model_fields}
    for source in (FILE, ROOT / "Dockerfile", ROOT / "deploy/make-env.sh"):
        named = set(re.findall(r"\bHOTLINE_[A-Z_]+\b", source.read_text()))
        assert named <= known, source.name
    assert set(re.findall(r"\$\{([A-Z_]+)", FILE.read_text())) <= known | OF_COMPOSE


def test_every_value_is_understood_by_the_settings(services: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def filled(value: str) -> str:
        return re.sub(r"\$\{[A-Z_]+(?::-([^}]*)|:\?[^}]*)\}", lambda found: found[1] or "secret", value)

    for name, value in services["api"]["environment"].items():
        monkeypatch.setenv(name, filled(str(value)))
    settings = Settings()
    assert settings.effective_redis_url == "redis://:secret@127.0.0.1:6379/0"
    assert settings.effective_database_url.startswith("postgresql")
    assert settings.asterisk == "external"


def test_the_ports_of_the_stores_are_those_that_our_parts_are_told(services: dict[str, Any]) -> None:
    told = services["api"]["environment"]
    for name, setting in (("redis", "HOTLINE_REDIS_URL"), ("postgres", "HOTLINE_DATABASE_URL")):
        (published,) = services[name]["ports"]
        outside, _, inside = published.rpartition(":")
        assert outside.startswith("127.0.0.1:"), "the stores are for this machine only"
        assert outside.removeprefix("127.0.0.1:") in told[setting]
        assert inside.isdigit()


def test_redis_in_compose_writes_every_change_to_disk(services: dict[str, Any]) -> None:
    words = services["redis"]["command"]
    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--appendfsync"] == "always"
    assert options["--maxmemory-policy"] == "noeviction"


def test_secrets_come_from_a_file_that_is_not_in_the_repository(services: dict[str, Any]) -> None:
    for service in ours(services).values():
        assert service["env_file"] == "deploy/hotline.env"
    assert "deploy/hotline.env" in (ROOT / ".gitignore").read_text().split()


def test_the_secrets_file_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    script = tmp_path / "make-env.sh"
    script.write_text((ROOT / "deploy/make-env.sh").read_text())
    for _ in range(2):
        subprocess.run(["bash", str(script)], check=True, capture_output=True)
    made = tmp_path / "hotline.env"
    assert made.stat().st_mode & 0o777 == 0o600
    values = [line.partition("=")[2] for line in made.read_text().splitlines() if not line.startswith("#")]
    assert len(set(values)) == len(values) == 5
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in values)
