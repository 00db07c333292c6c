"""A bot's own steps: lock the bot, handle, save, journal, publish: one transaction.

Triggered by an administrator's request and by the outcomes of a bot's effects. An effect of a bot
is always a job, so the request answers at once and a crash loses nothing.
"""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from application.conversations import JournalRow
from application.jobs import Job, Pick
from application.live import Changed, Live, Nobody
from application.moves import effect_job
from application.ports import Clock
from domain.bot import Bot, handle
from domain.effects import (
    DetachedEffect,
    GenerateReply,
    PublishJob,
    ResumeReply,
    SendChatAction,
    SendMessage,
)
from domain.events import BotEvent
from domain.step import Envelope, digest


class BotTransaction(Protocol):
    """One transaction over one bot; it is committed when its context is left."""

    async def load(self, bot_id: int) -> Bot | None:
        """The bot, locked; None where there is none."""
        ...

    async def save(self, bot: Bot, journal: JournalRow, jobs: list[Job]) -> None: ...

    async def publish(self, job: Job) -> None: ...

    async def acknowledge(self, pick: Pick) -> None:
        """Acknowledge the job whose outcome this is, fenced by its pick."""
        ...


class BotStore(Protocol):
    """Where bots are kept."""

    def transaction(self) -> AbstractAsyncContextManager[BotTransaction]:
        """Raises Unavailable where the database is away."""
        ...


class BotLife:
    """The use case."""

    def __init__(self, store: BotStore, clock: Clock, live: Live | None = None) -> None:
        self._store = store
        self._clock = clock
        self._live = live or Nobody()

    async def put(
        self,
        bot_id: int | None,
        event: BotEvent | None,
        pick: Pick | None = None,
        again: DetachedEffect | None = None,
    ) -> Bot | None:
        """Handle the bot's event (if there is one) and acknowledge the job it came from.

        `again`: what is to be carried out in that job's place.
        """
        async with self._store.transaction() as transaction:
            bot: Bot | None = None
            if bot_id is not None and event is not None:
                bot = await self.step(transaction, bot_id, event)
            if again is not None:
                await transaction.publish(effect_job(again))
            if pick is not None:
                await transaction.acknowledge(pick)
        if bot is not None:
            self._live.tell([Changed("bot", bot.id, bot.id)])
        return bot

    async def step(self, transaction: BotTransaction, bot_id: int, event: BotEvent) -> Bot | None:
        """Handle the event in a transaction of the caller's, who tells who listens."""
        bot = await transaction.load(bot_id)
        return await self._handle(transaction, bot, event) if bot is not None else None

    async def _handle(self, transaction: BotTransaction, bot: Bot, event: BotEvent) -> Bot:
        at = self._clock.now()
        identity = f"bot:{bot.id}:{event.__struct_config__.tag}:{at.timestamp():.6f}"
        step = handle(bot, Envelope(identity, at, event))
        if step.state == bot and not step.effects:
            return bot
        jobs: list[Job] = []
        for effect in step.effects:
            match effect:
                case GenerateReply() | ResumeReply() | SendMessage() | SendChatAction():
                    raise TypeError(f"a bot never wishes for {effect.__struct_config__.tag}")
                case PublishJob(job=name, key=key, delay=delay):
                    jobs.append(Job(name, key.encode(), delay))
                case _:
                    jobs.append(effect_job(effect))
        row = JournalRow(
            key=f"bot:{bot.id}",
            at=at,
            id=identity,
            turn_id=None,
            from_state=msgspec.json.encode(bot).decode(),
            event=msgspec.json.encode(event).decode(),
            effects=msgspec.json.encode(step.effects).decode(),
            state=digest(step.state),
        )
        await transaction.save(step.state, row, jobs)
        return step.state
