"""The sandbox's model: small, friendly and deterministic; no key, no network, no chance.

openai_runs.py asks it for the answer to a conversation. It answers in Russian where the person
writes Cyrillic and in English otherwise, quotes what it was told and says what it remembers, so
that a person sees that the thread is real. Directives (see faults.py) make it answer exactly.
"""

import re
from collections.abc import Sequence

from msgspec import Struct

_DIRECTIVE = re.compile(r"\s*/?sandbox:(\w+)[ \t]*(.*)", re.DOTALL)
_CYRILLIC = re.compile(r"[А-Яа-яЁё]")
_LATIN = re.compile(r"[A-Za-z]")
_SENTENCE = "the quick brown fox jumps over the lazy dog while seven wizards brew tea and hum "
QUOTE_LENGTH = 160
LONGEST = 1_000_000


class Turn(Struct, frozen=True):
    """One message of the conversation: its role (system, user, assistant) and its text."""

    role: str
    text: str


class Directive(Struct, frozen=True):
    """A message that speaks to the sandbox: /sandbox:NAME ARGUMENT."""

    name: str
    argument: str


def directive_of(text: str) -> Directive | None:
    match = _DIRECTIVE.fullmatch(text)
    return Directive(match.group(1).lower(), match.group(2).strip()) if match else None


def answer(turns: Sequence[Turn], instructions: str | None) -> str:
    """The answer to the last user message of a conversation."""
    said = [turn.text for turn in turns if turn.role == "user"]
    text = said[-1] if said else ""
    directive = directive_of(text)
    if directive is not None:
        exact = _exact(directive, turns, instructions)
        if exact is not None:
            return exact
    russian = len(_CYRILLIC.findall(text)) * 2 > len(_LATIN.findall(text))
    return (_RUSSIAN if russian else _ENGLISH).answer(text, said, instructions)


def _exact(directive: Directive, turns: Sequence[Turn], instructions: str | None) -> str | None:
    match directive.name:
        case "echo":
            return directive.argument
        case "text":
            return _words(_number(directive.argument))
        case "emoji":
            return "😺" * _number(directive.argument)
        case "markdown":
            return _ENGLISH.markdown
        case "history":
            told = [f"{turn.role}: {turn.text}" for turn in turns]
            return "\n".join([f"instructions: {instructions}", *told])
        case _:
            return None


def _number(argument: str) -> int:
    digits = re.match(r"\d{1,7}", argument)
    return min(int(digits.group()), LONGEST) if digits else 100


def _words(length: int) -> str:
    """Exactly that many characters: words, and a full stop at the end."""
    if length < 2:
        return "." * length
    text = (_SENTENCE * (length // len(_SENTENCE) + 1))[: length - 1]
    return (text[:-1] + "o" if text.endswith(" ") else text) + "."


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    line = line if len(line) <= QUOTE_LENGTH else line[: QUOTE_LENGTH - 1].rstrip() + "…"
    return re.sub(r"([*_`~\[\]\\])", r"\\\1", line)


class _Language(Struct, frozen=True):
    """What the model says in one language."""

    greeting: str
    quote: str
    question: str
    memory: tuple[str, ...]
    tips: tuple[str, ...]
    instructions: str
    no_instructions: str
    markdown: str
    ask_markdown: re.Pattern[str]
    ask_instructions: re.Pattern[str]
    plural: tuple[str, str, str]

    def answer(self, text: str, said: Sequence[str], instructions: str | None) -> str:
        if self.ask_markdown.search(text):
            return self.markdown
        if self.ask_instructions.search(text):
            told = (instructions or "").strip()
            return self.instructions.format(_quoted(told)) if told else self.no_instructions
        count = len(said)
        parts = [self.greeting] if count <= 1 else []
        parts.append(self.quote.format(_quoted(text)))
        if text.rstrip().endswith("?"):
            parts.append(self.question)
        if count > 1:
            word = self.plural[_plural_form(count)]
            remembered = self.memory[count % len(self.memory)]
            parts.append(remembered.format(count=count, word=word, first=_quoted(said[0])))
        parts.append(self.tips[(count - 1) % len(self.tips)])
        return "\n\n".join(parts)


def _plural_form(count: int) -> int:
    """0, 1 or 2: Russian's one, few and many; English words repeat the last form."""
    if count % 10 == 1 and count % 100 != 11:
        return 0
    return 1 if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14) else 2


_ENGLISH = _Language(
    greeting=(
        "Hello! 👋 I am the **sandbox model**. I run on this machine and need no key, "
        "so we can talk at once."
    ),
    quote="You wrote: “{}”",
    question="A real model would answer that; I only show the way a message takes.",
    memory=(
        "You have written **{count}** {word} here; the first was “{first}”.",
        "I remember this conversation: **{count}** {word} so far, beginning with “{first}”.",
    ),
    tips=(
        "Write *markdown* to see how I format text, or /refresh to make me forget.",
        "Ask about my *instructions* to see what this bot tells its model.",
        "Switch on a fault beside this chat and write again: the answer still comes.",
    ),
    instructions="My instructions are: “{}”",
    no_instructions="I was given no instructions. Set them in the bot's settings.",
    markdown="""\
Here is what my answers can carry.

**Bold**, *italic*, ~~struck out~~, `code` and a [link](https://core.telegram.org/bots/api).

1. Numbered lists
2. with a second line

- Bulleted lists
- and **bold** in them

> A quotation, for a good line.

```python
def hello(name: str) -> str:
    return f"Hello, {name}!"
```

That was all of it. 🎈""",
    ask_markdown=re.compile(r"\b(markdown|format|example)", re.IGNORECASE),
    ask_instructions=re.compile(r"\binstruction", re.IGNORECASE),
    plural=("message", "messages", "messages"),
)

_RUSSIAN = _Language(
    greeting=(
        "Привет! 👋 Я **модель из песочницы**. Работаю на этом компьютере, ключ не нужен, "
        "так что можно сразу поговорить."
    ),
    quote="Вы написали: «{}»",
    question="Настоящая модель ответила бы, а я только показываю путь сообщения.",
    memory=(
        "Здесь от вас уже **{count}** {word}; первое было «{first}».",
        "Я помню наш разговор: **{count}** {word}, а начался он с «{first}».",
    ),
    tips=(
        "Напишите *пример*, и я покажу разметку. А /refresh заставит меня всё забыть.",
        "Спросите про мои *инструкции*: увидите, что этот бот говорит своей модели.",
        "Включите рядом с чатом сбой и напишите ещё раз: ответ всё равно придёт.",
    ),
    instructions="Мои инструкции: «{}»",
    no_instructions="Инструкций мне не дали. Их можно задать в настройках бота.",
    markdown="""\
Вот что умеют мои ответы.

**Жирный**, *курсив*, ~~зачёркнутый~~, `код` и [ссылка](https://core.telegram.org/bots/api).

1. Нумерованный список
2. из двух строк

- Список с точками
- и **жирное** в нём

> Цитата, если слова хороши.

```python
def hello(name: str) -> str:
    return f"Привет, {name}!"
```

Вот и всё. 🎈""",
    ask_markdown=re.compile(r"\b(markdown|пример|разметк|маркдаун)", re.IGNORECASE),
    ask_instructions=re.compile(r"\bинструкци", re.IGNORECASE),
    plural=("сообщение", "сообщения", "сообщений"),
)
