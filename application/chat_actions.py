"""What a person does in a chat: write in the bot's name, refresh, pause, resume, delete.

Triggered by the HTTP API. Words and a refresh join the chat's line, where what users write waits as
well, and the chat's own turn does the rest. A pause is a step of the chat: it is journalled.
"""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta, Struct

from application.audit import changed
from application.chats import Chats, ChatView, is_chat_id
from application.conversations import Change, EntryKind, Loaded
from application.jobs import Job, Pick, nobodys_pick
from application.moves import Pause, effect_job, pause
from application.ports import Clock, Markdown
from application.refusals import Conflict, FieldError, Invalid, NotFound
from domain.access import Actor, owner_filter
from domain.effects import ResetThread
from domain.events import ChatPaused, ChatUnpaused

LONGEST = 16_384
"""Characters of an operator's message; it goes out in as many parts as it takes."""


class NewMessage(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """POST /api/chats/{id}/messages. `text` is Markdown, as a model's answers are."""

    text: Annotated[str, Meta(min_length=1, max_length=LONGEST)]


class Waiting(Struct, frozen=True, rename="camel"):
    """What joined a chat's line: it is taken when what stands before it is over."""

    id: int
    chat_id: str
    kind: EntryKind
    created_at: datetime


class Erased(Struct, frozen=True, rename="camel"):
    """What went with a chat, in rows. `updates`: as Telegram sent them, those that became messages
    or wait; what else names the chat goes afterwards. `steps`: of the journal.
    """

    chat_id: str
    messages: int
    processing: int
    updates: int
    requests: int
    steps: int
    jobs: int


class LockedChat(Struct, frozen=True):
    """A chat as it is under its lock. `thread_id`: its conversation at the model's server."""

    bot_id: int
    thread_id: str | None


class ChatTransaction(Protocol):
    """One transaction over one chat; it is committed when its context is left."""

    async def load(self, chat_id: str, owner: str | None, pick: Pick) -> Loaded | None:
        """Lock the chat, then load it; None where it is not to be seen. `owner` narrows."""
        ...

    async def lock_whole(self, chat_id: str, owner: str | None) -> LockedChat | None:
        """Lock the chat to be erased: nothing can join it. None where it is not to be seen."""
        ...

    async def ask(self, chat_id: str, kind: EntryKind, payload: str) -> Waiting:
        """Join the line, with a job."""
        ...

    async def save(self, change: Change) -> None:
        """As react does."""
        ...

    async def erase(self, chat_id: str) -> Erased:
        """The chat and all that is its own; its job first, so that its turn is over."""
        ...

    async def publish(self, job: Job) -> None: ...


class ChatActionStore(Protocol):
    """Where chats are kept."""

    def transaction(self) -> AbstractAsyncContextManager[ChatTransaction]:
        """Raises Unavailable where the database is away."""
        ...


class ChatActions:
    """The use case. Every method raises NotFound."""

    def __init__(
        self, chats: Chats, store: ChatActionStore, markdown: Markdown, clock: Clock
    ) -> None:
        self._chats = chats
        self._store = store
        self._markdown = markdown
        self._clock = clock

    async def write(self, actor: Actor, chat_id: str, text: str) -> Waiting:
        """Say it in the bot's name. Raises Invalid; Conflict where the bot is disabled."""
        await self._chats.get(actor, chat_id)
        parts = self._markdown.render(text)
        if not parts:
            raise Invalid([FieldError("text", "must not be blank")])
        return await self._ask(actor, chat_id, "OPERATOR_MESSAGE", _json(parts))

    async def refresh(self, actor: Actor, chat_id: str) -> Waiting:
        """Forget the thread, as /refresh does, but without a word to the user."""
        await self._chats.get(actor, chat_id)
        return await self._ask(actor, chat_id, "REFRESH", "")

    async def pause(self, actor: Actor, chat_id: str) -> ChatView:
        """The model is asked nothing more in this chat. Raises Conflict."""
        return await self._pause(actor, chat_id, ChatPaused())

    async def resume(self, actor: Actor, chat_id: str) -> ChatView:
        """The model answers again. Raises Conflict."""
        return await self._pause(actor, chat_id, ChatUnpaused())

    async def delete(self, actor: Actor, chat_id: str) -> Erased:
        """Erase the chat; a message that comes later begins it anew."""
        async with self._store.transaction() as transaction:
            known = is_chat_id(chat_id)
            chat = await transaction.lock_whole(chat_id, owner_filter(actor)) if known else None
            if chat is None:
                raise NotFound("chat")
            erased = await transaction.erase(chat_id)
            if chat.thread_id is not None:
                await transaction.publish(effect_job(ResetThread(chat.bot_id, chat.thread_id)))
        changed(f"chat:{chat_id}", erased, None)
        return erased

    async def _ask(self, actor: Actor, chat_id: str, kind: EntryKind, payload: str) -> Waiting:
        async with self._store.transaction() as transaction:
            loaded = await self._load(transaction, actor, chat_id)
            if kind == "OPERATOR_MESSAGE" and not loaded.profile.enabled:
                raise Conflict("The bot is disabled: the message would wait. Enable the bot first.")
            waiting = await transaction.ask(chat_id, kind, payload)
        changed(f"chat:{chat_id}", None, waiting)
        return waiting

    async def _pause(
        self, actor: Actor, chat_id: str, event: ChatPaused | ChatUnpaused
    ) -> ChatView:
        async with self._store.transaction() as transaction:
            loaded = await self._load(transaction, actor, chat_id)
            if loaded.unreadable is not None:
                raise Conflict("The chat's last message is being given up. Try again in a moment.")
            at = self._clock.now()  # under the lock: no step of the chat is of a later time
            change = pause(Pause(chat_id, nobodys_pick(at), event), loaded, at)
            if change is not None:
                await transaction.save(change)
        if change is not None:
            was, now = loaded.conversation.paused, change.conversation.paused
            changed(f"chat:{chat_id}", {"paused": was}, {"paused": now})
        return await self._chats.get(actor, chat_id)

    async def _load(self, transaction: ChatTransaction, actor: Actor, chat_id: str) -> Loaded:
        loaded: Loaded | None = None
        if is_chat_id(chat_id):
            pick = nobodys_pick(self._clock.now())
            loaded = await transaction.load(chat_id, owner_filter(actor), pick)
        if loaded is None:
            raise NotFound("chat")
        return loaded


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
