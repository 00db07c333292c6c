"""The judge must find each violation, and must excuse only what DESIGN §2 calls unavoidable."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.bench.machine import Machine
from tests.chaos.evidence import Evidence, Happened, Row, Run, Step
from tests.chaos.flood import Said
from tests.chaos.kept import keep, kept
from tests.chaos.run import Outcome
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


RESUMED = step("turn.resumed", 23.0, died=True)
"""Between the two arrivals of `TWICE`, soon after the kill."""
TWICE = (arrived("m0end", 19.5), arrived("m0end", 25.0))
AMBIGUOUS = step("telegram.messageFailed", 20.2, part=0, kind="ambiguous", waits=True)
STOP = Happened("worker STOP", 10.0, 24.0)


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
    marked = {0: [RESUMED]}
    assert not verdict(*TWICE, faults=[KILL], steps=marked).violations
    assert list(verdict(*TWICE, faults=[KILL]).violations) == ["not marked in the timeline"]
    assert list(verdict(*TWICE, steps=marked).violations) == ["doubled without a fault"]


@pytest.mark.parametrize(
    "name",
    ["valkey KILL", "api KILL", "api TERM", "poller KILL", "poller TERM"]
    + [f"openai {how}" for how in ("refuse", "blackhole", "cut")],
)
@pytest.mark.parametrize("mark", [RESUMED, AMBIGUOUS], ids=["lease lost", "ambiguous"])
def test_faults_that_excuse_no_double(name: str, mark: Step) -> None:
    found = verdict(*TWICE, faults=[replace(KILL, name=name)], steps={0: [mark]})
    assert list(found.violations) == ["doubled without a fault"]


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("worker KILL", RESUMED),
        ("worker-2 TERM", RESUMED),
        ("worker and worker-2 KILL", RESUMED),
        ("worker STOP", RESUMED),
        ("worker STOP", AMBIGUOUS),
        ("postgres KILL", RESUMED),
        ("postgres QUIT", replace(RESUMED, died=False)),
        ("telegram refuse", AMBIGUOUS),
        ("telegram blackhole", AMBIGUOUS),
        ("telegram cut", AMBIGUOUS),
    ],
)
def test_faults_that_excuse_a_double_by_their_own_mark(name: str, mark: Step) -> None:
    fault = replace(KILL, name=name)
    assert not verdict(*TWICE, faults=[fault], steps={0: [mark]}).violations
    other = AMBIGUOUS if mark.tag == "turn.resumed" else RESUMED
    if fault.how != "STOP":
        assert verdict(*TWICE, faults=[fault], steps={0: [other]}).beyond_bound


@pytest.mark.parametrize(
    ("began", "excused"), [(12.9, False), (18.9, False), (19.1, True), (25.4, True), (25.6, False)]
)
def test_the_part_was_in_flight_when_its_worker_was_killed(began: float, excused: bool) -> None:
    """Arrived at 19.5: killed before that it had not sent it; 6 s later its outcome was saved."""
    twice = (TWICE[0], arrived("m0end", 30.0))
    kill = replace(KILL, began=began, ended=began + 0.5)
    steps = {0: [replace(RESUMED, at=28.0)]}
    assert bool(verdict(*twice, faults=[kill], steps=steps).beyond_bound) is not excused


def test_a_postgresql_that_came_back_had_the_commit_or_not() -> None:
    fault = Happened("postgres KILL", 10.0, 15.0)
    assert not verdict(*TWICE, faults=[fault], steps={0: [RESUMED]}).violations
    long_gone = replace(fault, ended=13.0)
    assert verdict(*TWICE, faults=[long_gone], steps={0: [RESUMED]}).beyond_bound


def test_the_turn_is_taken_over_as_soon_as_its_lease_has_run_out() -> None:
    late = {0: [replace(RESUMED, at=34.0)]}
    twice = (TWICE[0], arrived("m0end", 35.0))
    assert verdict(*twice, faults=[KILL], steps=late).beyond_bound
    away = Happened("postgres KILL", 28.0, 30.0)
    assert not verdict(*twice, faults=[KILL, away], steps=late).violations
    assert verdict(
        *twice, faults=[KILL, replace(away, name="valkey KILL")], steps=late
    ).beyond_bound


def test_the_mark_is_of_this_doubling() -> None:
    """Taken over long before its part was sent, or long after; a retry that was due; another part;
    a failure that is not ambiguous; another failure's ambiguity: none of them says why.
    """
    failed = step("telegram.messageFailed", 21.0, part=0, kind="retryable", waits=True)
    due = step("turn.resumed", 22.5)
    for steps in (
        [replace(RESUMED, at=1.0), step("openai.replyGenerated", 18.0)],
        [replace(RESUMED, at=25.1)],
        [failed, due],
        [failed],
        [replace(AMBIGUOUS, part=1)],
        [step("openai.replyFailed", 21.0, kind="retryable")],
        [step("turn.broke", 21.0)],
    ):
        fault = replace(KILL, name="telegram cut" if steps[0].part is not None else "worker KILL")
        assert verdict(*TWICE, faults=[fault], steps={0: steps}).unmarked, steps
    noted_late = [replace(RESUMED, at=19.2)]
    assert not verdict(*TWICE, faults=[replace(KILL, began=19.1)], steps={0: noted_late}).violations


def test_a_part_that_is_saved_as_sent_is_not_sent_again() -> None:
    sent = step("telegram.messageSent", 20.1, part=0)
    found = verdict(*TWICE, faults=[KILL], steps={0: [sent, RESUMED]})
    assert len(found.sent_though_saved) == 1
    saved_later = replace(sent, at=25.0)
    assert not verdict(*TWICE, faults=[KILL], steps={0: [RESUMED, saved_later]}).violations


def test_a_stopped_worker_wakes_up_between_its_lease_and_its_call() -> None:
    """The chat was taken over at 21, the part sent at 22.5 and saved; the call of 24.1 is stale."""
    twice = (arrived("m0end", 22.5), arrived("m0end", 24.1))
    taken_over, sent = replace(RESUMED, at=21.0), step("telegram.messageSent", 22.6, part=0)
    steps = {0: [taken_over, sent]}
    assert not verdict(*twice, faults=[STOP], steps=steps).violations
    stale_first = (arrived("m0end", 24.1), arrived("m0end", 24.3))
    assert not verdict(*stale_first, faults=[STOP], steps={0: [taken_over]}).violations
    assert verdict(*twice, faults=[STOP], steps={0: [sent]}).unmarked
    long_awake = verdict(*twice, faults=[replace(STOP, ended=16.0)], steps=steps)
    assert long_awake.sent_though_saved and long_awake.beyond_bound
    for name in ("api STOP", "worker KILL"):
        found = verdict(*twice, faults=[replace(STOP, name=name)], steps=steps)
        assert found.sent_though_saved and found.beyond_bound


def test_a_fault_excuses_one_part_of_a_chat() -> None:
    """And of another chat one more. Which of two faults excuses which of two parts is no matter."""
    twice = [
        *(arrived("m0end", 19.5), arrived("m0end", 25.0)),
        *(arrived("m1end", 19.6), arrived("m1end", 25.2)),
    ]
    marked = {0: [RESUMED], 1: [RESUMED]}
    found = verdict(*twice, count=2, faults=[KILL], steps=marked)
    assert len(found.beyond_bound) == 1
    assert not verdict(*twice, count=2, faults=[KILL, KILL], steps=marked).violations
    thrice = (*TWICE, arrived("m0end", 25.1))
    assert len(verdict(*thrice, faults=[KILL], steps={0: [RESUMED]}).beyond_bound) == 1
    elsewhere = [replace(arrival, chat=6) for arrival in twice[2:]]
    both = [said(0), replace(said(1), chat=6)]
    assert not verdict(
        *TWICE, *elsewhere, count=2, said=both, faults=[KILL], steps=marked
    ).violations
    # Only the second fault may excuse the first part; the first one is left for the other.
    early = Happened("worker KILL", 14.0, 14.5)
    twice[2] = arrived("m1end", 13.9)
    marked[1] = [replace(RESUMED, at=15.0)]
    assert not verdict(*twice, count=2, faults=[KILL, early], steps=marked).violations


def test_billed_twice_once_the_run_is_saved_or_has_answered() -> None:
    runs = {0: [Run("first", 11.0), Run("second", 14.0)]}
    answer = arrived("m0end", 15.0)
    saved = step("openai.replyStarted", run_id="first")
    found = verdict(answer, runs=runs, steps={0: [saved, replace(RESUMED, at=13.0)]})
    assert len(found.billed_twice) == found.asked_again == 1
    assert verdict(answer, runs=runs, steps={0: [step("openai.replyGenerated")]}).billed_twice


def test_a_run_may_be_followed_by_another_before_it_is_saved_or_when_it_ended() -> None:
    runs = {0: [Run("first", 11.0), Run("second", 14.0)]}
    answer = arrived("m0end", 15.0)
    saved = step("openai.replyStarted", run_id="first")
    lost = replace(step("openai.replyFailed", 13.0, kind="runLost"), run_ended=True)
    taken_over = replace(RESUMED, at=13.0)
    assert not verdict(answer, runs=runs, steps={0: [taken_over]}).violations
    assert not verdict(answer, runs=runs, steps={0: [saved, lost]}).violations
    assert verdict(answer, runs=runs).unmarked
    assert verdict(answer, runs=runs, steps={0: [replace(RESUMED, at=1.0)]}).unmarked
    assert verdict(answer, runs=runs, steps={0: [RESUMED]}).unmarked


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


def test_a_message_that_a_bug_of_ours_ended() -> None:
    rows = {
        (BOT, 100): DONE,
        (BOT, 101): Row("TAKEN", 1, "TERMINAL", "a bug: ZeroDivisionError: oops", alerted=True),
    }
    found = verdict(arrived("m0end"), count=2, rows=rows)
    assert list(found.violations) == ["broken by a bug"]
    assert "ZeroDivisionError" in found.bugs[0]
    gave_up = replace(rows[BOT, 101], reason="gave up: OpenAI 503")
    assert not verdict(arrived("m0end"), count=2, rows={**rows, (BOT, 101): gave_up}).violations
    assert verdict(arrived("m0end"), steps={0: [step("turn.broke")]}).bugs


def test_a_process_that_ended_by_itself() -> None:
    found = verdict(arrived("m0end"), ended_by_themselves=["worker died (1)"])
    assert found.violations == {"ended by itself": ["worker died (1)"]}


def test_a_run_in_which_nothing_was_answered() -> None:
    refused = Row("TAKEN", 0, "TERMINAL", "the model refused", alerted=True)
    found = verdict(rows={(BOT, 100): refused})
    assert found.violations == {"nothing was answered": ["of 1 messages"]}
    assert verdict(count=0).violations


def test_what_is_kept_of_a_run(tmp_path: Path) -> None:
    here = Machine("a cpu", 2, 4.0, "Linux", "3.12", "18", "abc")
    found = verdict(*TWICE, faults=[KILL], steps={0: [RESUMED]})
    outcome = Outcome(found, [KILL, KILL], here, {})
    path = keep(kept(outcome, seed=7, seconds=300, rate=40, chats=60), tmp_path)
    told = msgspec.json.decode(path.read_bytes())
    assert (told["seed"], told["faults"]) == (7, {"worker KILL": 2})
    assert (told["parts_doubled"], told["violations"], told["machine"]["cores"]) == (1, {}, 2)
    assert not any(isinstance(value, list) for value in told.values())
    assert path.parent.name == "results"


def test_a_run_that_broke_a_promise_is_kept_elsewhere(tmp_path: Path) -> None:
    outcome = Outcome(verdict(rows={}), [KILL], Machine("a", 2, 4.0, "L", "3", "18", "abc"), {})
    path = keep(kept(outcome, seed=7, seconds=300, rate=40, chats=60), tmp_path)
    assert path.parent.name == "failed"
