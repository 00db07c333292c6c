"""compose.yaml and Dockerfile hold to the commands and variables that there are, and confine."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from entrypoints.cli import HealthOf, app
from entrypoints.settings import load

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if each["image"] == "kotodom-gpt"}
COMMANDS = {each.name or each.callback.__name__ for each in app.registered_commands}
FILLED = {"SECRET_KEY": "s" * 64, "POSTGRES_PASSWORD": "p" * 64}
PROCESS = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
"""Variables of the process, and of none of our settings."""


class Asked(dict[str, str]):
    """An environment that notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return default


def known() -> set[str]:
    """Every variable that entrypoints/settings.py reads."""
    asked = Asked()
    load(asked)
    return asked.names


def example() -> dict[str, str]:
    """.env, once a person has filled in what .env.example leaves empty and needs."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return dict(pairs) | FILLED


def interpolated(value: str) -> str:
    """As Compose does it: ${NAME:-default}, ${NAME:?message}."""
    values = example()

    def one(match: re.Match[str]) -> str:
        name, how, other = match.groups()
        assert values.get(name) or how == ":-", f"{name}: {other}"
        return values.get(name) or str(other)

    return re.sub(r"\$\{(\w+)(:[-?])([^}]*)\}", one, value)


def instructions(name: str) -> Iterator[str]:
    """What follows each such word of the Dockerfile, its lines joined."""
    for line in DOCKERFILE.replace("\\\n", " ").splitlines():
        if line.split(maxsplit=1)[:1] == [name]:
            yield line.split(maxsplit=1)[1]


def test_every_command_is_one_that_there_is() -> None:
    assert {name: service["command"][0] for name, service in OURS.items()} == {
        "migrate": "migrate",
        "api": "api",
        "worker": "worker",
        "poller": "poller",
    }
    assert {service["command"][0] for service in OURS.values()} <= COMMANDS
    assert [*instructions("ENTRYPOINT"), *instructions("CMD")] == ['["kotodom"]', '["api"]']
    assert "health" in COMMANDS


def test_every_variable_is_one_that_the_settings_know() -> None:
    for name, service in OURS.items():
        assert service["environment"].keys() <= known(), name
        assert service["env_file"] == ".env"
    (env,) = instructions("ENV")
    assert set(re.findall(r"(\w+)=", env)) - PROCESS <= known()
    assert example().keys() - {"POSTGRES_PASSWORD"} <= known()


def test_what_a_container_is_given_is_taken() -> None:
    service = OURS["api"]
    settings = load(
        example() | {name: interpolated(value) for name, value in service["environment"].items()}
    )
    assert settings.database_url == f"postgresql://kotodom:{'p' * 64}@postgres/kotodom"
    assert (settings.host, settings.port, settings.sandbox) == ("0.0.0.0", 8000, False)
    (port,) = service["ports"]
    assert interpolated(port) == "127.0.0.1:8000:8000"
    assert interpolated(OURS["worker"]["deploy"]["replicas"]) == "2"
    assert SERVICES["postgres"]["environment"]["POSTGRES_USER"] == "kotodom"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    uid, _, gid = service["user"].partition(":")
    assert int(uid) > 0 and int(gid) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service and not {"pid", "ipc", "network_mode"} & service.keys()
    assert name == "api" or "ports" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_what_runs_for_long_is_looked_after(name: str) -> None:
    service = SERVICES[name]
    if name == "migrate":
        assert service["restart"] == "no" and "healthcheck" not in service
        return
    assert service["restart"] == "unless-stopped"
    test = service["healthcheck"]["test"]
    assert test[0] == "CMD"
    if name in OURS:
        assert test[1:] == ["kotodom", "health", HealthOf(name).value]
        assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_what_lasts_is_in_volumes_where_the_images_keep_it() -> None:
    """PostgreSQL's image of version 18 keeps its data below /var/lib/postgresql, not in data/."""
    kept = {name: service["volumes"] for name, service in SERVICES.items() if "volumes" in service}
    assert kept == {"postgres": ["postgres:/var/lib/postgresql"], "valkey": ["valkey:/data"]}
    assert COMPOSE["volumes"].keys() == kept.keys()
    assert all("/tmp" in service["tmpfs"] for service in SERVICES.values())


def test_the_servers_are_asked_whether_they_answer() -> None:
    probes = {name: SERVICES[name]["healthcheck"]["test"][1:] for name in ("postgres", "valkey")}
    assert probes == {
        "postgres": ["pg_isready", "--host=127.0.0.1", "--username=kotodom"],
        "valkey": ["valkey-cli", "ping"],
    }
    for name, service in OURS.items():
        first = "postgres" if name == "migrate" else "valkey"
        assert service["depends_on"][first] == {"condition": "service_healthy"}


def test_it_is_stopped_by_what_each_part_ends_on() -> None:
    assert [*instructions("STOPSIGNAL")] == ["SIGTERM"]
    assert not any("stop_signal" in service for service in OURS.values())


def test_the_image_runs_as_the_user_that_compose_names() -> None:
    (user,) = instructions("USER")
    assert {service["user"] for service in OURS.values()} == {user}
    assert f"--uid {user.partition(':')[0]} " in DOCKERFILE
    (check,) = instructions("HEALTHCHECK")
    assert check.endswith('CMD ["kotodom", "health", "api"]')


def test_the_image_is_built_once_by_what_all_others_wait_for() -> None:
    """With `build` at each, Compose builds four times, and of a folder that changes four images."""
    assert [name for name, service in SERVICES.items() if "build" in service] == ["migrate"]
    assert {service["pull_policy"] for service in OURS.values()} == {"never"}


def test_no_secret_gets_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".env", ".env.*", ".data", ".git", "**/*.backup*"} <= set(ignored)
    kept_out = (ROOT / ".gitignore").read_text().splitlines()
    assert {".env", ".data/", "*.backup*"} <= set(kept_out)
    text = (ROOT / ".env.example").read_text()
    assert re.findall(r"^(?:SECRET_KEY|POSTGRES_PASSWORD)=(.*)$", text, re.MULTILINE) == ["", ""]
