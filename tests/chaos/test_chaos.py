"""Half a minute of chaos in every `make test`; `python -m tests.chaos` goes on for longer."""

from pathlib import Path

import pytest

from entrypoints.sandbox.openai_world import Pace
from tests.chaos.plan import DECK, SHORT_DECK, Fault, plan
from tests.chaos.run import run
from tests.end_to_end.system import System

SEED = 4


@pytest.mark.timeout(240)
async def test_nothing_is_lost_while_everything_is_killed_once(tmp_path: Path) -> None:
    faults = plan(SEED, 25, SHORT_DECK)
    assert {fault.targets for fault in faults} >= {card.targets for card in SHORT_DECK}
    outcome = await run(tmp_path / "data", faults, 25, SEED, rate=25, chats=30, tell=print)
    assert not outcome.verdict.violations, outcome.timelines


@pytest.mark.timeout(240)
async def test_a_paused_worker_loses_its_jobs_and_acts_for_none_of_them(tmp_path: Path) -> None:
    """Each message takes a second, so that whichever worker is paused holds some."""
    pause = Fault(at=3, targets=("worker",), how="STOP", lasting=12)
    outcome = await run(
        tmp_path / "data", [pause], 16, SEED, rate=25, chats=30, tell=print, model=Pace(1.0)
    )
    assert outcome.verdict.taken_over
    assert not outcome.verdict.violations, outcome.timelines


async def test_500_open_generations_are_resumed_and_none_is_begun_again(
    database_url: str, valkey_url: str
) -> None:
    async with System(database_url, valkey_url) as system:
        await system.start("api", "worker")
        await system.sign_in()
        bot = await system.bot()
        system.sandbox.openai.pace = Pace(first_token=25)
        chats = range(810_001, 810_501)
        for chat in chats:
            bot.say(f"/sandbox:echo {chat}", user=chat)

        async def all_open() -> bool:
            rows = await system.processing(bot)
            return sum(row["run_id"] is not None for row in rows) == len(chats)

        await system.until(all_open, 20)
        await system.kill("worker")
        await system.start("worker")
        rows = await system.settled(bot, len(chats), seconds=60)
        assert {row["status"] for row in rows} == {"COMPLETED"}
        records = system.sandbox.openai.records
        assert sorted(row["run_id"] for row in rows) == sorted(record.id for record in records)
        assert all(bot.texts(chat) == [str(chat)] for chat in chats)


def test_a_seed_is_a_plan() -> None:
    assert plan(1, 300) == plan(1, 300) != plan(2, 300)


def test_no_fault_strikes_what_an_earlier_one_holds() -> None:
    faults = plan(SEED, 600)
    assert {(fault.targets, fault.how) for fault in faults} == {
        (card.targets, card.how) for card in DECK
    }
    for index, fault in enumerate(faults):
        for later in faults[index + 1 :]:
            shared = set(fault.targets) & set(later.targets)
            assert not shared or later.at >= fault.at + fault.lasting
