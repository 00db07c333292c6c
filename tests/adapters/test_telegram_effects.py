"""A former token's webhook: tried again while Telegram may take it, and given up then."""

from typing import Any, cast

import pytest

from adapters.secret_box import SecretBox
from adapters.telegram_effects import TelegramEffects
from application.ports import Failed, TelegramAccess
from domain.effects import RemoveFormerWebhook
from domain.failures import MAX_ATTEMPTS, Failure, Fatal, Retryable

BOX = SecretBox("a secret key of at least 32 characters")
FORMER = RemoveFormerWebhook(3, BOX.encrypt("1:former"), "http://telegram")


class World:
    """Telegram, the bots and the clock."""

    def __init__(self, failure: Failure | None) -> None:
        self.failure = failure
        self.asked: list[TelegramAccess] = []

    async def has(self, access: TelegramAccess) -> bool:
        return False

    async def delete_webhook(self, access: TelegramAccess) -> None:
        self.asked.append(access)
        if self.failure is not None:
            raise Failed(self.failure)

    def jitter(self) -> float:
        return 0.5


@pytest.mark.parametrize(
    ("failure", "attempt", "again"),
    [
        (None, 0, None),
        (Retryable("away"), 0, (1, 1.0)),
        (Retryable("away"), 2, (3, 16.0)),
        (Retryable("too many", after=7), 0, (1, 7)),
        (Retryable("away"), MAX_ATTEMPTS - 1, None),
        (Fatal("revoked", token_dead=True), 0, None),
    ],
)
async def test_another_try(
    failure: Failure | None, attempt: int, again: tuple[int, float] | None
) -> None:
    world = cast("Any", World(failure))
    effects = TelegramEffects(world, world, BOX, world, None, world)
    effect = RemoveFormerWebhook(3, FORMER.sealed_token, FORMER.api_url, attempt)
    found = await effects.remove_former_webhook(effect)
    assert world.asked == [TelegramAccess(3, "1:former", "http://telegram")]
    assert (found and (found.attempt, found.delay)) == again
    assert found is None or (found.bot_id, found.sealed_token) == (3, FORMER.sealed_token)
