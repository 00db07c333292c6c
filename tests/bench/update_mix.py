"""What a bot of groups and of people is sent, made from a seed: the updates of a replay.

A line of JSON each, as Telegram writes them (Bot API 10.3). Of a hundred: 62 texts and 8 commands,
two in three of them in private, the others in groups and in a forum's topic; 9 photos, half of them
with a caption; 8 voices, stickers, documents and places; 6 edits; 5 service messages; 2 members.
"""

import random
from collections.abc import Iterator
from typing import Any

import msgspec

SEED = 7
CHATS = 400
_KINDS = {
    "text": 62,
    "command": 8,
    "photo": 5,
    "captioned": 4,
    "content": 8,
    "edit": 6,
    "service": 5,
    "member": 2,
}
_SAID = (
    "the weather in Kazan tomorrow looks like rain so what should I take with me and why "
    "расскажи пожалуйста короче о поездах до Твери и обратно 😀 напиши план на неделю "
    "explain this function line by line please https://example.org/a?b=c"
)
_WORDS = tuple(_SAID.split())
_COMMANDS = (
    "/start",
    "/start from-a-link",
    "/help",
    "/help@rehearsal_bot",
    "/help@some_other_bot",
    "/refresh",
    "/weather Kazan",
)
_SIZES = ((90, 67, 1_389), (320, 240, 17_203), (800, 600, 81_022), (1280, 960, 151_480))
_BOT = {"id": 7_000_001, "is_bot": True, "first_name": "Rehearsal", "username": "rehearsal_bot"}


def update_mix(count: int, seed: int = SEED) -> list[bytes]:
    """So many updates, in their order, without line ends; the same seed makes the same ones."""
    return [msgspec.json.encode(update) for update in _Mix(random.Random(seed)).updates(count)]


class _Mix:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._people = [self._person(number) for number in range(CHATS)]
        self._places = [self._place(person) for person in self._people]

    def updates(self, count: int) -> Iterator[dict[str, Any]]:
        kinds, weights = list(_KINDS), list(_KINDS.values())
        for number, kind in enumerate(self._chance.choices(kinds, weights, k=count), 1):
            yield {"update_id": 800_000_000 + number} | self._update(kind, number)

    def _update(self, kind: str, number: int) -> dict[str, Any]:
        where = self._chance.randrange(CHATS)
        person, place = self._people[where], self._places[where]
        date = 1_800_000_000 + number
        message: dict[str, Any] = {"message_id": number, "from": person, "date": date} | place
        match kind:
            case "text":
                message |= self._text(message)
            case "command":
                message |= self._command()
            case "photo":
                message["photo"] = self._photo()
            case "captioned":
                message |= {"photo": self._photo(), "caption": self._words(2, 12)}
            case "content":
                message |= self._content()
            case "edit":
                message["edit_date"] = date + 5
                return {"edited_message": message | {"text": self._words(3, 30)}}
            case "service":
                message |= self._service(message)
            case _:
                return {"my_chat_member": self._member(person, message["chat"], date)}
        return {"message": message}

    def _person(self, number: int) -> dict[str, Any]:
        chance = self._chance
        person = {
            "id": 10_000_000 + number,
            "is_bot": False,
            "first_name": chance.choice(("Ann", "Boris", "Вера", "Глеб", "Eve")),
            "language_code": chance.choice(("ru", "en", "en-GB", "de")),
        }
        if chance.random() < 0.6:
            person["last_name"] = chance.choice(("Lee", "Иванова", "Smith"))
        if chance.random() < 0.7:
            person["username"] = f"person_{number}"
        if chance.random() < 0.2:
            person["is_premium"] = True
        return person

    def _place(self, person: dict[str, Any]) -> dict[str, Any]:
        """The fields of a message that say where it was written."""
        what = self._chance.random()
        if what < 0.66:
            known = ("id", "first_name", "last_name", "username")
            return {
                "chat": {name: person[name] for name in known if name in person}
                | {"type": "private"}
            }
        group = -1_000_000_000_000 - self._chance.randrange(40)
        if what < 0.9:
            return {"chat": {"id": group, "title": "Кошки and cats", "type": "supergroup"}}
        forum = {"id": group - 100, "title": "Work", "type": "supergroup", "is_forum": True}
        thread = self._chance.randrange(2, 9)
        return {"chat": forum, "message_thread_id": thread, "is_topic_message": True}

    def _text(self, message: dict[str, Any]) -> dict[str, Any]:
        text = self._words(2, 50)
        said: dict[str, Any] = {"text": text}
        if (begins := text.find("https://")) >= 0:
            # Offsets count UTF-16 code units; nobody here reads them.
            said["entities"] = [{"type": "url", "offset": begins, "length": 27}]
        if message["chat"]["type"] != "private" and self._chance.random() < 0.3:
            earlier = {"message_id": message["message_id"] - 1, "from": _BOT, "text": "Yes."}
            said["reply_to_message"] = message | earlier
        return said

    def _command(self) -> dict[str, Any]:
        text = self._chance.choice(_COMMANDS)
        length = len(text.partition(" ")[0])
        return {
            "text": text,
            "entities": [{"type": "bot_command", "offset": 0, "length": length}],
        }

    def _photo(self) -> list[dict[str, Any]]:
        return [
            self._file("AgAC") | {"width": width, "height": height, "file_size": size}
            for width, height, size in _SIZES
        ]

    def _content(self) -> dict[str, Any]:
        match self._chance.randrange(4):
            case 0:
                return {"voice": self._file("AwAC") | {"duration": 7, "mime_type": "audio/ogg"}}
            case 1:
                look = {"type": "regular", "width": 512, "height": 512, "is_animated": False}
                rest = {"is_video": False, "emoji": "😀", "set_name": "Cats"}
                return {"sticker": self._file("CAAC") | look | rest}
            case 2:
                named = {"file_name": "plan.pdf", "mime_type": "application/pdf"}
                return {"document": self._file("BQAC") | named}
            case _:
                return {"location": {"latitude": 55.79, "longitude": 49.12}}

    def _service(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["chat"]["type"] == "private":
            pinned = {name: message[name] for name in ("message_id", "from", "chat", "date")}
            return {"pinned_message": pinned | {"text": self._words(2, 12)}}
        person = self._chance.choice(self._people)
        return {"new_chat_members": [person], "new_chat_member": person}

    def _member(self, person: dict[str, Any], chat: dict[str, Any], date: int) -> dict[str, Any]:
        member, gone = {"user": _BOT, "status": "member"}, {"user": _BOT, "status": "left"}
        return {
            "chat": chat,
            "from": person,
            "date": date,
            "old_chat_member": member,
            "new_chat_member": gone,
        }

    def _file(self, prefix: str) -> dict[str, Any]:
        code = f"{self._chance.getrandbits(160):040x}"
        return {"file_id": prefix + code, "file_unique_id": code[:16], "file_size": 20_480}

    def _words(self, least: int, most: int) -> str:
        return " ".join(self._chance.choices(_WORDS, k=self._chance.randint(least, most)))
