"""The loop over a store in memory: what each job, outcome and kill leaves behind it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from application import react
from application.jobs import Pick, Unavailable
from application.meter import Loop, Stage
from application.moves import (
    BeginningBroke,
    Bug,
    Done,
    Ended,
    NeedsAlone,
    Outcome,
    Proceed,
    Result,
    Running,
    Take,
)
from application.react import React
from domain.conversation import handle
from domain.effects import (
    AdminAlert,
    GenerateReply,
    Part,
    ReportBotFailure,
    ResetThread,
    ResumeReply,
    SendChatAction,
    SendMessage,
    TurnEffect,
    TurnToken,
)
from domain.events import (
    BotProfile,
    ChatEvent,
    MessageFailed,
    MessageSent,
    Reply,
    ReplyFailed,
    ReplyGenerated,
    ReplyStarted,
    TurnBroke,
    TurnEvent,
)
from domain.failures import Fatal, Retryable, Terminal
from domain.step import Envelope, digest
from domain.turn import Conversation, Status, Turn
from tests.application.memory_conversations import START, MemoryClock, MemoryConversations
from tests.application.memory_meter import MemoryMeter

BOT = BotProfile(3, "Kotodom", "kotodom_bot")
CHAT = "3:42"
ONE_PART = Reply("Hi!", (Part("Hi!"),), "gpt", thread_id="conv_1", run_id="resp_1")
TWO_PARTS = Reply("Hi! Bye!", (Part("Hi!"), Part("Bye!")), "gpt", thread_id="conv_1")
DAY = timedelta(hours=24)


def payload(update_id: int, text: str = "Hello", chat: int = 42) -> str:
    message = {
        "message_id": update_id + 1000,
        "date": 0,
        "chat": {"id": chat, "type": "private"},
        "from": {"id": chat, "is_bot": False, "first_name": "Ann"},
        "text": text,
    }
    return msgspec.json.encode({"update_id": update_id, "message": message}).decode()


class World:
    """A store with one bot, and one process that reacts."""

    def __init__(self) -> None:
        self.store = MemoryConversations(BOT)
        self.meter = MemoryMeter()
        self.react = self.another_process()

    def another_process(self) -> React:
        return React(self.store, MemoryClock(self.store), self.meter)

    def says(self, update_id: int, text: str = "Hello", chat: int = 42) -> int:
        return self.store.update(f"3:{chat}", update_id, payload(update_id, text, chat))

    async def take(self, job_id: int, chat: str = CHAT, *, alone: bool = False) -> Result:
        return await self.react.put(Take(chat, self.store.pick(job_id), alone))

    async def outcome(self, event: TurnEvent, pick: Pick, chat: str = CHAT) -> Result:
        return await self.react.put(Outcome(chat, pick, event))

    async def run(self, job_id: int, chat: str = CHAT) -> None:
        """The job to its end, by a world where everything succeeds."""
        pick = self.store.pick(job_id)
        await self.follow(await self.react.put(Take(chat, pick)), pick, chat)

    async def follow(self, result: Result, pick: Pick, chat: str = CHAT) -> None:
        for _ in range(50):
            match result:
                case Running(effects=effects):
                    result = await self.outcome(success(effects), pick, chat)
                case Ended(epoch=epoch):
                    result = await self.react.put(Proceed(chat, pick, epoch))
                case _:
                    assert result == Done()
                    return
        raise AssertionError("the job never ends")

    def turn(self) -> Turn:
        """The one turn that there is."""
        ((_, turn),) = self.store.turns.values()
        return turn

    def states(self) -> list[tuple[str, Status]]:
        return [(turn.text, turn.status) for _, turn in self.store.turns.values()]


def success(effects: tuple[TurnEffect, ...]) -> TurnEvent:
    match effects[-1]:
        case SendMessage(turn=token, part=part):
            return MessageSent(token, part, 900 + part)
        case GenerateReply(turn=token) | ResumeReply(turn=token):
            return ReplyGenerated(token, ONE_PART)
        case unexpected:
            raise AssertionError(unexpected)


def asked(result: Result) -> tuple[TurnToken, list[type]]:
    """The token that runs, and the kinds of what is to be performed."""
    assert isinstance(result, Running)
    assert all(effect.turn == result.token for effect in result.effects)
    return result.token, [type(effect) for effect in result.effects]


@pytest.fixture
def world() -> World:
    return World()


# --- a message from its job to its end -----------------------------------------------------------


async def test_a_job_takes_the_chat_and_begins_the_first_message(world: World) -> None:
    job = world.says(1)
    token, kinds = asked(await world.take(job))
    assert kinds == [SendChatAction, GenerateReply]
    assert token.epoch == 1
    assert world.store.owners[CHAT] == job
    assert world.store.queue[job].status == "picked"
    assert world.store.line[0].taken
    assert world.turn().token == token
    assert [row.id for row in world.store.journal] == ["update:3:42:1"]


async def test_the_last_state_acknowledges_the_job_and_lets_the_chat_go(world: World) -> None:
    pick = world.store.pick(world.says(1))
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    asked(await world.outcome(ReplyStarted(token, "resp_1", "conv_1"), pick))
    asked(await world.outcome(ReplyGenerated(token, TWO_PARTS), pick))
    asked(await world.outcome(MessageSent(token, 0, 900), pick))
    assert await world.outcome(MessageSent(token, 1, 901), pick) == Done()
    assert world.store.queue == {}
    assert world.store.owners[CHAT] is None
    assert world.states() == [("Hello", Status.COMPLETED)]
    assert world.store.chats[CHAT] == Conversation(
        CHAT, 42, thread_id="conv_1", thread_upto=token.id, epoch=1
    )


async def test_the_journal_replays(world: World) -> None:
    """DESIGN §9: the events folded from the first step's state give every effect and state."""
    await world.run(world.says(1))
    await world.run(world.says(2, "/refresh"))
    await world.run(world.says(3, "photo?"))
    state: Conversation | None = None
    for row in world.store.journal:
        if row.from_state is not None:
            state = msgspec.json.decode(row.from_state, type=Conversation)
        assert state is not None
        event = msgspec.json.decode(row.event, type=ChatEvent)  # type: ignore[arg-type]
        step = handle(state, Envelope(row.id, row.at, event))
        assert (msgspec.json.encode(step.effects).decode(), digest(step.state)) == (
            row.effects,
            row.state,
        )
        state = step.state
    identities = [row.id for row in world.store.journal]
    assert len(set(identities)) == len(identities)


async def test_the_next_in_line_begins_in_the_same_commit(world: World) -> None:
    first, second = world.says(1), world.says(2, "And?")
    pick = world.store.pick(first)
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    await world.outcome(ReplyGenerated(token, ONE_PART), pick)
    commits = world.store.commits
    after, kinds = asked(await world.outcome(MessageSent(token, 0, 900), pick))
    assert world.store.commits == commits + 1
    assert (after.epoch, kinds) == (token.epoch, [SendChatAction, GenerateReply])
    assert after.id > token.id
    await world.outcome(ReplyGenerated(after, ONE_PART), pick)
    assert await world.outcome(MessageSent(after, 0, 901), pick) == Done()
    assert world.states() == [("Hello", Status.COMPLETED), ("And?", Status.COMPLETED)]
    assert await world.take(second) == Done()
    assert world.store.queue == {}


async def test_a_message_that_ends_by_itself_is_followed_by_the_next(world: World) -> None:
    pick = world.store.pick(world.says(1, " "))
    world.says(2, "/help@other_bot")
    world.says(3)
    result = await world.react.put(Take(CHAT, pick))
    assert result == Ended(1)
    result = await world.react.put(Proceed(CHAT, pick, 1))
    assert result == Ended(1)
    await world.follow(await world.react.put(Proceed(CHAT, pick, 1)), pick)
    assert [status for _, status in world.states()] == [Status.COMPLETED] * 3


async def test_a_late_update_is_next_whatever_began_before_it(world: World) -> None:
    world.says(2, "second")
    pick = world.store.pick(world.says(3, "third"))
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    world.says(1, "first")
    await world.outcome(ReplyGenerated(token, ONE_PART), pick)
    await world.follow(await world.outcome(MessageSent(token, 0, 900), pick), pick)
    assert [turn.text for _, turn in world.store.begun] == ["second", "first", "third"]


async def test_two_bots_with_the_same_chat_do_not_meet(world: World) -> None:
    world.store.bots[4] = BotProfile(4, "Other")
    first = world.says(1)
    second = world.store.update("4:42", 1, payload(1))
    await asyncio.gather(world.run(first), world.run(second, "4:42"))
    assert {chat for chat, _ in world.store.turns.values()} == {"3:42", "4:42"}
    assert [status for _, status in world.states()] == [Status.COMPLETED] * 2


async def test_an_empty_line_is_nothing_to_do(world: World) -> None:
    assert await world.take(world.store.publish(CHAT)) == Done()
    assert (world.store.queue, world.store.chats, world.store.journal) == ({}, {}, [])


async def test_what_a_bot_wishes_beside_its_turn_becomes_jobs(world: World) -> None:
    pick = world.store.pick(world.says(1))
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    asked(await world.outcome(ReplyFailed(token, Fatal("wrong key")), pick))
    assert world.store.detached == [ReportBotFailure(3, "wrong key")]
    assert await world.outcome(MessageSent(token, 0, 900), pick) == Done()
    assert world.states() == [("Hello", Status.TERMINAL)]


# --- owners, picks, tokens -----------------------------------------------------------------------


async def test_a_second_job_of_a_chat_that_is_served_is_done(world: World) -> None:
    first, second = world.says(1), world.says(2)
    token, _ = asked(await world.take(first))
    assert await world.take(second) == Done()
    assert set(world.store.queue) == {first}
    assert world.turn().token == token


@pytest.mark.parametrize("end", ["absent", "failed"])
async def test_a_dead_owner_is_replaced_and_its_turn_continued(world: World, end: str) -> None:
    first = world.says(1)
    token, _ = asked(await world.take(first))
    if end == "failed":
        world.store.queue[first].status = "failed"
    else:
        del world.store.queue[first]
    second = world.store.publish(CHAT)
    again, kinds = asked(await world.take(second))
    assert again == TurnToken(token.id, token.epoch + 1)
    assert kinds == [SendChatAction, GenerateReply]
    assert world.store.owners[CHAT] == second
    assert world.turn().deaths == 0


async def test_a_pick_that_is_lost_changes_nothing(world: World) -> None:
    job = world.says(1)
    lost = world.store.pick(job)
    held = world.store.pick(job, "two")
    assert await world.react.put(Take(CHAT, lost)) == Done()
    assert (world.store.turns, world.store.journal) == ({}, [])
    assert world.store.queue[job].pick == held


async def test_an_outcome_under_an_older_token_changes_nothing(world: World) -> None:
    job = world.says(1)
    stalled = world.store.pick(job)
    token, _ = asked(await world.react.put(Take(CHAT, stalled)))
    again, _ = asked(await world.take(job))
    before = (dict(world.store.turns), len(world.store.journal))
    assert await world.outcome(ReplyGenerated(token, ONE_PART), stalled) == Done()
    assert await world.outcome(TurnBroke(token, "KeyError"), stalled) == Done()
    assert (world.store.turns, len(world.store.journal)) == before
    assert job in world.store.queue
    assert world.turn().token == again


async def test_a_stalled_worker_that_ends_the_message_does_not_acknowledge_for_another(
    world: World,
) -> None:
    job = world.says(1)
    stalled = world.store.pick(job)
    token, _ = asked(await world.react.put(Take(CHAT, stalled)))
    await world.outcome(ReplyGenerated(token, ONE_PART), stalled)
    held = world.store.pick(job, "two")
    assert await world.outcome(MessageSent(token, 0, 900), stalled) == Done()
    assert world.store.queue[job].pick == held
    assert await world.react.put(Take(CHAT, held)) == Done()
    assert (world.store.queue, world.states()) == ({}, [("Hello", Status.COMPLETED)])


async def test_a_step_whose_job_is_gone_is_kept(world: World) -> None:
    pick = world.store.pick(world.says(1))
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    world.store.queue.clear()
    await world.follow(await world.outcome(ReplyGenerated(token, ONE_PART), pick), pick)
    assert world.states() == [("Hello", Status.COMPLETED)]


async def test_going_on_under_an_older_epoch_does_nothing(world: World) -> None:
    pick = world.store.pick(world.says(1, " "))
    world.says(2)
    assert await world.react.put(Take(CHAT, pick)) == Ended(1)
    assert await world.react.put(Proceed(CHAT, pick, 0)) == Done()
    asked(await world.react.put(Proceed(CHAT, pick, 1)))
    assert await world.react.put(Proceed(CHAT, pick, 1)) == Done()


async def test_a_chat_whose_bot_is_gone_is_nothing_to_do(world: World) -> None:
    job, other = world.says(1), world.says(2)
    pick = world.store.pick(job)
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    world.store.bots.clear()
    assert await world.outcome(ReplyGenerated(token, ONE_PART), pick) == Done()
    assert await world.take(other) == Done()
    assert world.store.queue == {}


# --- retries -------------------------------------------------------------------------------------


async def test_a_retry_is_a_new_delayed_job_that_owns_the_chat(world: World) -> None:
    job = world.says(1)
    world.says(2, "And?")
    pick = world.store.pick(job)
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    away = ReplyFailed(token, Retryable("away", after=30.0))
    assert await world.outcome(away, pick) == Done()
    assert job not in world.store.queue
    owner = world.store.queue[world.store.owners[CHAT] or 0]
    assert owner.due == world.store.at + timedelta(seconds=30)
    assert world.turn().status is Status.FAILED

    waiting = next(row for row in world.store.queue.values() if row.id != owner.id)
    assert await world.take(waiting.id) == Done(), "what came later waits behind it"
    assert set(world.store.queue) == {owner.id}

    again, kinds = asked(await world.take(owner.id))
    assert (again, kinds) == (TurnToken(token.id, 2), [SendChatAction, GenerateReply])
    assert world.turn().deaths == 0


async def test_a_run_that_was_started_is_resumed(world: World) -> None:
    job = world.says(1)
    pick = world.store.pick(job)
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    await world.outcome(ReplyStarted(token, "resp_1", "conv_1"), pick)
    again, kinds = asked(await world.take(job))
    assert kinds == [SendChatAction, ResumeReply]
    assert world.turn().run_id == "resp_1"
    assert again.epoch == token.epoch + 1


async def test_only_what_was_not_sent_is_sent(world: World) -> None:
    job = world.says(1)
    pick = world.store.pick(job)
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    await world.outcome(ReplyGenerated(token, TWO_PARTS), pick)
    await world.outcome(MessageSent(token, 0, 900), pick)
    result = await world.take(job)
    assert isinstance(result, Running)
    (effect,) = result.effects
    assert isinstance(effect, SendMessage)
    assert (effect.part, effect.text) == (1, "Bye!")


async def test_after_the_last_attempt_the_next_in_line_goes_on(world: World) -> None:
    job = world.says(1)
    world.says(2, "And?")
    for _ in range(6):
        pick = world.store.pick(job)
        token, _ = asked(await world.react.put(Take(CHAT, pick)))
        result = await world.outcome(ReplyFailed(token, Retryable("away")), pick)
        job = world.store.owners[CHAT] or 0
    asked(result)
    await world.follow(await world.outcome(MessageSent(token, 0, 900), pick), pick)
    assert world.states() == [("Hello", Status.TERMINAL), ("And?", Status.COMPLETED)]


async def test_a_persons_retry_keeps_what_is_known(world: World) -> None:
    pick = world.store.pick(world.says(1))
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    await world.outcome(ReplyGenerated(token, TWO_PARTS), pick)
    await world.outcome(MessageSent(token, 0, 900), pick)
    asked(await world.outcome(MessageFailed(token, 1, Terminal("too long")), pick))
    assert await world.outcome(MessageSent(token, 0, 901), pick) == Done()
    job = world.store.request(CHAT, "RETRY", of=token.id)
    result = await world.take(job)
    assert isinstance(result, Running)
    (effect,) = result.effects
    assert isinstance(effect, SendMessage)
    assert (result.token, effect.part) == (TurnToken(token.id, 2), 1)
    pick = world.store.queue[job].pick
    assert await world.outcome(MessageSent(result.token, 1, 902), pick) == Done()
    assert (world.turn().status, world.turn().sent) == (Status.COMPLETED, (900, 902))


async def test_a_retry_that_comes_too_late_is_taken_and_changes_nothing(world: World) -> None:
    await world.run(world.says(1))
    done = world.turn()
    await world.run(world.store.request(CHAT, "RETRY", of=done.token.id))
    assert world.turn() == done
    assert all(one.taken for one in world.store.line)
    assert world.store.queue == {}


# --- kills and bugs ------------------------------------------------------------------------------


async def test_a_kill_is_counted(world: World) -> None:
    job = world.says(1)
    await world.take(job)
    await world.take(job)
    assert world.turn().deaths == 1
    assert world.turn().status is Status.PROCESSING


async def test_a_message_whose_worker_was_killed_twice_runs_alone(world: World) -> None:
    """DESIGN §2: a job whose worker was killed twice under it runs alone in a worker."""
    job = world.says(1)
    await world.take(job)
    await world.take(job)
    before = (world.turn(), len(world.store.journal))
    assert await world.take(job) == NeedsAlone()
    assert (world.turn(), len(world.store.journal)) == before
    asked(await world.take(job, alone=True))


async def test_only_kills_while_it_ran_alone_count_against_it(world: World) -> None:
    """Two kills beside others, and two alone: four, and not before."""
    job = world.says(1)
    kills = -1
    for _ in range(10):
        result = await world.take(job)
        if isinstance(result, NeedsAlone):
            result = await world.take(job, alone=True)
        kills += 1
        if isinstance(result, Done):
            break
    assert kills == 4
    assert world.states() == [("Hello", Status.TERMINAL)]
    assert [type(effect) for effect in world.store.detached] == [AdminAlert]
    assert (world.store.queue, world.store.owners[CHAT]) == ({}, None)


async def test_a_bug_in_a_turn_is_tried_again(world: World) -> None:
    job = world.says(1)
    for breaks in (1, 2):
        pick = world.store.pick(job)
        token, _ = asked(await world.react.put(Take(CHAT, pick)))
        assert await world.outcome(TurnBroke(token, "KeyError"), pick) == Done()
        assert (world.turn().breaks, world.turn().status) == (breaks, Status.FAILED)
        job = world.store.owners[CHAT] or 0
    pick = world.store.pick(job)
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    asked(await world.outcome(TurnBroke(token, "KeyError"), pick))
    assert await world.outcome(MessageSent(token, 0, 900), pick) == Done()
    assert world.states() == [("Hello", Status.TERMINAL)]


async def test_a_message_that_cannot_begin_ends_and_the_next_goes_on(world: World) -> None:
    job = world.store.update(CHAT, 1, "{this is no update")
    world.says(2, "And?")
    pick = world.store.pick(job)
    with pytest.raises(BeginningBroke, match="cannot begin"):
        await world.react.put(Take(CHAT, pick))
    assert world.store.turns == {}
    token, kinds = asked(await world.react.put(Take(CHAT, pick, broken=Bug("NotAnUpdate: x", ""))))
    assert kinds == [SendMessage]
    await world.follow(await world.outcome(MessageSent(token, 0, 900), pick), pick)
    assert world.states() == [("", Status.TERMINAL), ("And?", Status.COMPLETED)]


async def test_the_next_message_that_cannot_begin_does_not_take_this_one_along(
    world: World,
) -> None:
    pick = world.store.pick(world.says(1))
    world.store.update(CHAT, 2, "{this is no update")
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    await world.outcome(ReplyGenerated(token, ONE_PART), pick)
    assert await world.outcome(MessageSent(token, 0, 900), pick) == Ended(1)
    assert world.states() == [("Hello", Status.COMPLETED)]
    with pytest.raises(BeginningBroke, match="cannot begin"):
        await world.react.put(Proceed(CHAT, pick, 1))
    broken = Take(CHAT, pick, broken=Bug("NotAnUpdate: x", ""))
    await world.follow(await world.react.put(broken), pick)
    assert world.states() == [("Hello", Status.COMPLETED), ("", Status.TERMINAL)]


async def test_an_unfinished_turn_that_cannot_be_taken_up_is_a_bug_of_that_turn(
    world: World,
) -> None:
    job = world.says(1)
    await world.take(job)
    pick = world.store.pick(job)
    assert await world.react.put(Take(CHAT, pick, broken=Bug("KeyError", ""))) == Done()
    assert (world.turn().breaks, world.turn().status) == (1, Status.FAILED)
    assert world.store.owners[CHAT] in world.store.queue


# --- many at once, and the database ---------------------------------------------------------------


async def test_many_chats_share_one_commit(world: World) -> None:
    jobs = {f"3:{chat}": world.says(1, chat=chat) for chat in range(100, 150)}
    results = await asyncio.gather(*(world.take(job, chat) for chat, job in jobs.items()))
    assert all(isinstance(result, Running) for result in results)
    assert world.store.commits == 1
    assert len(world.store.turns) == len(jobs)


async def test_one_steps_bug_is_one_steps_failure(world: World) -> None:
    jobs = {f"3:{chat}": world.says(1, chat=chat) for chat in range(100, 105)}
    jobs["3:99"] = world.store.update("3:99", 1, "{this is no update")
    results = await asyncio.gather(
        *(world.take(job, chat) for chat, job in jobs.items()), return_exceptions=True
    )
    assert [isinstance(result, Running) for result in results] == [True] * 5 + [False]
    assert world.store.commits == 1


async def test_a_statement_that_fails_splits_the_batch(world: World) -> None:
    jobs = {f"3:{chat}": world.says(1, chat=chat) for chat in range(100, 108)}
    world.store.refuses = {"3:103"}
    results = await asyncio.gather(
        *(world.take(job, chat) for chat, job in jobs.items()), return_exceptions=True
    )
    assert [type(result) for result in results] == [Running] * 3 + [ValueError] + [Running] * 4
    assert "3:103" not in {chat for chat, _ in world.store.turns.values()}
    assert len(world.store.journal) == len(jobs) - 1


@pytest.mark.parametrize(("away", "kept"), [("before", 0), ("after", 3)])
async def test_a_database_that_is_away_is_everybodys_failure(
    world: World, away: str, kept: int
) -> None:
    jobs = {f"3:{chat}": world.says(1, chat=chat) for chat in range(100, 103)}
    world.store.away = "before" if away == "before" else "after"
    results = await asyncio.gather(
        *(world.take(job, chat) for chat, job in jobs.items()), return_exceptions=True
    )
    assert [type(result) for result in results] == [Unavailable] * 3
    assert len(world.store.turns) == kept
    assert set(world.store.queue) == set(jobs.values())


# --- a disabled bot, a paused chat, wishes from the web ------------------------------------------


def disable(world: World, *, enabled: bool = False) -> None:
    world.store.bots[3] = replace(BOT, enabled=enabled)


async def test_a_turn_in_flight_is_finished_after_disabling_and_no_other_begins(
    world: World,
) -> None:
    pick = world.store.pick(world.says(1))
    world.says(2, "And?")
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    disable(world)
    asked(await world.outcome(ReplyGenerated(token, ONE_PART), pick))
    assert await world.outcome(MessageSent(token, 0, 900), pick) == Done()
    assert world.states() == [("Hello", Status.COMPLETED)]
    assert world.store.owners[CHAT] is None
    assert [one.taken for one in world.store.line] == [True, False]
    disable(world, enabled=True)
    await world.run(world.store.publish(CHAT))
    assert world.states() == [("Hello", Status.COMPLETED), ("And?", Status.COMPLETED)]


async def test_a_message_waits_a_day_for_a_disabled_bot(world: World) -> None:
    disable(world)
    job = world.says(1)
    world.store.at += DAY - timedelta(seconds=1)
    assert await world.take(job) == Done()
    assert (world.store.turns, world.store.sweep()) == ({}, 0)
    world.store.at += timedelta(seconds=1)
    assert world.store.sweep() == 1
    (row,) = world.store.queue.values()
    await world.run(row.id)
    assert (world.turn().status, world.turn().verdict) == (Status.TERMINAL, "bot disabled")
    assert (world.store.queue, world.store.sweep()) == ({}, 0)


async def test_an_operators_words_do_not_keep_what_is_behind_them_beyond_a_day(
    world: World,
) -> None:
    disable(world)
    world.store.request(CHAT, "OPERATOR_MESSAGE", Part("Hi"))
    world.store.at += timedelta(seconds=1)
    world.says(1)
    world.store.at += DAY
    for row in list(world.store.queue.values()):
        await world.run(row.id)
    found = [turn.verdict for _, turn in world.store.turns.values() if turn.update_id == 1]
    assert found == ["bot disabled"]
    assert world.store.sweep() == 0, "the sweep finds it every minute, for ever"


async def test_the_line_merges_users_and_the_web_by_their_times(world: World) -> None:
    wishes: list[Callable[[], int]] = [
        lambda: world.says(1),
        lambda: world.store.request(CHAT, "OPERATOR_MESSAGE", Part("I am"), Part("a person")),
        lambda: world.store.request(CHAT, "REFRESH"),
        lambda: world.says(2, "And?"),
    ]
    for wish in wishes:
        job = wish()
        world.store.at += timedelta(seconds=1)
    await world.run(job)
    assert [turn.text for _, turn in world.store.turns.values()] == [
        "Hello",
        "I am\na person",
        "And?",
    ]
    assert [turn.status for _, turn in world.store.turns.values()] == [Status.COMPLETED] * 3
    assert world.store.detached == [ResetThread(3, "conv_1")]
    asking = [row for row in world.store.journal if "openai.generateReply" in row.effects]
    effects = msgspec.json.decode(
        asking[-1].effects, type=tuple[GenerateReply | SendChatAction, ...]
    )
    refreshed = next(row for row in world.store.journal if "refreshAsked" in row.event)
    assert isinstance(effects[-1], GenerateReply)
    assert (effects[-1].thread_id, effects[-1].context_from) == (
        None,
        msgspec.json.decode(refreshed.event)["turn"]["id"],
    )


async def test_a_paused_chat_keeps_what_is_said(world: World) -> None:
    world.store.load(CHAT, Pick(0, "", world.store.at))
    world.store.chats[CHAT] = replace(world.store.chats[CHAT], paused=True)
    job = world.says(1)
    world.store.request(CHAT, "OPERATOR_MESSAGE", Part("Hi"))
    await world.run(job)
    assert world.states() == [("Hello", Status.COMPLETED), ("Hi", Status.COMPLETED)]
    assert [turn.reply for _, turn in world.store.turns.values()] == [None, None]
    assert world.store.chats[CHAT].paused


async def test_a_job_that_a_person_deletes_ends_its_message_and_the_line_goes_on(
    world: World,
) -> None:
    job = world.says(1)
    second = world.says(2, "And?")
    pick = world.store.pick(job)
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    del world.store.queue[second]
    world.store.delete_job(job)
    assert await world.outcome(ReplyGenerated(token, ONE_PART), pick) == Done()
    (row,) = world.store.queue.values()
    await world.run(row.id)
    assert world.states() == [("Hello", Status.TERMINAL), ("And?", Status.COMPLETED)]


async def test_an_apology_is_the_bots(world: World) -> None:
    world.store.bots[3] = replace(BOT, error_message="Ой.")
    pick = world.store.pick(world.says(1))
    token, _ = asked(await world.react.put(Take(CHAT, pick)))
    result = await world.outcome(ReplyFailed(token, Terminal("refused")), pick)
    assert isinstance(result, Running)
    assert [effect.text for effect in result.effects if isinstance(effect, SendMessage)] == ["Ой."]


# --- what is measured ----------------------------------------------------------------------------


async def test_a_message_is_timed_from_its_coming_to_its_answer(world: World) -> None:
    world.store.at = START
    job = world.says(1)
    world.store.at = START + timedelta(seconds=2)
    pick = world.store.pick(job)
    token, _ = asked(await world.take(job))
    world.store.at = START + timedelta(seconds=5)
    await world.follow(await world.outcome(ReplyGenerated(token, ONE_PART), pick), pick)
    assert world.meter.times == [(Stage.QUEUE, 2.0), (Stage.TURN, 5.0)]
    assert world.meter.turns == [("COMPLETED", "none")]
    assert {size for loop, size in world.meter.commits if loop is Loop.REACT} == {1}


async def test_a_message_that_another_process_began_is_timed_from_there(world: World) -> None:
    world.store.at = START
    job = world.says(1)
    world.store.at = START + timedelta(seconds=2)
    pick = world.store.pick(job)
    token, _ = asked(await world.take(job))
    world.react = world.another_process()
    world.store.at = START + timedelta(seconds=5)
    await world.follow(await world.outcome(ReplyGenerated(token, ONE_PART), pick), pick)
    assert world.meter.times[-1] == (Stage.TURN, 3.0)


async def test_a_try_that_fails_and_one_that_ends_are_told_with_their_reasons(world: World) -> None:
    job = world.says(1)
    pick = world.store.pick(job)
    token, _ = asked(await world.take(job))
    await world.outcome(ReplyFailed(token, Retryable("OpenAI 500: no")), pick)
    assert world.meter.turns == [("FAILED", "model")]
    world.store.at += timedelta(minutes=1)
    (retry,) = (row.id for row in world.store.ready())
    pick = world.store.pick(retry)
    token, _ = asked(await world.take(retry))
    result = await world.outcome(ReplyFailed(token, Terminal("OpenAI 400: no")), pick)
    await world.follow(result, pick)
    assert world.meter.turns[1:] == [("TERMINAL", "model")]
    assert [stage for stage, _ in world.meter.times] == [Stage.QUEUE]  # no answer, no time


async def test_what_a_process_remembers_is_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(react, "REMEMBERED", 1)
    for update_id, chat in ((1, 41), (2, 42), (3, 43)):
        await world.take(world.says(update_id, chat=chat), f"3:{chat}")
    assert len(world.react._came) == 1
