"""Plausible answers for the documented methods that the sandbox does not play out.

Their parameters are checked like all others. What sends a message leaves one in the chat, so that
the page shows that something came; what asks about things the sandbox has not gets the real
server's refusal.
"""

from typing import Any

from entrypoints.sandbox.telegram_markup import TextError
from entrypoints.sandbox.telegram_refusals import bad_request
from entrypoints.sandbox.telegram_text import format_text
from entrypoints.sandbox.telegram_world import Bot, Chat, TelegramWorld, find_message

_ASKED: dict[str, object] = {
    "getChatAdministrators": [],
    "getChatMemberCount": 2,
    "getMyDescription": {"description": ""},
    "getMyShortDescription": {"short_description": ""},
    "getMyDefaultAdministratorRights": {},
    "getChatMenuButton": {"type": "commands"},
    "getUserProfilePhotos": {"total_count": 0, "photos": []},
    "getForumTopicIconStickers": [],
    "getCustomEmojiStickers": [],
    "getMyStarBalance": {"amount": 0},
    "getStarTransactions": {"transactions": []},
    "getAvailableGifts": {"gifts": []},
}
_NO_MESSAGE = frozenset(
    {"sendMessageDraft", "sendRichMessageDraft", "sendGift", "sendChatJoinRequestWebApp"}
)


def plain_answer(
    world: TelegramWorld, bot: Bot, chat: Chat | None, method: str, params: dict[str, Any]
) -> object:
    """The result of a method. Raises ApiError where the sandbox has not what is asked for."""
    if method in _ASKED:
        return _ASKED[method]
    if method == "getMyName":
        return {"name": bot.first_name}
    if method == "getChatMember":
        person = world.kept.people.get(params["user_id"])
        if person is None:
            raise bad_request("user not found")
        return {"status": "member", "user": person.as_user()}
    if method == "getFile":
        return {"file_id": params["file_id"], "file_unique_id": params["file_id"]}
    if method.startswith("get"):
        raise bad_request(f"the sandbox has nothing to answer {method}")
    if chat is None or method in _NO_MESSAGE:
        return True
    if method in ("forwardMessage", "copyMessage"):
        original = find_message(chat, params["message_id"])
        content = {"text": original.get("text", "…")} if original else {"text": "…"}
        message = world.keep_message(bot, chat, bot.as_user(), content)
        copied = {"message_id": message["message_id"]}
        return copied if method == "copyMessage" else message
    if method in ("forwardMessages", "copyMessages"):
        return [{"message_id": number} for number in params["message_ids"]]
    if method == "sendMediaGroup":
        return [_left(world, bot, chat, "media", item) for item in params["media"]]
    if method.startswith("send"):
        return _left(world, bot, chat, method.removeprefix("send").lower(), params)
    if method.startswith(("editMessage", "stopMessage")):
        message_id = params.get("message_id", 0)
        if find_message(chat, message_id) is None:
            raise bad_request("message to edit not found")
        return world.change_message(bot, chat.about["id"], message_id, {})
    return True


def _left(
    world: TelegramWorld, bot: Bot, chat: Chat, kind: str, params: dict[str, Any]
) -> dict[str, Any]:
    """Leaves a message of a kind, shown by its name and its caption."""
    content: dict[str, Any] = {"text": f"[{kind}]"}
    if params.get("caption"):
        try:
            caption, entities = format_text(
                params["caption"], params.get("parse_mode"), params.get("caption_entities")
            )
        except TextError as error:
            raise bad_request(str(error)) from None
        content |= {"caption": caption, "caption_entities": entities}
    return world.keep_message(bot, chat, bot.as_user(), content)
