"""What the system itself says to a Telegram user, in Russian or English.

The language is the user's `language_code` (IETF tag, Bot API 10.3, User): Russian for `ru`, English
for every other. A bot's own startMessage, helpText and errorMessage win over these.
"""

from typing import Literal

from domain.telegram import User

Language = Literal["ru", "en"]

START: dict[Language, str] = {
    "ru": "Здравствуйте! Напишите мне что-нибудь, и я отвечу. /help расскажет, что я умею.",
    "en": "Hello! Write me anything and I will answer. /help tells what I can do.",
}
HELP: dict[Language, str] = {
    "ru": (
        "Напишите вопрос обычным сообщением: я отвечу и запомню, о чём мы говорили.\n\n"
        "/start — поздороваться\n/help — эта подсказка\n/refresh — забыть разговор и начать заново"
    ),
    "en": (
        "Write a question as a plain message: I answer it and remember what we talked about.\n\n"
        "/start — say hello\n/help — this text\n/refresh — forget the conversation and start anew"
    ),
}
REFRESHED: dict[Language, str] = {
    "ru": "Готово: я забыл наш разговор. Начнём сначала!",
    "en": "Done: I have forgotten our conversation. Let us start anew!",
}
FAILED: dict[Language, str] = {
    "ru": "Простите, на это сообщение ответить не получилось. Попробуйте, пожалуйста, позже.",
    "en": "Sorry, I could not answer this message. Please try again later.",
}
UNSUPPORTED: dict[Language, str] = {
    "ru": "Пока я понимаю только текст. Опишите это, пожалуйста, словами.",
    "en": "I understand only text so far. Please put it into words.",
}
MENU: dict[Language, dict[str, str]] = {
    "ru": {
        "start": "Поздороваться",
        "help": "Что я умею",
        "refresh": "Забыть разговор и начать заново",
    },
    "en": {
        "start": "Say hello",
        "help": "What I can do",
        "refresh": "Forget the conversation and start anew",
    },
}


def language_of(user: User | None) -> Language:
    """The language we speak with a user."""
    code = (user.language_code if user else None) or ""
    return "ru" if code.lower().split("-")[0] == "ru" else "en"
