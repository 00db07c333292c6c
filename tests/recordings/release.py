"""`python -m tests.recordings.release`: the recording of this version, with every tag there is.

It writes tests/recordings/VERSION.jsonl from the stories below, one chat or one bot each, and lists
defaults that are new in tests/domain/released_defaults.json. The release of a version adds its line
to RELEASED: from then on its file is never written again, and replays the same for ever
(CONTRIBUTING.md).
"""

import sys
import tomllib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec.structs import replace

from domain.bot import Bot, TelegramMode
from domain.effects import Entity, Part, TurnToken
from domain.endings import MAX_BREAKS, MAX_DEATHS
from domain.events import (
    BotEdited,
    BotFailed,
    BotProfile,
    BotRecovered,
    ChatPaused,
    ChatUnpaused,
    DisableAsked,
    EnableAsked,
    Event,
    JobDeleted,
    MessageFailed,
    MessageSent,
    OperatorWrote,
    RefreshAsked,
    Reply,
    ReplyFailed,
    ReplyGenerated,
    ReplyStarted,
    RetryAsked,
    TurnBroke,
    TurnResumed,
    UpdateReceived,
    WebhookAsked,
    WebhookEnsured,
    WebhookFailed,
    WebhookRemovalAsked,
    WebhookRemoved,
)
from domain.failures import (
    MAX_ATTEMPTS,
    Ambiguous,
    ChatMigrated,
    ContextTooLong,
    EntitiesRefused,
    Fatal,
    Retryable,
    RunLost,
    Terminal,
    ThreadLost,
)
from domain.recording import Recorded, State, encode
from domain.replay import play
from domain.step import Envelope, digest
from domain.telegram import Chat, Message, Update, User
from domain.turn import Conversation
from tests.domain.reachable import list_new_defaults

BEGAN = datetime(2026, 11, 27, 12, tzinfo=UTC)
BOT = BotProfile(3, "Kotodom", "kotodom_bot", start_message="Welcome!", error_message="Sorry.")
ANN = User(42, first_name="Ann", last_name="Lee", username="ann_lee", language_code="en")
GROUP = Chat(-500, "supergroup", title="Cats")
BOLD = Part("one", (Entity("bold", 0, 3),))
GONE = Terminal("Telegram 403: bot was blocked", chat_gone=True)
REPLY = Reply(
    "**one**\n\ntwo", (BOLD, Part("two")), "gpt-5.4-mini", 12, 7, "0.000021", 0.8, "conv_1", "run_1"
)
PLAIN = BotProfile(3, "Kotodom", "kotodom_bot")
"""A bot that has no words of its own."""
IVAN = User(46, first_name="Иван", language_code="ru-RU")
EMMA = User(47, first_name="Emma", language_code="de")
FOLDER = Path(__file__).parent

RELEASED: dict[str, str] = {}
"""The versions that are out, with the digest (`of`) of their files; no line is ever changed."""


def of(content: bytes) -> str:
    """The digest of a file: blake2b, 128 bits, as hex."""
    return blake2b(content, digest_size=16).hexdigest()


def version() -> str:
    """The version that is being made."""
    pyproject = tomllib.loads((FOLDER.parent.parent / "pyproject.toml").read_text())
    return str(pyproject["project"]["version"])


def token(message: int, epoch: int) -> TurnToken:
    return TurnToken(message, epoch)


def taken_over(turn: TurnToken, times: int) -> TurnToken:
    """The same message, so many owners on."""
    return replace(turn, epoch=turn.epoch + times)


def wrote(turn: TurnToken, text: object, bot: BotProfile = BOT, **more: object) -> Event:
    """A person's message is taken from the line."""
    known: dict[str, object] = {"message_id": turn.id, "chat": Chat(42, first_name="Ann")}
    known |= {"date": 1795780800, "from": ANN, "text": text}
    message = msgspec.convert(known | more, Message, from_attributes=True)
    return UpdateReceived(turn, Update(700 + turn.id, message), bot)


def stories() -> Iterator[tuple[State, list[Event]]]:
    """Every event, every effect and every failure, at least once."""
    first = token(101, 1)
    yield (
        Conversation("3:42", 42),
        [
            wrote(first, "Hello"),
            ReplyStarted(first, "run_1", "conv_1"),
            ReplyGenerated(first, REPLY),
            MessageSent(first, 0, 9001),
            MessageSent(first, 1, 9002),
        ],
    )
    taken, over = token(102, 5), token(102, 6)
    last = token(102, 7)
    yield (
        Conversation("3:-500:8", -500, 8, thread_id="conv_2", thread_upto=90, epoch=4),
        [
            wrote(taken, "Why?", chat=GROUP, message_thread_id=8, is_topic_message=True),
            ReplyFailed(taken, ThreadLost("OpenAI 404: no such conversation")),
            ReplyFailed(taken, ContextTooLong("OpenAI 400: context_length_exceeded")),
            ReplyStarted(taken, "run_2", "conv_3"),
            ReplyFailed(taken, Retryable("OpenAI 429: rate limit", after=3.0), 0.25),
            TurnResumed(over),
            ReplyFailed(over, RunLost("OpenAI 404: no such response")),
            ReplyGenerated(over, replace(REPLY, thread_id="conv_3", run_id="run_3")),
            MessageFailed(over, 0, EntitiesRefused("Telegram 400: can't parse entities")),
            MessageFailed(over, 0, ChatMigrated(-1000500)),
            MessageFailed(over, 0, Ambiguous("no answer from Telegram")),
            TurnResumed(last, died=True),
            MessageSent(last, 0, 9003),
            MessageSent(last, 1, 9004),
        ],
    )
    failed, again = token(103, 1), token(103, 2)
    recovering = replace(BOT, failing=True)
    yield (
        Conversation("3:43", 43),
        [
            wrote(failed, "Still there?"),
            ReplyFailed(failed, Fatal("OpenAI 401: invalid_api_key")),
            MessageSent(failed, 0, 9005),
            RetryAsked(again, recovering),
            ReplyGenerated(again, replace(REPLY, incomplete=True)),
            MessageSent(again, 0, 9006),
            MessageFailed(again, 1, GONE),
        ],
    )
    broken, later = token(104, 1), token(104, 2)
    yield (
        Conversation("3:44", 44),
        [
            wrote(broken, "Break!"),
            TurnBroke(broken, "ValueError: a bug", 0.5, traceback="Traceback …\nValueError: a bug"),
            TurnResumed(later),
            JobDeleted(later),
        ],
    )
    person, spoken = token(105, 3), token(106, 4)
    yield (
        Conversation("3:45", 45, thread_id="conv_4", thread_upto=99, epoch=2),
        [
            ChatPaused(),
            wrote(person, "Is a person there?"),
            OperatorWrote(spoken, "Yes.", (Part("Yes."),), BOT),
            MessageSent(spoken, 0, 9007),
            ChatUnpaused(),
            RefreshAsked(token(107, 5), BOT),
            wrote(token(108, 6), None, unsupported="photo"),
            MessageSent(token(108, 6), 0, 9008),
            wrote(token(109, 7), "/start"),
            MessageSent(token(109, 7), 0, 9009),
        ],
    )
    yield from map(our_own_words, [IVAN, EMMA])
    yield Conversation("3:48", 48), list(reasons())
    yield (
        Bot(3, "Kotodom", TelegramMode.WEBHOOK),
        [
            EnableAsked(),
            WebhookFailed(Retryable("Telegram 500"), jitter=0.5),
            WebhookEnsured(),
            WebhookAsked(),
            WebhookFailed(Fatal("Telegram 404: Not Found"), attempt=1),
            BotEdited("POLLING", reconnect=True),
            WebhookRemoved(polling=True),
            WebhookRemovalAsked(),
            BotFailed("OpenAI 401: invalid_api_key"),
            BotRecovered(),
            DisableAsked(),
        ],
    )


def our_own_words(user: User) -> tuple[State, list[Event]]:
    """All that we say by ourselves to a user: domain/texts.py, in their language."""
    asked: list[dict[str, object]] = [
        {"text": "/start"},
        {"text": "/help"},
        {"text": "/refresh"},
        {"text": None, "unsupported": "voice"},
        {"text": "Hello"},
    ]
    events: list[Event] = []
    for epoch, message in enumerate(asked, 1):
        turn = token(100 * user.id + epoch, epoch)
        events.append(wrote(turn, bot=PLAIN, chat=Chat(user.id), **{"from": user}, **message))
        if message["text"] == "Hello":
            events.append(ReplyFailed(turn, Terminal("the model refused")))
        events.append(MessageSent(turn, 0, 9000 + turn.id))
    return Conversation(f"3:{user.id}", user.id), events


def reasons() -> Iterator[Event]:
    """Why a message ends TERMINAL, in our own words; each is told to an administrator."""
    turns = [token(200 + number, 10 * number) for number in range(8)]
    nothing, waits, tries, dies, breaks, migrates, disabled, unread = turns
    yield wrote(nothing, "Hello")
    yield ReplyGenerated(nothing, Reply("", (), "gpt-5.4-mini"))
    yield MessageFailed(nothing, 0, GONE)
    yield wrote(waits, "Hello")
    yield ReplyFailed(waits, Retryable("OpenAI 429: rate limit", after=3601.0))
    yield MessageFailed(waits, 0, GONE)
    yield wrote(tries, "Hello")
    for attempt in range(MAX_ATTEMPTS):
        yield ReplyFailed(taken_over(tries, attempt), Retryable("OpenAI 503: overloaded"))
        if attempt + 1 < MAX_ATTEMPTS:
            yield TurnResumed(taken_over(tries, attempt + 1))
    yield MessageFailed(taken_over(tries, MAX_ATTEMPTS - 1), 0, GONE)
    yield wrote(dies, "Hello")
    for death in range(1, MAX_DEATHS + 1):
        yield TurnResumed(taken_over(dies, death), died=True)
    yield wrote(breaks, "Hello")
    for broken in range(MAX_BREAKS):
        yield TurnBroke(taken_over(breaks, broken), "KeyError: 'x'")
        if broken + 1 < MAX_BREAKS:
            yield TurnResumed(taken_over(breaks, broken + 1))
    yield MessageFailed(taken_over(breaks, MAX_BREAKS - 1), 0, GONE)
    yield wrote(migrates, "/help")
    yield MessageFailed(migrates, 0, ChatMigrated(48))
    yield wrote(disabled, "Hello", replace(BOT, enabled=False))
    yield TurnBroke(unread, "its turn cannot be read", update_id=701, bot=BOT)
    yield MessageFailed(unread, 0, GONE)
    yield RetryAsked(taken_over(unread, 1), BOT)


def recorded(stories: Iterable[tuple[State, list[Event]]]) -> Iterator[bytes]:
    """The journal of the stories, one after the other, a JSON line a step."""
    seq = 0
    for state, events in stories:
        key = f"bot:{state.id}" if isinstance(state, Bot) else state.id
        for event in events:
            seq += 1
            tag = event.__struct_config__.tag
            envelope = Envelope(f"story:{seq}:{tag}", BEGAN + timedelta(seconds=seq), event)
            busy = isinstance(state, Conversation) and state.busy
            if isinstance(state, Conversation) and not isinstance(event, RetryAsked) and not busy:
                state = replace(state, turn=None)
            step = play(state, envelope)
            if step.state == state and not step.effects:
                raise ValueError(f"{tag} of {key} changes nothing: what is it for?")
            yield encode(
                Recorded(
                    key=key,
                    seq=seq,
                    at=envelope.at,
                    id=envelope.id,
                    origin=None if busy else state,
                    event=event,
                    effects=msgspec.Raw(msgspec.json.encode(step.effects)),
                    state=digest(step.state),
                )
            )
            state = step.state


def main() -> None:
    """Write the file of the version that is being made, and say what its release adds here."""
    made = version()
    if made in RELEASED:
        sys.exit(f"{made} is out: its recording stays. What is new belongs to the next version.")
    content = b"".join(line + b"\n" for line in recorded(stories()))
    (FOLDER / f"{made}.jsonl").write_bytes(content)
    for field in list_new_defaults():
        sys.stdout.write(f"listed: {field}\n")
    sys.stdout.write(
        f"{made}.jsonl: {len(content.splitlines())} steps; once it is out, RELEASED has\n"
    )
    sys.stdout.write(f'    "{made}": "{of(content)}",\n')


if __name__ == "__main__":
    main()
