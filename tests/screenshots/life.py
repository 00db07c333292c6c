"""A shop's day in the sandbox: bots, people, questions, failures, an operator; for the pictures.

Everything goes the way a person would: bots through the API, messages through Telegram's stand-in.
"""

import asyncio
from random import Random
from typing import Any

import aiohttp

PEOPLE = [
    ("Анна", "ru"),
    ("Иван", "ru"),
    ("Maria", "en"),
    ("John", "en"),
    ("Светлана", "ru"),
    ("محمد", "ar"),
    ("דוד", "he"),
    ("李雷", "zh"),
    ("Zoë", "en"),
    ("Пётр", "ru"),
    ("Łukasz", "pl"),
    ("Noor", "en"),
]
QUESTIONS = {
    "en": [
        "How do I return an order?",
        "What are your opening hours?",
        "Can I pay by card?",
        "Where is my parcel? Order 4711",
        "Do you ship to Portugal?",
    ],
    "ru": [
        "Сколько стоит доставка в Казань?",
        "Спасибо большое!",
        "Можно ли забрать самому?",
        "Есть ли в наличии синий, размер M?",
    ],
}
TAKEN_OVER = {
    "en": "Hello, I am a human. Let me look your order up.",
    "ru": "Здравствуйте, это человек. Сейчас посмотрю.",
}
BOTS = [
    ("Магазин на Покровке", "pokrovka_bot", {}),
    ("Support desk", "support_desk_bot", {"modelApi": "CHAT_COMPLETIONS"}),
    ("Night shift", "night_shift_bot", {}),
]
USERS = [("boss@example.com", "MANAGER"), ("anna@example.com", "USER")]
PASSWORD = "a password for pictures"


class Life:
    """`session` is signed in as the administrator; `control` is the sandbox's own address."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._chance = Random(7)

    async def fill(self) -> dict[str, Any]:
        """Live the day; what the pictures are about: {chats: {language: id}, message, bot}."""
        (ready,) = (await self._ask("GET", "/api/bots"))["items"]
        telegram: str = ready["telegramApiUrl"]
        control = telegram.removesuffix("/telegram") + "/control"
        bots = [ready]
        for number, (name, username, fields) in enumerate(BOTS):
            token = f"{7_000_000_000 + number}:a-token-that-only-the-sandbox-takes"
            await self._post(
                f"{control}/bots", {"token": token, "name": name, "username": username}
            )
            asked = {
                "name": name,
                "token": token,
                "telegramMode": "POLLING",
                "telegramApiUrl": telegram,
                "baseUrl": ready["baseUrl"],
                "instructions": "You answer customers of a shop, shortly and kindly.",
                **fields,
            }
            bots.append(await self._ask("POST", "/api/bots", asked))
            await self._ask("POST", f"/api/bots/{bots[-1]['id']}/enable")
        for email, role in USERS:
            await self._ask(
                "POST", "/api/users", {"email": email, "role": role, "password": PASSWORD}
            )
        await self._ask("POST", "/api/api-keys", {"name": "nightly export", "role": "MANAGER"})
        people = {await self._person(control, name, code): code for name, code in PEOPLE}
        state = await self._ask("GET", f"{control}/state")
        numbers = [bot["id"] for bot in state["bots"]]
        for _ in range(4):
            for person, code in people.items():
                await self._say(control, self._chance.choice(numbers), person, code)
            await self._settled()
        refused = {"side": "openai", "method": "responses", "kind": "content_filter", "times": 2}
        await self._post(f"{control}/faults", refused)
        for person, code in list(people.items())[:6]:
            await self._say(control, numbers[0], person, code)
        await self._settled()
        failed = (await self._ask("GET", "/api/processing?status=TERMINAL"))["items"]
        listed = (await self._ask("GET", f"/api/chats?botId={ready['id']}"))["items"]
        spoken = {people[chat["telegramChatId"]]: chat["id"] for chat in listed}
        chats = {language: spoken[language] for language in TAKEN_OVER}
        for language, chat in chats.items():
            await self._ask("POST", f"/api/chats/{chat}/pause")
            written = {"text": TAKEN_OVER[language]}
            await self._ask("POST", f"/api/chats/{chat}/messages", written)
        await self._settled()
        return {"chats": chats, "message": failed[0]["id"], "bot": bots[1]["id"]}

    async def _person(self, control: str, name: str, code: str) -> int:
        made = await self._post(f"{control}/people", {"first_name": name, "language_code": code})
        return int(made["person"]["id"])

    async def _say(self, control: str, bot: int, person: int, code: str) -> None:
        questions = QUESTIONS.get(code, QUESTIONS["en"])
        deed = {"bot": bot, "user": person, "text": self._chance.choice(questions)}
        await self._post(f"{control}/send", deed)

    async def _settled(self) -> None:
        """Until nothing waits any more."""
        while True:
            await asyncio.sleep(1)
            waiting = 0
            for status in ("RECEIVED", "PROCESSING", "FAILED"):
                page = await self._ask("GET", f"/api/processing?status={status}&limit=1")
                waiting += len(page["items"])
            if not waiting:
                return

    async def _post(self, url: str, body: dict[str, Any]) -> Any:
        return await self._ask("POST", url, body)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        async with self._session.request(method, path, json=body) as answer:
            text = await answer.text()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
            return await answer.json(content_type=None) if text else None
