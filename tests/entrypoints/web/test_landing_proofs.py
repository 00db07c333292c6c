"""The figures of the Landing Web: from which files of measurements they come, from which not."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PROOF = ROOT / "entrypoints" / "web" / "landing" / "src" / "proof"
RESULTS = {name: ROOT / "tests" / name / "results" for name in ("bench", "chaos")}
COMPLETE = "2026-11-27T184957Z.json"
RUN = "2026-11-27T182911Z.json"


def _read(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the build's own reader makes of a folder."""
    script = (
        f"import {{ {name} }} from {json.dumps(str(PROOF / f'{name}.ts'))};"
        f"console.log(JSON.stringify({name}({json.dumps(str(folder))})))"
    )
    command = ["node", "--input-type=module", "-e", script]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def _told(name: str, folder: Path) -> Any:
    read = _read(name, folder)
    assert read.returncode == 0, read.stderr
    return json.loads(read.stdout)


def _changed(folder: Path, name: str, **fields: Any) -> None:
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_the_newest_bench_that_has_everything(tmp_path: Path) -> None:
    shutil.copy(RESULTS["bench"] / COMPLETE, tmp_path)
    shutil.copy(RESULTS["bench"] / "2026-11-27T225257Z.json", tmp_path)  # lists alone
    shutil.copy(RESULTS["bench"] / "2026-11-24T045117Z.json", tmp_path)  # older
    measured = json.loads((tmp_path / COMPLETE).read_text())
    medians = {
        (each["name"].partition(",")[0], line["what"]): line["median"]
        for each in reversed(measured["measurements"])  # the first flood counts
        for line in each["lines"]
    }
    bench = _told("bench", tmp_path)
    assert bench["at"] == measured["at"]
    assert bench["perSecond"]["kotodom"] == medians["flood", "Kotodom"]
    assert bench["perSecond"]["aiogramAiohttp"] == medians["flood", "aiogram, aiohttp"]
    assert bench["acknowledged"]["aiogram"] == medians["flood", "acknowledged, p99, aiogram"]
    assert bench["quietP99"] == medians["quiet", "added, p99"]
    assert bench["replayed"]["kotodom"] == medians["replay", "Kotodom, from JSON"]


def test_no_complete_bench(tmp_path: Path) -> None:
    shutil.copy(RESULTS["bench"] / "2026-11-27T225257Z.json", tmp_path)
    read = _read("bench", tmp_path)
    assert read.returncode == 1
    assert "no run there has flood, quiet and replay together: make bench" in read.stderr


def test_a_bench_that_lacks_a_line(tmp_path: Path) -> None:
    shutil.copy(RESULTS["bench"] / COMPLETE, tmp_path)
    measurements = json.loads((tmp_path / COMPLETE).read_text())["measurements"]
    flood = next(each for each in measurements if each["name"].startswith("flood,"))
    flood["lines"] = [line for line in flood["lines"] if line["what"] != "aiogram"]
    _changed(tmp_path, COMPLETE, measurements=measurements)
    read = _read("bench", tmp_path)
    assert f'{COMPLETE}: "{flood["name"]}" has no line "aiogram" in messages/s' in read.stderr


def test_the_newest_chaos_run(tmp_path: Path) -> None:
    shutil.copy(RESULTS["chaos"] / RUN, tmp_path)
    run = json.loads((tmp_path / RUN).read_text())
    chaos = _told("chaos", tmp_path)
    assert chaos["messages"] == run["messages"]
    assert sum(chaos["faults"].values()) == sum(run["faults"].values())


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"violations": {"lost": 1}}, "the run broke promises (lost)"),
        ({"faults": {"worker EXPLODED": 1}}, "an unknown fault: worker EXPLODED"),
        ({"lost": "none"}, "Invalid input: expected number, received string"),
    ],
)
def test_a_chaos_run_that_cannot_be_told_of(
    fields: dict[str, Any], why: str, tmp_path: Path
) -> None:
    shutil.copy(RESULTS["chaos"] / RUN, tmp_path)
    _changed(tmp_path, RUN, **fields)
    read = _read("chaos", tmp_path)
    assert read.returncode == 1
    assert RUN in read.stderr and why in read.stderr
