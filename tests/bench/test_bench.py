"""The bench runs, with tiny numbers: every measurement answers every message, once. No speeds."""

import io
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from tests.bench import report
from tests.bench.__main__ import MEASUREMENTS, TRANSPORTS, measure
from tests.bench.measure_lists import LISTS
from tests.bench.measurement import Sizes
from tests.bench.report import Results

TINY = Sizes(
    rounds=1,
    chats=4,
    each=2,
    crowd=6,
    generations=10,
    quiet=4,
    streams=2,
    words=20,
    filled=(40,),
    listed=(1_000,),
    asked=2,
    replayed=300,
)


@pytest.fixture(scope="module")
async def results() -> Results:
    """A tiny run; a message that is not answered once, and in order, ends it."""
    return await measure(list(MEASUREMENTS), TINY, Console(file=io.StringIO()))


def test_every_measurement_has_its_lines_and_rounds(results: Results) -> None:
    assert len(results.measurements) >= len(MEASUREMENTS)
    assert all(measured.lines and measured.rounds for measured in results.measurements)


def test_aiogram_is_measured_beside_us(results: Results) -> None:
    flood = results.measurements[0]
    assert [len(contestants) for contestants in flood.rounds] == [1 + len(TRANSPORTS)] * TINY.rounds


def test_every_generation_was_open_at_once(results: Results) -> None:
    (measured,) = (each for each in results.measurements if "generations" in each.name)
    assert [each["most"] for each in measured.rounds] == [TINY.generations] * TINY.rounds


def test_the_database_was_filled(results: Results) -> None:
    (measured,) = (each for each in results.measurements if each.name == "a database in use")
    assert [there for there, _ in measured.rounds] == [0, *TINY.filled]


def test_every_list_was_asked_for(results: Results) -> None:
    (measured,) = (each for each in results.measurements if each.name.startswith("lists"))
    (figures,) = measured.rounds
    assert all(len(taken) == TINY.asked for taken in figures.values())
    assert {*LISTS} < {*figures}


def test_a_replay_is_measured_beside_aiogram(results: Results) -> None:
    (measured,) = (each for each in results.measurements if each.name.startswith("replay"))
    assert {each["what"]: each["aiogram"] is not None for each in measured.rounds} == {
        "decoded": True,
        "handled": True,
        "recording": False,
    }


def test_results_are_kept(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    kept = msgspec.json.decode(report.write(results).read_bytes(), type=Results)
    assert kept.machine == results.machine
    assert [each.name for each in kept.measurements] == [each.name for each in results.measurements]
