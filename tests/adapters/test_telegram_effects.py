"""Webhooks are set and removed: those of former tokens, too, and never another system's."""

from typing import Any, cast

import pytest

from adapters.postgres_bot_access import BotAccess, Holder
from adapters.secret_box import SecretBox
from adapters.telegram_effects import SETTING, TelegramEffects
from application.ports import Failed, TelegramAccess, WebhookStatus
from domain.effects import EnsureWebhook, RemoveFormerWebhook, RemoveWebhook
from domain.events import WebhookEnsured, WebhookFailed, WebhookRemoved
from domain.failures import MAX_ATTEMPTS, Failure, Fatal, Retryable, Terminal

BOX = SecretBox("a secret key of at least 32 characters")
ACCESS = TelegramAccess(3, "1:former", "http://telegram")
FORMER = RemoveFormerWebhook(3, BOX.encrypt(ACCESS.token), ACCESS.api_url)
OURS, ELSEWHERE = "https://our.host/webhook/3", "https://another.host/updates"
MENU = ["setMyCommands", "setMyCommands"]


class World:
    """Telegram, the bots and the clock: one token, and whoever has it."""

    def __init__(self, url: str = OURS, failure: Failure | None = None) -> None:
        self.url = url
        self.failure = failure
        self.connecting = False
        self.current = True
        self.holders: list[Holder | None] = [None, None]
        self.asked: list[str] = []

    @property
    def effects(self) -> TelegramEffects:
        world = cast("Any", self)
        return TelegramEffects(world, world, BOX, world, "https://our.host", world)

    # --- the bots

    async def fresh(self, bot_id: int) -> BotAccess:
        return BotAccess(bot_id, "Bot", ACCESS, Fatal("none"), 0, polling=False)

    async def holder(self, access: TelegramAccess) -> Holder | None:
        assert access == ACCESS
        return self.holders.pop(0)

    async def is_connecting(self, bot_id: int) -> bool:
        assert bot_id == ACCESS.bot_id
        return self.connecting

    async def note_webhook(self, access: TelegramAccess, key_id: str) -> bool:
        assert (access, key_id) == (ACCESS, BOX.key_ids[0])
        return self.current

    # --- Telegram

    async def get_webhook_info(self, access: TelegramAccess) -> WebhookStatus:
        self._call("getWebhookInfo", access)
        return WebhookStatus(self.url, 0)

    async def set_webhook(self, access: TelegramAccess, url: str, secret: str) -> None:
        assert secret == BOX.webhook_secret(3)
        self._call("setWebhook", access)
        self.url = url

    async def delete_webhook(self, access: TelegramAccess) -> None:
        self._call("deleteWebhook", access)
        if self.failure is not None:
            raise Failed(self.failure)
        self.url = ""

    async def set_my_commands(self, access: TelegramAccess, *_: object) -> None:
        self._call("setMyCommands", access)

    def _call(self, method: str, access: TelegramAccess) -> None:
        assert access == ACCESS
        self.asked.append(method)

    # --- the clock

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
    world = World(failure=failure)
    effect = RemoveFormerWebhook(3, FORMER.sealed_token, FORMER.api_url, attempt)
    found = await world.effects.remove_former_webhook(effect)
    assert world.asked == ["getWebhookInfo", "deleteWebhook"]
    assert not isinstance(found, EnsureWebhook)
    assert (found and (found.attempt, found.delay)) == again
    assert found is None or (found.bot_id, found.sealed_token) == (3, FORMER.sealed_token)


@pytest.mark.parametrize(
    ("url", "removed"),
    [
        (OURS, True),
        ("http://127.0.0.1:8000/kotodom/webhook/3", True),  # what PUBLIC_URL was once
        ("https://our.host/webhook/13", False),
        ("https://our.host/webhook/3/updates", False),
        ("https://another.host/updates?for=/webhook/3", False),
        (ELSEWHERE, False),
        ("", False),
    ],
)
async def test_another_systems_webhook_stays(url: str, removed: bool) -> None:
    """Of a token that is the bot's no more, and of a bot that is disabled."""
    calls = ["getWebhookInfo", "deleteWebhook"] if removed else ["getWebhookInfo"]
    world = World(url)
    assert await world.effects.remove_former_webhook(FORMER) is None
    assert (world.asked, world.url) == (calls, "" if removed else url)
    world = World(url)
    assert await world.effects.remove_webhook(RemoveWebhook(3)) == WebhookRemoved()
    assert (world.asked, world.url) == (calls, "" if removed else url)


async def test_what_is_polled_or_asked_for_has_no_webhook_afterwards() -> None:
    world = World(ELSEWHERE)
    polled = await world.effects.remove_webhook(RemoveWebhook(3, polling=True))
    assert (polled, world.asked) == (WebhookRemoved(polling=True), ["deleteWebhook", *MENU])
    world = World(ELSEWHERE)
    asked = await world.effects.remove_webhook(RemoveWebhook(3, asked=True))
    assert (asked, world.asked) == (WebhookRemoved(asked=True), ["deleteWebhook"])


async def test_a_farewell_waits_for_who_may_be_setting_the_webhook() -> None:
    world = World(url="")
    world.connecting = True
    found = await world.effects.remove_former_webhook(FORMER)
    assert isinstance(found, RemoveFormerWebhook)
    assert (found.attempt, found.delay, world.asked) == (0, SETTING, [])
    # It was set, and its worker killed.
    world.connecting, world.url = False, OURS
    assert await world.effects.remove_former_webhook(found) is None
    assert world.url == ""


async def test_a_webhook_that_was_set_for_nobody_is_removed() -> None:
    """The bot was deleted, or got another token, while Telegram took the webhook."""
    world = World(url="")
    assert await world.effects.ensure_webhook(EnsureWebhook(3)) == WebhookEnsured()
    assert world.asked == ["setWebhook", *MENU]
    world.current = False
    farewell = await world.effects.ensure_webhook(EnsureWebhook(3))
    assert isinstance(farewell, RemoveFormerWebhook)
    assert (farewell.bot_id, farewell.api_url) == (3, ACCESS.api_url)
    assert BOX.decrypt(farewell.sealed_token) == ACCESS.token
    assert await world.effects.remove_former_webhook(farewell) is None
    assert world.url == ""


@pytest.mark.parametrize(
    ("url", "before", "afterwards", "asked", "again"),
    [
        # The bot has its token again.
        (OURS, Holder(3, hooked=True), None, ["getWebhookInfo"], None),
        # Another bot has it, and the webhook is still the former one's.
        (OURS, Holder(4, hooked=True), Holder(4, hooked=True), None, EnsureWebhook(4)),
        # One came, and was enabled, while Telegram was asked.
        (OURS, None, Holder(4, hooked=True), None, EnsureWebhook(4)),
        (OURS, None, Holder(3, hooked=True), None, EnsureWebhook(3)),
        # One that is not enabled, or polled, has none.
        (OURS, None, Holder(4, hooked=False), None, None),
        # An earlier try removed it, and did not hear of it.
        ("", Holder(4, hooked=True), None, ["getWebhookInfo"], EnsureWebhook(4)),
        # The new one's is there.
        ("https://our.host/webhook/4", None, None, ["getWebhookInfo"], None),
    ],
)
async def test_a_bot_that_has_the_token_by_now_has_its_webhook(
    url: str,
    before: Holder | None,
    afterwards: Holder | None,
    asked: list[str] | None,
    again: EnsureWebhook | None,
) -> None:
    world = World(url)
    world.holders = [before, afterwards]
    assert await world.effects.remove_former_webhook(FORMER) == again
    assert world.asked == (asked or ["getWebhookInfo", "deleteWebhook"])


async def test_what_a_failed_removal_was_for_is_told() -> None:
    world = World(failure=Terminal("no"))
    failed = await world.effects.remove_webhook(RemoveWebhook(3, attempt=2))
    assert failed == WebhookFailed(Terminal("no"), 2, 0.5, removing=True)
