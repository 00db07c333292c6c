"""What must hold of the lock files and import contracts, for a fresh clone to set up anywhere."""

import json
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = {
    "requirements.lock": [
        *PYPROJECT["project"]["dependencies"],
        *PYPROJECT["dependency-groups"]["build"],
    ],
    "requirements-dev.lock": PYPROJECT["dependency-groups"]["dev"],
    "requirements-bench.lock": PYPROJECT["dependency-groups"]["bench"],
    "requirements-node.lock": PYPROJECT["dependency-groups"]["node"],
}


def locked_versions(name: str) -> dict[str, str]:
    """The pinned packages of a lock file: canonical name to version."""
    pins = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE)
    return dict(pins)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"://|--index-url|--extra-index-url|--find-links| @ ", text)


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash(name: str) -> None:
    blocks = re.split(r"^(?=[\w.-]+==)", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]
    assert blocks
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize(("name", "requirements"), LOCKS.items())
def test_a_lock_holds_what_pyproject_asks_for(name: str, requirements: list[str]) -> None:
    locked = locked_versions(name)
    for requirement in map(Requirement, requirements):
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)])


def test_the_locks_agree() -> None:
    running, checking = (
        locked_versions("requirements.lock"),
        locked_versions("requirements-dev.lock"),
    )
    shared = running.keys() & checking.keys()
    assert {name: running[name] for name in shared} == {name: checking[name] for name in shared}


@pytest.mark.parametrize(
    "folder", ["tests/browser", "entrypoints/web/admin", "entrypoints/web/landing"]
)
def test_an_npm_lock_names_no_registry(folder: str) -> None:
    packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    assert [path for path, package in packages.items() if "resolved" in package] == []
    assert [path for path, package in packages.items() if path and "integrity" not in package] == []


@pytest.mark.parametrize(
    ("contract", "allowed"), [("pure", {"msgspec"}), ("use-cases", {"msgspec", "structlog"})]
)
def test_a_contract_knows_every_dependency(contract: str, allowed: set[str]) -> None:
    contracts = PYPROJECT["tool"]["importlinter"]["contracts"]
    (forbidden,) = (set(each["forbidden_modules"]) for each in contracts if each["id"] == contract)
    direct = {
        canonicalize_name(Requirement(line).name) for line in PYPROJECT["project"]["dependencies"]
    }
    modules = {
        module
        for module, owners in packages_distributions().items()
        if direct & {canonicalize_name(owner) for owner in owners} and module.isidentifier()
    }
    assert modules - allowed <= forbidden
    assert forbidden - modules <= sys.stdlib_module_names
