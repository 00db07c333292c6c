"""Who plays in the sandbox: people, groups, and the updates that their deeds become.

Three people and a group are ready; the page makes more. The functions build the payload of an
Update (Bot API 10.3); `TelegramWorld` numbers and delivers it.
"""

from typing import Any

from msgspec import Struct

from entrypoints.sandbox.telegram_text import detect_entities


class Person(Struct):
    """A Telegram user whom somebody plays."""

    id: int
    first_name: str
    language_code: str
    last_name: str | None = None
    username: str | None = None

    def as_user(self) -> dict[str, Any]:
        """A User object."""
        user: dict[str, Any] = {
            "id": self.id,
            "is_bot": False,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "username": self.username,
            "language_code": self.language_code,
        }
        return {name: value for name, value in user.items() if value is not None}

    def as_chat(self) -> dict[str, Any]:
        """The Chat object of a private chat with this person."""
        chat: dict[str, Any] = {
            "id": self.id,
            "type": "private",
            "first_name": self.first_name,
            "last_name": self.last_name,
            "username": self.username,
        }
        return {name: value for name, value in chat.items() if value is not None}


def ready_people() -> list[Person]:
    return [
        Person(700100201, "Анна", "ru", last_name="Котова", username="anna_kotova"),
        Person(700100202, "John", "en", last_name="Miller", username="john_miller"),
        Person(700100203, "Amélie", "fr", username="amelie_m"),
    ]


def ready_groups() -> list[dict[str, Any]]:
    return [{"id": -1002100300400, "type": "supergroup", "title": "Kotodom · команда"}]


def chat_of_id(chat_id: int, people: dict[int, Person]) -> dict[str, Any]:
    """The Chat object of an id: a person's private chat, a basic group or a supergroup."""
    if chat_id > 0:
        person = people.get(chat_id) or Person(chat_id, f"User {chat_id}", "en")
        return person.as_chat()
    kind = "supergroup" if chat_id < -1_000_000_000_000 else "group"
    return {"id": chat_id, "type": kind, "title": f"Group {-chat_id}"}


def text_content(text: str) -> dict[str, Any]:
    """Text with the entities that Telegram finds by itself."""
    entities = detect_entities(text)
    return {"text": text, "entities": entities} if entities else {"text": text}


def kind_content(kind: str, text: str) -> dict[str, Any]:
    """What a message of a kind carries: text, photo, sticker, voice, document, location.

    For a photo, a voice message and a document `text` is the caption. Raises ValueError for
    another kind.
    """
    file_id = f"sandbox-{kind}"
    file = {"file_id": file_id, "file_unique_id": file_id, "file_size": 24_576}
    caption = {"caption": text} if text else {}
    match kind:
        case "text":
            return text_content(text)
        case "photo":
            sizes = [{**file, "width": 90, "height": 67}, {**file, "width": 1280, "height": 960}]
            return {"photo": sizes, **caption}
        case "sticker":
            look = {"width": 512, "height": 512, "is_animated": False, "is_video": False}
            return {"sticker": {**file, **look, "type": "regular", "emoji": text or "😺"}}
        case "voice":
            return {"voice": {**file, "duration": 3, "mime_type": "audio/ogg"}, **caption}
        case "document":
            document = {**file, "file_name": "notes.pdf", "mime_type": "application/pdf"}
            return {"document": document, **caption}
        case "location":
            return {"location": {"latitude": 55.751244, "longitude": 37.618423}}
        case _:
            raise ValueError(f"no message of kind {kind!r}")


def member_update(
    person: Person, bot_user: dict[str, Any], date: int, *, blocked: bool
) -> dict[str, Any]:
    """my_chat_member of a person who blocks the bot, or unblocks it."""
    member = {"status": "member", "user": bot_user}
    banned = {"status": "kicked", "user": bot_user, "until_date": 0}
    old, new = (member, banned) if blocked else (banned, member)
    return {
        "my_chat_member": {
            "chat": person.as_chat(),
            "from": person.as_user(),
            "date": date,
            "old_chat_member": old,
            "new_chat_member": new,
        }
    }
