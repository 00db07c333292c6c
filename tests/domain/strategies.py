"""hypothesis strategies for every Event, Effect and Failure, and for the states that are kept."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import UnionType
from typing import Any, TypeVar, get_args

from hypothesis import strategies as st
from msgspec import Struct

from domain import effects, events, failures
from domain.effects import Entity, Part, TurnToken
from domain.events import BotProfile, Reply
from domain.telegram import Chat, Message, Update, User
from domain.turn import Conversation, Status, Turn

T = TypeVar("T")

IDS = st.integers(-(2**63), 2**63 - 1)
COUNTS = st.integers(0, 2**31)
TEXTS = st.text(max_size=8)
SECONDS = st.floats(0, 1e6, allow_nan=False)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis takes naive bounds


def maybe(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


def several(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


def kinds(union: UnionType) -> Sequence[type[Struct]]:
    """The structs of a union, each once."""
    found: list[type[Struct]] = []
    for member in get_args(union):
        found += [member] if isinstance(member, type) else kinds(member)
    return found


TOKENS = st.builds(TurnToken, IDS, COUNTS)
ENTITIES = st.builds(Entity, TEXTS, COUNTS, COUNTS, maybe(TEXTS), maybe(TEXTS))
PARTS = st.builds(Part, TEXTS, several(ENTITIES))
PROFILES = st.builds(
    BotProfile,
    IDS,
    TEXTS,
    maybe(TEXTS),
    st.booleans(),
    st.booleans(),
    maybe(TEXTS),
    maybe(TEXTS),
    maybe(TEXTS),
)
REPLIES = st.builds(
    Reply,
    TEXTS,
    several(PARTS),
    TEXTS,
    maybe(COUNTS),
    maybe(COUNTS),
    maybe(st.decimals(0, 100, places=6).map(str)),
    SECONDS,
    maybe(TEXTS),
    maybe(TEXTS),
    st.booleans(),
)
USERS = st.builds(User, IDS, st.booleans(), TEXTS, maybe(TEXTS), maybe(TEXTS), maybe(TEXTS))
CHATS = st.builds(Chat, IDS, TEXTS, maybe(TEXTS), maybe(TEXTS), maybe(TEXTS), maybe(TEXTS))
MESSAGES = st.builds(
    Message,
    IDS,
    CHATS,
    COUNTS,
    maybe(USERS),
    maybe(IDS),
    st.booleans(),
    maybe(TEXTS),
    maybe(TEXTS),
    maybe(TEXTS),
)
UPDATES = st.builds(Update, IDS, maybe(MESSAGES), TEXTS)

RETRYABLE = st.builds(failures.Retryable, TEXTS, maybe(SECONDS), st.booleans())
FAILURES: st.SearchStrategy[Any] = st.one_of(
    RETRYABLE,
    st.builds(failures.Fatal, TEXTS, st.booleans()),
    st.builds(failures.Terminal, TEXTS, st.booleans()),
    st.builds(failures.Ambiguous, TEXTS),
    st.builds(failures.EntitiesRefused, TEXTS),
    st.builds(failures.ChatMigrated, IDS),
    st.builds(failures.ThreadLost, TEXTS),
    st.builds(failures.RunLost, TEXTS),
    st.builds(failures.ContextTooLong, TEXTS),
)

EFFECTS: dict[type[Struct], st.SearchStrategy[Any]] = {
    effects.GenerateReply: st.builds(
        effects.GenerateReply, TOKENS, IDS, TEXTS, maybe(TEXTS), IDS, IDS, st.booleans()
    ),
    effects.ResumeReply: st.builds(effects.ResumeReply, TOKENS, IDS, TEXTS, maybe(TEXTS)),
    effects.ResetThread: st.builds(effects.ResetThread, IDS, TEXTS),
    effects.ForgetThreads: st.builds(
        effects.ForgetThreads, IDS, TEXTS, several(TEXTS), COUNTS, SECONDS
    ),
    effects.SendMessage: st.builds(
        effects.SendMessage,
        TOKENS,
        IDS,
        IDS,
        COUNTS,
        TEXTS,
        several(ENTITIES),
        maybe(IDS),
        maybe(IDS),
    ),
    effects.SendChatAction: st.builds(effects.SendChatAction, TOKENS, IDS, IDS, TEXTS, maybe(IDS)),
    effects.EnsureWebhook: st.builds(effects.EnsureWebhook, IDS, COUNTS, SECONDS),
    effects.RemoveWebhook: st.builds(
        effects.RemoveWebhook, IDS, st.booleans(), COUNTS, SECONDS, st.booleans()
    ),
    effects.RemoveFormerWebhook: st.builds(
        effects.RemoveFormerWebhook, IDS, TEXTS, TEXTS, COUNTS, SECONDS
    ),
    effects.PublishJob: st.builds(effects.PublishJob, TEXTS, TEXTS, SECONDS),
    effects.PublishWaiting: st.builds(effects.PublishWaiting, IDS),
    effects.ReportBotFailure: st.builds(effects.ReportBotFailure, IDS, TEXTS, st.booleans()),
    effects.ReportBotRecovery: st.builds(effects.ReportBotRecovery, IDS),
    effects.AdminAlert: st.builds(effects.AdminAlert, IDS, TEXTS, TEXTS),
}

JITTER = st.floats(0, 1, exclude_max=True)
EVENTS: dict[type[Struct], st.SearchStrategy[Any]] = {
    events.UpdateReceived: st.builds(events.UpdateReceived, TOKENS, UPDATES, PROFILES),
    events.OperatorWrote: st.builds(events.OperatorWrote, TOKENS, TEXTS, several(PARTS), PROFILES),
    events.RefreshAsked: st.builds(events.RefreshAsked, TOKENS, PROFILES),
    events.RetryAsked: st.builds(events.RetryAsked, TOKENS, PROFILES),
    events.TurnResumed: st.builds(events.TurnResumed, TOKENS, st.booleans()),
    events.TurnBroke: st.builds(
        events.TurnBroke, TOKENS, TEXTS, JITTER, maybe(IDS), maybe(PROFILES)
    ),
    events.JobDeleted: st.builds(events.JobDeleted, TOKENS),
    events.ReplyStarted: st.builds(events.ReplyStarted, TOKENS, maybe(TEXTS), maybe(TEXTS)),
    events.ReplyGenerated: st.builds(events.ReplyGenerated, TOKENS, REPLIES),
    events.ReplyFailed: st.builds(events.ReplyFailed, TOKENS, FAILURES, JITTER),
    events.MessageSent: st.builds(events.MessageSent, TOKENS, COUNTS, IDS),
    events.MessageFailed: st.builds(events.MessageFailed, TOKENS, COUNTS, FAILURES, JITTER),
    events.ChatPaused: st.builds(events.ChatPaused),
    events.ChatUnpaused: st.builds(events.ChatUnpaused),
    events.EnableAsked: st.builds(events.EnableAsked),
    events.DisableAsked: st.builds(events.DisableAsked),
    events.BotEdited: st.builds(events.BotEdited, TEXTS, st.booleans()),
    events.WebhookAsked: st.builds(events.WebhookAsked),
    events.WebhookRemovalAsked: st.builds(events.WebhookRemovalAsked),
    events.WebhookEnsured: st.builds(events.WebhookEnsured),
    events.WebhookRemoved: st.builds(events.WebhookRemoved, st.booleans(), st.booleans()),
    events.WebhookFailed: st.builds(
        events.WebhookFailed,
        FAILURES,
        COUNTS,
        JITTER,
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    events.BotFailed: st.builds(events.BotFailed, TEXTS, st.booleans()),
    events.BotRecovered: st.builds(events.BotRecovered),
}

TURNS = st.builds(
    Turn,
    token=TOKENS,
    bot=PROFILES,
    text=TEXTS,
    began_at=MOMENTS,
    language=st.sampled_from(["ru", "en"]),
    update_id=maybe(IDS),
    incoming=maybe(MESSAGES),
    asking=st.sampled_from(["model", "nothing"]),
    in_context=st.booleans(),
    operator=st.booleans(),
    status=st.sampled_from(Status),
    attempts=COUNTS,
    last_error=maybe(TEXTS),
    last_error_at=maybe(MOMENTS),
    run_id=maybe(TEXTS),
    reply=maybe(REPLIES),
    notice=several(PARTS),
    verdict=maybe(TEXTS),
    sent=several(IDS),
    noticed=several(IDS),
    ended_at=maybe(MOMENTS),
)
CONVERSATIONS = st.builds(
    Conversation,
    id=TEXTS,
    chat_id=IDS,
    topic_id=maybe(IDS),
    thread_id=maybe(TEXTS),
    thread_upto=IDS,
    context_from=IDS,
    paused=st.booleans(),
    told=several(TEXTS),
    epoch=COUNTS,
    turn=maybe(TURNS),
)
