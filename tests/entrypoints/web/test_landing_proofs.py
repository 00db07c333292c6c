"""The figures of the Landing Web: from which files of measurements they come, from which not."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.entrypoints.web.site_scripts import RESULTS, read_proof, run_script, told

COMPLETE = "2026-11-27T184957Z.json"
NEWER = "2026-11-28T004406Z.json"
RUN = "2026-11-27T182911Z.json"


def _told(name: str, folder: Path) -> Any:
    return told(read_proof(name, folder))


def _changed(folder: Path, name: str, **fields: Any) -> None:
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_each_measurement_is_of_the_newest_run_that_has_it(tmp_path: Path) -> None:
    shutil.copy(RESULTS["bench"] / COMPLETE, tmp_path)
    shutil.copy(RESULTS["bench"] / "2026-11-27T225257Z.json", tmp_path)  # lists alone
    shutil.copy(RESULTS["bench"] / NEWER, tmp_path)  # without replay
    shutil.copy(RESULTS["bench"] / "2026-11-24T045117Z.json", tmp_path)  # older
    files = {name: json.loads((tmp_path / name).read_text()) for name in (COMPLETE, NEWER)}
    medians = {
        (name, each["name"].partition(",")[0], line["what"]): line["median"]
        for name, measured in files.items()
        for each in reversed(measured["measurements"])  # the first flood counts
        for line in each["lines"]
    }
    bench = _told("bench", tmp_path)
    flood, quiet, replay = bench["flood"], bench["quiet"], bench["replay"]
    assert flood["at"] == quiet["at"] == files[NEWER]["at"]
    assert flood["machine"]["commit"] == files[NEWER]["machine"]["commit"]
    assert replay["at"] == files[COMPLETE]["at"]
    assert flood["perSecond"]["kotodom"] == medians[NEWER, "flood", "Kotodom"]
    assert flood["perSecond"]["aiogramAiohttp"] == medians[NEWER, "flood", "aiogram, aiohttp"]
    assert flood["acknowledged"]["aiogram"] == medians[NEWER, "flood", "acknowledged, p99, aiogram"]
    assert quiet["p99"] == medians[NEWER, "quiet", "added, p99"]
    assert quiet["aiogram"] == medians[NEWER, "quiet", "added by aiogram, p50"]
    assert quiet["aiogramAiohttp"] == medians[NEWER, "quiet", "added by aiogram, aiohttp, p50"]
    assert replay["kotodom"] == medians[COMPLETE, "replay", "Kotodom, from JSON"]
    parts = ("api", "worker", "worker-2", "postgres", "valkey")
    ours = sum(medians[NEWER, "flood", f"CPU of {part}"] for part in parts)
    assert flood["cpu"]["kotodom"] == pytest.approx(ours)
    assert flood["cpu"]["aiogram"] == medians[NEWER, "flood", "CPU of aiogram"]


@pytest.mark.parametrize(("per_second", "quickest"), [(1e6, True), (250.0, False), (1.0, False)])
def test_the_heading_says_no_more_than_the_figures(
    per_second: float, quickest: bool, tmp_path: Path
) -> None:
    """An aiogram bot over aiohttp had 296 messages a second there, over httpx 180."""
    shutil.copy(RESULTS["bench"] / COMPLETE, tmp_path)
    shutil.copy(RESULTS["bench"] / NEWER, tmp_path)
    measurements = json.loads((tmp_path / NEWER).read_text())["measurements"]
    line = next(line for line in measurements[0]["lines"] if line["what"] == "Kotodom")
    line["median"] = per_second
    _changed(tmp_path, NEWER, measurements=measurements)
    assert _told("bench", tmp_path)["flood"]["quickest"] is quickest


def test_a_run_of_two_rounds_is_passed_over(tmp_path: Path) -> None:
    """A median of two is their mean."""
    shutil.copy(RESULTS["bench"] / COMPLETE, tmp_path)
    shutil.copy(RESULTS["bench"] / NEWER, tmp_path)
    newest = json.loads((tmp_path / NEWER).read_text())
    later = "2026-11-28T023844Z.json"
    for rounds, at in ((2, newest["at"]), (3, "2026-11-28T02:38:44Z")):
        shutil.copy(tmp_path / NEWER, tmp_path / later)
        _changed(
            tmp_path, later, at="2026-11-28T02:38:44Z", sizes={**newest["sizes"], "rounds": rounds}
        )
        bench = _told("bench", tmp_path)
        assert bench["flood"]["at"] == bench["quiet"]["at"] == at


def test_no_bench(tmp_path: Path) -> None:
    shutil.copy(RESULTS["bench"] / "2026-11-27T225257Z.json", tmp_path)
    read = read_proof("bench", tmp_path)
    assert read.returncode == 1
    assert "no run of 3 rounds has a flood: make bench" in read.stderr


@pytest.mark.parametrize("name", ["bench", "chaos"])
def test_a_broken_file_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "2026-01-01T000000Z.json").write_text('{"at": ')
    assert "2026-01-01T000000Z.json: " in read_proof(name, tmp_path).stderr


def test_without_a_terminal_what_is_lacking_is_named(tmp_path: Path) -> None:
    for name, file in (("bench", NEWER), ("bench", COMPLETE), ("chaos", RUN)):
        (tmp_path / "tests" / name / "results").mkdir(parents=True, exist_ok=True)
        shutil.copy(RESULTS[name] / file, tmp_path / "tests" / name / "results")
    read = read_proof("proofs", tmp_path)
    assert "entrypoints/web/screenshots/replay.txt: nothing there: make screenshots" in read.stderr


def test_what_is_kept_here_can_be_told_of() -> None:
    assert _told("bench", RESULTS["bench"])["flood"]["perSecond"]["kotodom"] > 0
    assert _told("chaos", RESULTS["chaos"])["lost"] == 0


def test_a_bench_that_lacks_a_line(tmp_path: Path) -> None:
    shutil.copy(RESULTS["bench"] / COMPLETE, tmp_path)
    measurements = json.loads((tmp_path / COMPLETE).read_text())["measurements"]
    flood = next(each for each in measurements if each["name"].startswith("flood,"))
    flood["lines"] = [line for line in flood["lines"] if line["what"] != "aiogram"]
    _changed(tmp_path, COMPLETE, measurements=measurements)
    read = read_proof("bench", tmp_path)
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
        ({"lost": 7}, "the run broke promises (lost)"),
        ({"out_of_order": 1, "billed_twice": 2}, "(out_of_order, billed_twice)"),
        ({"left_waiting": 1}, "the run broke promises (left_waiting)"),
        ({"messages": 0}, "nothing was written or answered"),
        ({"faults": {}}, "nothing was broken in that run"),
        ({"seconds": 299.0}, "the run was shorter than 300 seconds"),
        ({"faults": {"worker EXPLODED": 1}}, "an unknown fault: worker EXPLODED"),
        ({"lost": "none"}, "Invalid input: expected number, received string"),
    ],
)
def test_a_chaos_run_that_cannot_be_told_of(
    fields: dict[str, Any], why: str, tmp_path: Path
) -> None:
    shutil.copy(RESULTS["chaos"] / RUN, tmp_path)
    _changed(tmp_path, RUN, **fields)
    read = read_proof("chaos", tmp_path)
    assert read.returncode == 1
    assert RUN in read.stderr and why in read.stderr


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, "1 раз"), (2, "2 раза"), (11, "11 раз"), (23.6, "24 раза"), (60, "60 раз")],
)
def test_a_number_has_its_noun_in_russian(count: float, expected: str) -> None:
    forms = {"few": "раза", "other": "раз"}
    answer = run_script("proof/numbers.ts", "counted", count, "ru", forms)
    assert told(answer) == expected.replace(" ", "\xa0")
