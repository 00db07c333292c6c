"""What becomes of a message whose call is answered with a fault: from the recording to the end.

`tell` makes a bot, has a person write three messages, plays the fault's answer to the second, and
comes back with everything that anybody saw of it. Retries do not wait here: `hurry` makes delayed
jobs due, as an administrator who cannot wait would; how long each was to wait is in the journal.
"""

import asyncio
from collections.abc import Iterator

import asyncpg
import msgspec
from msgspec import Struct

from tests.end_to_end.system import Bot, System
from tests.failures.recorded_answers import RecordedAnswers, recorded
from tests.journal_steps import decoded

ERROR = "Sorry, I could not answer this message. Please try again later."
USER, ADMIN = 1002, 1001
SECONDS = 60.0


class Fault(Struct, frozen=True):
    """What is played, how often, and in which chat; `moves_to`: where that chat is afterwards."""

    recording: str
    times: int = 1
    chat: int = USER
    moves_to: int | None = None


class End(Struct, frozen=True):
    """Where a message ended, and who saw what of it.

    `said` is what the user read, `failures` the tags of the failures in the message's journal,
    `waits` the seconds until each retry (1, 4, 16 … stand for them and the jitter), `error` its
    last_error, `reason` its terminal_reason. `alerts` are without the bot's name and the message's
    id. `after` is the answer to the next message, where the bot is still enabled.
    """

    status: str
    said: tuple[str, ...]
    failures: tuple[str, ...] = ()
    waits: tuple[float, ...] = ()
    attempts: int = 0
    error: str | None = None
    reason: str | None = None
    alerts: tuple[str, ...] = ()
    bot_error: str | None = None
    enabled: bool = True
    after: str | None = "after"


async def tell(system: System, answers: RecordedAnswers, alerts: Bot, fault: Fault) -> End:
    """The story of one fault, each with a bot of its own."""
    name = fault.recording.replace("/", "-")
    bot = await system.bot(
        name=name,
        modelApi="CHAT_COMPLETIONS" if "/chat-" in fault.recording else "RESPONSES",
        telegramApiUrl=answers.telegram_url(name),
        baseUrl=answers.openai_url(name),
    )
    chat = fault.chat if fault.moves_to is None else fault.moves_to
    bot.say("/sandbox:echo before", user=USER, chat=fault.chat)
    await bot.answers(1, chat=fault.chat, seconds=SECONDS)
    answers.play(name, recorded(fault.recording), fault.times)
    bot.say("/sandbox:echo **done**", user=USER, chat=fault.chat)
    row = (await system.settled(bot, 2, SECONDS))[1]
    assert answers.played(name), f"{name}: it was not asked for"
    runs = system.sandbox.openai.runs_by_metadata("processing_id")
    assert runs.get(str(row["id"]), 0) <= 1, "the model was paid twice"
    await system.until(lambda: _no_effects(system, bot), SECONDS)
    said = bot.texts(fault.chat)[1:] if fault.moves_to is None else bot.texts(chat)
    shown = await system.ask("GET", f"/api/bots/{bot.id}")
    steps = await system.rows("SELECT * FROM journal WHERE turn_id = $1 ORDER BY seq", row["id"])
    after = None
    if shown["enabled"]:
        bot.say("/sandbox:echo after", user=USER, chat=chat)
        await system.settled(bot, 3, SECONDS)
        after = bot.texts(chat)[-1]
    return End(
        status=row["status"],
        said=tuple(said),
        failures=tuple(_failures(steps)),
        waits=tuple(_waits(steps)),
        attempts=row["attempts"],
        error=row["last_error"],
        reason=row["terminal_reason"],
        alerts=tuple(_alerts(alerts, name, row["id"])),
        bot_error=shown["error"],
        enabled=shown["enabled"],
        after=after,
    )


async def hurry(database_url: str) -> None:
    """Until cancelled: make the retries of turns due at once."""
    database = await asyncpg.connect(database_url)
    try:
        while True:
            await database.execute(
                "UPDATE pgqueuer SET execute_after = now() WHERE execute_after > now() "
                "AND status = 'queued' AND entrypoint = 'bot.handle_update'"
            )
            await asyncio.sleep(0.1)
    finally:
        await database.close()


async def _no_effects(system: System, bot: Bot) -> bool:
    """Whether what the bot's steps wished for has been carried out, alerts among it."""
    jobs = await system.rows("SELECT payload FROM pgqueuer WHERE entrypoint = 'effect.perform'")
    asked = [msgspec.json.decode(job["payload"]) for job in jobs]
    return not any(effect.get("bot_id") == bot.id for effect in asked)


def _failures(steps: list[asyncpg.Record]) -> Iterator[str]:
    for step in steps:
        event = decoded(step["event"])
        if "failure" in event:
            yield event["failure"]["type"]


def _waits(steps: list[asyncpg.Record]) -> Iterator[float]:
    for step in steps:
        told = "after" in decoded(step["event"]).get("failure", {})
        for effect in decoded(step["effects"]):
            if effect["type"] == "jobs.publish":
                yield effect["delay"] if told else _without_jitter(effect["delay"])


def _without_jitter(delay: float) -> float:
    """The step of the schedule that a delay is within 25 % of; any other delay as it is."""
    schedule = (float(4**attempt) for attempt in range(5))
    return next((step for step in schedule if abs(delay - step) <= step / 4), delay)


def _alerts(alerts: Bot, name: str, message_id: int) -> Iterator[str]:
    for text in alerts.texts(ADMIN):
        if text.startswith(f"{name}: "):
            yield text.removeprefix(f"{name}: ").replace(f"message {message_id} ", "")
