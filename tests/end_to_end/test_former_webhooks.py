"""The webhook of a token that is a bot's no more: a worker removes it, whatever died meanwhile."""

import signal
from typing import Any

import msgspec
import pytest

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


@pytest.mark.parametrize("killed", [False, True])
async def test_it_goes_where_it_is_being_set_while_the_bot_is_deleted(
    system: System, killed: bool
) -> None:
    """Telegram takes it after the farewell, whether or not its worker lives to see that."""
    bot = await system.bot()
    webhook = system.sandbox.telegram.bot(bot.telegram_id).webhook
    await system.ask("DELETE", f"/api/bots/{bot.id}/webhook")
    await system.until(lambda: _none(system, bot))
    system.sandbox.faults.add(
        "telegram", "slow", method="setWebhook", bot=bot.telegram_id, times=1, delay=3
    )
    await system.ask("POST", f"/api/bots/{bot.id}/webhook")

    async def takes() -> bool:
        return len(_called(system, bot, "setWebhook")) == 2

    await system.until(takes)
    await system.ask("DELETE", f"/api/bots/{bot.id}")

    async def farewell_was_said() -> bool:
        return not await system.rows(
            "SELECT FROM pgqueuer WHERE convert_from(payload, 'UTF8') LIKE $1"
            " AND (status = 'picked' OR execute_after <= now())",
            f'%removeFormerWebhook","bot_id":{bot.id},%',
        )

    await system.until(farewell_was_said)
    if killed:
        await system.kill("worker", signal.SIGKILL)
        # The stand-in lets go of a call whose caller is gone; Telegram may not.
        system.sandbox.telegram.bot(bot.telegram_id).webhook = webhook
        assert _webhook(system, bot)
        await system.start("worker")

    async def is_set() -> bool:
        """What is set is removed at once, so it is not seen there: its job is over."""
        return not await system.rows(
            "SELECT FROM pgqueuer WHERE convert_from(payload, 'UTF8') LIKE $1",
            f'%ensureWebhook","bot_id":{bot.id}%',
        )

    if not killed:
        assert not await is_set()
        await system.until(is_set)
    await system.until(lambda: _none(system, bot), 40 if killed else 4)


async def test_a_bot_that_has_moved_to_another_system_leaves_its_webhook(system: System) -> None:
    bot, other = await system.bot(), await system.bot()
    elsewhere = f"{system.url}/another-system"
    system.sandbox.telegram.bot(bot.telegram_id).webhook.url = elsewhere
    for each in (bot, other):
        await system.ask("DELETE", f"/api/bots/{each.id}")
    await system.until(lambda: _none(system, other))
    assert system.sandbox.telegram.bot(bot.telegram_id).webhook.url == elsewhere


async def test_a_bot_that_comes_with_the_token_meanwhile_has_a_webhook(system: System) -> None:
    bot = await system.bot()
    system.sandbox.faults.add(
        "telegram", "slow", method="deleteWebhook", bot=bot.telegram_id, times=1, delay=2
    )
    await system.ask("DELETE", f"/api/bots/{bot.id}")

    async def takes() -> bool:
        return bool(_called(system, bot, "deleteWebhook"))

    await system.until(takes)
    again = {"token": bot.token, "telegramApiUrl": system.sandbox.telegram_url}
    made = await system.ask("POST", "/api/bots", {"name": "Again", **again}, status=201)
    path = f"/webhook/{made['id']}"
    await system.ask("POST", f"/api/bots/{made['id']}/enable")

    async def set_again() -> bool:
        """Its own was the second, and was removed."""
        webhook = system.sandbox.telegram.bot(bot.telegram_id).webhook
        is_there = webhook is not None and webhook.url.endswith(path)
        return is_there and len(_called(system, bot, "setWebhook")) == 3

    await system.until(set_again)


async def _none(system: System, *bots: Bot) -> bool:
    return not any(_webhook(system, bot) for bot in bots)


def _called(system: System, bot: Bot, method: str) -> list[Any]:
    calls = system.sandbox.telegram.calls
    return [call for call in calls if (call.bot, call.method) == (bot.telegram_id, method)]


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
