"""The webhook of a token that is a bot's no more: a worker removes it, whatever died meanwhile."""

import signal

import msgspec

from adapters.secret_box import SecretBox
from domain.effects import RemoveFormerWebhook
from tests.end_to_end.system import SECRET_KEY, Bot, System, token_of


async def test_it_goes_when_the_bot_gets_another_token_or_is_deleted(system: System) -> None:
    changed, deleted = await system.bot(), await system.bot()
    assert _webhook(system, changed) and _webhook(system, deleted)
    # Nobody is there to say farewell, then Telegram wants to be asked again.
    await system.kill("worker", signal.SIGKILL)
    new = token_of(changed.telegram_id + 50_000_000)
    await system.ask("PATCH", f"/api/bots/{changed.id}", {"token": new})
    await system.ask("DELETE", f"/api/bots/{deleted.id}")
    for bot in (changed, deleted):
        system.sandbox.faults.add(
            "telegram",
            "rate_limited",
            method="deleteWebhook",
            bot=bot.telegram_id,
            times=1,
            retry_after=1,
        )
    await system.start("worker")

    async def gone() -> bool:
        return not _webhook(system, changed) and not _webhook(system, deleted)

    await system.until(gone)
    # The new one's is there.
    await system.until(lambda: _active(system, changed))
    assert system.sandbox.telegram.bot(changed.telegram_id + 50_000_000).webhook is not None


async def test_a_token_that_a_bot_has_again_keeps_its_webhook(system: System) -> None:
    bot = await system.bot()
    sealed = SecretBox(SECRET_KEY).encrypt(bot.token)
    unreadable = SecretBox("another key of at least 32 characters").encrypt(bot.token)
    for token in (sealed, unreadable):
        await _perform(system, RemoveFormerWebhook(bot.id, token, system.sandbox.telegram_url))
    assert _webhook(system, bot)


async def _perform(system: System, effect: RemoveFormerWebhook) -> None:
    """As a job, to its end."""
    (row,) = await system.rows(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload)"
        " VALUES (0, 'queued', 'effect.perform', $1) RETURNING id",
        msgspec.json.encode(effect),
    )

    async def over() -> bool:
        return not await system.rows("SELECT FROM pgqueuer WHERE id = $1", row["id"])

    await system.until(over)


async def _active(system: System, bot: Bot) -> bool:
    return bool((await system.ask("GET", f"/api/bots/{bot.id}"))["isActive"])


def _webhook(system: System, bot: Bot) -> bool:
    return system.sandbox.telegram.bot(bot.telegram_id).webhook is not None
