"""The judge must find each violation, and must excuse only what DESIGN §2 calls unavoidable."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.chaos.evidence import Evidence, Happened, Row, Run, Step
from tests.chaos.flood import Said
from tests.chaos.verdict import Verdict, judge
from tests.chaos.witness import Arrival

BOT, TELEGRAM_BOT, CHAT = 1, 777, 5
DONE = Row("TAKEN", 0, "COMPLETED", None, alerted=False)
KILL = Happened("worker KILL", 20.0, 21.0)


def said(number: int, words: int = 0) -> Said:
    answer = (*(f"m{number}w{index}" for index in range(words)), f"m{number}end")
    return Said(BOT, TELEGRAM_BOT, CHAT, number, 100 + number, answer, at=10.0)


def arrived(text: str, at: float = 11.0) -> Arrival:
    return Arrival(TELEGRAM_BOT, CHAT, text, at)


def step(tag: str, at: float = 12.0, **fields: Any) -> Step:
    defaults: dict[str, Any] = {"epoch": 1, "run_id": None, "part": None, "kind": None}
    return Step(chat="1:5", at=at, tag=tag, run_ended=False, event=tag, **{**defaults, **fields})


RESUMED = step("turn.resumed")


def verdict(*arrivals: Arrival, count: int = 1, **changes: Any) -> Verdict:
    """Of `count` messages that were completed and arrived as given."""
    whole = Evidence(
        said=[said(number) for number in range(count)],
        arrivals=arrivals,
        faults=[],
        rows={(BOT, 100 + number): replace(DONE, id=number) for number in range(count)},
        steps={},
        runs={},
        waiting={},
        flood_ended=30.0,
        settled=31.0,
    )
    return judge(replace(whole, **changes))


def test_all_is_well() -> None:
    found = verdict(arrived("m0end"), arrived("m1end"), count=2)
    assert not found.violations
    assert (found.messages, found.answered, found.longest_wait) == (2, 2, 1.0)


def test_an_answer_of_several_parts() -> None:
    parts = [arrived("m0w0 m0w1"), arrived("m0w2 m0end")]
    assert not verdict(*parts, said=[said(0, words=3)]).violations
    assert "whole" in verdict(parts[1], said=[said(0, words=3)]).lost[0]


@pytest.mark.parametrize(
    ("row", "lost"),
    [
        (None, True),
        (DONE, True),
        (Row("TAKEN", None, None, None, alerted=False), True),
        (Row("WAITING", None, None, None, alerted=False), False),
        (Row("TAKEN", 0, "FAILED", None, alerted=False), False),
        (Row("TAKEN", 0, "TERMINAL", "gave up", alerted=True), False),
        (Row("TAKEN", 0, "TERMINAL", "gave up", alerted=False), True),
        (Row("TAKEN", 0, "TERMINAL", None, alerted=True), True),
    ],
)
def test_what_is_lost(row: Row | None, lost: bool) -> None:
    found = verdict(rows={} if row is None else {(BOT, 100): row})
    assert bool(found.lost) is lost


def test_out_of_order_by_first_arrivals() -> None:
    assert verdict(arrived("m1end"), arrived("m0end"), count=2).out_of_order
    late_copy = [arrived("m0end"), arrived("m1end"), arrived("m0end")]
    assert not verdict(*late_copy, count=2).out_of_order


def test_a_doubled_part_needs_a_fault_and_a_mark() -> None:
    twice = [arrived("m0end", 19.5), arrived("m0end", 25.0)]
    marked = {0: [RESUMED]}
    assert not verdict(*twice, faults=[KILL], steps=marked).violations
    assert verdict(*twice, faults=[KILL]).unmarked
    assert verdict(*twice, steps=marked).beyond_bound
    assert verdict(*twice, faults=[replace(KILL, began=26.0)], steps=marked).beyond_bound


def test_a_part_that_is_saved_as_sent_is_not_sent_again() -> None:
    twice = [arrived("m0end", 19.5), arrived("m0end", 25.0)]
    sent = step("telegram.messageSent", 20.1, part=0)
    found = verdict(*twice, faults=[KILL], steps={0: [RESUMED, sent]})
    assert len(found.sent_though_saved) == 1
    saved_later = replace(sent, at=25.0)
    assert not verdict(*twice, faults=[KILL], steps={0: [RESUMED, saved_later]}).violations
    stall = Happened("worker STOP", 10.0, 24.0)
    assert not verdict(*twice, faults=[stall], steps={0: [RESUMED, sent]}).violations


def test_a_fault_excuses_one_part_of_a_chat() -> None:
    twice = [
        *(arrived("m0end", 19.5), arrived("m0end", 25.0)),
        *(arrived("m1end", 25.1), arrived("m1end", 25.2)),
    ]
    marked = {0: [RESUMED], 1: [RESUMED]}
    found = verdict(*twice, count=2, faults=[KILL], steps=marked)
    assert len(found.beyond_bound) == 1
    assert not verdict(*twice, count=2, faults=[KILL, KILL], steps=marked).violations


def test_billed_twice_once_the_run_is_saved_or_has_answered() -> None:
    runs = {0: [Run("first", 11.0), Run("second", 14.0)]}
    answer = arrived("m0end", 15.0)
    saved = step("openai.replyStarted", run_id="first")
    found = verdict(answer, runs=runs, steps={0: [saved, RESUMED]})
    assert len(found.billed_twice) == found.asked_again == 1
    assert verdict(answer, runs=runs, steps={0: [step("openai.replyGenerated")]}).billed_twice


def test_a_run_may_be_followed_by_another_before_it_is_saved_or_when_it_ended() -> None:
    runs = {0: [Run("first", 11.0), Run("second", 14.0)]}
    answer = arrived("m0end", 15.0)
    saved = step("openai.replyStarted", run_id="first")
    lost = replace(step("openai.replyFailed", 13.0, kind="runLost"), run_ended=True)
    assert not verdict(answer, runs=runs, steps={0: [RESUMED]}).violations
    assert not verdict(answer, runs=runs, steps={0: [saved, lost]}).violations
    assert verdict(answer, runs=runs).unmarked


def test_recovery_counts_from_the_end_of_the_last_fault_before_an_answer() -> None:
    answers = [arrived("m0end", 25.0)]
    people = [replace(said(0), at=24.5)]
    assert verdict(*answers, faults=[KILL]).recovered_after_faults == 0.0
    assert verdict(*answers, said=people, faults=[KILL]).recovered_after_faults == 4.0
    overlapping = replace(KILL, began=20.5, ended=23.0)
    assert verdict(*answers, said=people, faults=[KILL, overlapping]).recovered_after_faults == 2.0
    soon_after = replace(KILL, began=22.0, ended=24.0)
    assert verdict(*answers, said=people, faults=[KILL, soon_after]).recovered_after_faults == 1.0


def test_a_step_of_a_former_owner() -> None:
    steps = {0: [step("turn.resumed", epoch=2), step("telegram.messageSent", epoch=1)]}
    assert verdict(arrived("m0end"), steps=steps).stale_steps


def test_what_waits() -> None:
    assert verdict(arrived("m0end"), waiting={"jobs": 2}).violations == {"left waiting": ["2 jobs"]}
