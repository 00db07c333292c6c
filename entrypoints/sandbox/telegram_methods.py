"""What the Bot API's methods do in the sandbox.

telegram_api.py calls `Methods.call` with parameters that the schema has already read. The answer is
(result, description); a refusal is an `ApiError` in the real server's words. Methods that bots of
this product live on work as documented; the others get a plausible answer (`plain_answer`).
"""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from entrypoints.sandbox.telegram_delivery import ConflictError, Delivery
from entrypoints.sandbox.telegram_markup import MarkupError, TextError
from entrypoints.sandbox.telegram_plain import plain_answer
from entrypoints.sandbox.telegram_refusals import ApiError, bad_request, broken_rule
from entrypoints.sandbox.telegram_text import format_text
from entrypoints.sandbox.telegram_world import Bot, Chat, TelegramWorld, Webhook, find_message

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_WEBHOOK_PORTS = (80, 88, 443, 8443)
_ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)

Params = dict[str, Any]
Answer = tuple[object, str | None]


class Methods:
    """The methods on one world."""

    def __init__(
        self, world: TelegramWorld, delivery: Delivery, *, accept_any_chat: bool = True
    ) -> None:
        self._world = world
        self._delivery = delivery
        self._accept_any_chat = accept_any_chat

    async def call(self, bot: Bot, method: str, params: Params) -> Answer:
        """Raises ApiError where the real server refuses."""
        match method:
            case "sendMessage":
                return self._send_message(bot, params), None
            case "sendChatAction":
                return self._send_chat_action(bot, params), None
            case "getUpdates":
                return await self._get_updates(bot, params), None
            case "getMe":
                return _me(bot), None
            case "setWebhook":
                return self._set_webhook(bot, params)
            case "deleteWebhook":
                return self._delete_webhook(bot, params)
            case "getWebhookInfo":
                return _webhook_info(bot), None
            case "setMyCommands":
                return self._set_my_commands(bot, params), None
            case "getMyCommands":
                return bot.commands.get(_scope(params), []), None
            case "deleteMyCommands":
                bot.commands.pop(_scope(params), None)
                self._world.feed.publish("bots")
                return True, None
            case "editMessageText":
                return self._edit_message_text(bot, params), None
            case "deleteMessage":
                return self._delete_message(bot, params), None
            case "getChat":
                about = self._chat(bot, params).about
                gifts = "unlimited_gifts limited_gifts unique_gifts premium_subscription"
                accepted = dict.fromkeys([*gifts.split(), "gifts_from_channels"], True)
                details = {"accent_color_id": 0, "max_reaction_count": 11}
                return {**about, **details, "accepted_gift_types": accepted}, None
            case "logOut":
                bot.logged_out = True
                return True, None
            case "close":
                return True, None
            case _:
                chat = self._chat(bot, params) if "chat_id" in params else None
                return plain_answer(self._world, bot, chat, method, params), None

    def _chat(self, bot: Bot, params: Params) -> Chat:
        chat_id = params["chat_id"]
        if isinstance(chat_id, str):  # @username of a channel: the sandbox has none
            raise bad_request("chat not found")
        known = chat_id in bot.chats or chat_id in self._world.kept.groups
        if chat_id == 0 or not (known or self._accept_any_chat):
            raise bad_request("chat not found")
        return self._world.chat(bot, chat_id)

    def _send_message(self, bot: Bot, params: Params) -> dict[str, Any]:
        chat = self._chat(bot, params)
        content = _formatted(params)
        reply = params.get("reply_parameters", {})
        if "message_id" in reply:
            original = find_message(chat, reply["message_id"])
            if original is not None:
                shown = {k: v for k, v in original.items() if k != "reply_to_message"}
                content["reply_to_message"] = shown
            elif not reply.get("allow_sending_without_reply"):
                raise bad_request("message to be replied not found")
        if "message_thread_id" in params:
            content["message_thread_id"] = params["message_thread_id"]
        if "inline_keyboard" in params.get("reply_markup", {}):
            content["reply_markup"] = params["reply_markup"]
        return self._world.keep_message(bot, chat, bot.as_user(), content)

    def _edit_message_text(self, bot: Bot, params: Params) -> dict[str, Any]:
        if "chat_id" not in params or "message_id" not in params:
            raise broken_rule("message identifier is not specified")
        chat = self._chat(bot, params)
        old = find_message(chat, params["message_id"])
        if old is None:
            raise bad_request("message to edit not found")
        if not old["from"]["is_bot"]:
            raise bad_request("message can't be edited")
        content = _formatted(params)
        if content["text"] == old.get("text") and content.get("entities") == old.get("entities"):
            raise bad_request(
                "message is not modified: specified new message content and reply markup are "
                "exactly the same as a current content and reply markup of the message"
            )
        return self._world.change_message(bot, chat.about["id"], old["message_id"], content)

    def _delete_message(self, bot: Bot, params: Params) -> bool:
        chat = self._chat(bot, params)
        message = find_message(chat, params["message_id"])
        if message is None:
            raise bad_request("message to delete not found")
        chat.messages.remove(message)
        self._world.feed.publish(
            "deleted", bot=bot.id, chat=chat.about["id"], message_id=message["message_id"]
        )
        return True

    def _send_chat_action(self, bot: Bot, params: Params) -> bool:
        chat = self._chat(bot, params)
        if params["action"] not in _ACTIONS:
            raise broken_rule("wrong parameter action in request")
        self._world.feed.publish(
            "action", bot=bot.id, chat=chat.about["id"], action=params["action"]
        )
        return True

    async def _get_updates(self, bot: Bot, params: Params) -> list[dict[str, Any]]:
        if "allowed_updates" in params:
            bot.allowed_updates = params["allowed_updates"] or None
        try:
            return await self._delivery.poll(
                bot,
                offset=params.get("offset", 0),
                limit=min(max(params.get("limit", 100), 1), 100),
                timeout=min(max(params.get("timeout", 0), 0), 50),
            )
        except ConflictError as conflict:
            raise ApiError(409, f"Conflict: {conflict}") from None

    def _set_webhook(self, bot: Bot, params: Params) -> Answer:
        url = params["url"]
        if not url:
            return self._delete_webhook(bot, params)
        _check_webhook_url(url)
        secret = params.get("secret_token", "")
        if secret and not _SECRET.fullmatch(secret):
            raise broken_rule("secret token contains unallowed characters")
        connections = params.get("max_connections", 40)
        if not 1 <= connections <= 100:
            connections = 40
        if params.get("drop_pending_updates"):
            bot.pending.clear()
        allowed = params.get("allowed_updates", bot.allowed_updates) or None
        webhook = Webhook(url, secret, connections, "certificate" in params)
        if webhook == bot.webhook and allowed == bot.allowed_updates:
            return True, "Webhook is already set"
        bot.webhook, bot.allowed_updates = webhook, allowed
        bot.last_error_date = bot.last_error_message = None
        self._delivery.webhook_changed(bot)
        self._world.feed.publish("bots")
        return True, "Webhook was set"

    def _delete_webhook(self, bot: Bot, params: Params) -> Answer:
        if params.get("drop_pending_updates"):
            bot.pending.clear()
        if bot.webhook is None:
            return True, "Webhook is already deleted"
        bot.webhook = None
        self._delivery.webhook_changed(bot)
        self._world.feed.publish("bots")
        return True, "Webhook was deleted"

    def _set_my_commands(self, bot: Bot, params: Params) -> bool:
        commands: list[dict[str, Any]] = params["commands"]
        if len(commands) > 100:
            raise broken_rule("too many commands specified")
        for command in commands:
            if not _COMMAND.fullmatch(command["command"].removeprefix("/")):
                raise broken_rule("BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise broken_rule("BOT_COMMAND_DESCRIPTION_INVALID")
        bot.commands[_scope(params)] = commands
        self._world.feed.publish("bots")
        return True


def _formatted(params: Params) -> dict[str, Any]:
    try:
        text, entities = format_text(
            params.get("text", ""), params.get("parse_mode"), params.get("entities")
        )
    except MarkupError as error:  # a model's markup may be broken: documented, and no rule of ours
        raise bad_request(str(error)) from None
    except TextError as error:
        raise broken_rule(str(error)) from None
    return {"text": text, "entities": entities} if entities else {"text": text}


def _me(bot: Bot) -> dict[str, Any]:
    no = (
        "can_read_all_group_messages",
        "supports_guest_queries",
        "supports_inline_queries",
        "can_connect_to_business",
        "has_main_web_app",
        "has_topics_enabled",
        "allows_users_to_create_topics",
        "can_manage_bots",
        "supports_join_request_queries",
    )
    return {**bot.as_user(), "can_join_groups": True, **dict.fromkeys(no, False)}


def _webhook_info(bot: Bot) -> dict[str, Any]:
    info: dict[str, Any] = {
        "url": bot.webhook.url if bot.webhook else "",
        "has_custom_certificate": bool(bot.webhook and bot.webhook.has_custom_certificate),
        "pending_update_count": len(bot.pending),
        "last_error_date": bot.last_error_date,
        "last_error_message": bot.last_error_message,
        "allowed_updates": bot.allowed_updates,
    }
    if bot.webhook:
        info |= {"max_connections": bot.webhook.max_connections, "ip_address": "127.0.0.1"}
    return {name: value for name, value in info.items() if value is not None}


def _scope(params: Params) -> str:
    """The key under which a scope and a language keep their own list of commands."""
    scope = params.get("scope") or {"type": "default"}
    about = ":".join(str(scope[name]) for name in ("chat_id", "user_id") if name in scope)
    return f"{scope.get('type')}:{about}:{params.get('language_code', '')}"


def _check_webhook_url(url: str) -> None:
    """https on one of Telegram's ports; a loopback address may be anything, unlike the original."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise broken_rule("bad webhook: Invalid URL specified") from None
    if host == "localhost" or _is_loopback(host):
        return
    if parts.scheme != "https":
        raise broken_rule("bad webhook: An HTTPS URL must be provided for webhook")
    if port is not None and port not in _WEBHOOK_PORTS:
        raise broken_rule("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
