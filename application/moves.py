"""What one item of a batch does to its chat: which events it is, and what is to be saved for them.

Pure, but for the shapes of the store: react.py hands it a chat as it was loaded under its lock, and
saves the Change that comes back. The rules of a chat's turn (owner, pick, token, line) stand here.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TypeAlias, assert_never

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from application.conversations import Change, Entry, JournalRow, Loaded, Unreadable
from application.jobs import PERFORM_EFFECT, Job, Pick
from domain.beginnings import needed
from domain.conversation import handle
from domain.effects import (
    HANDLE_UPDATE,
    DetachedEffect,
    Effect,
    GenerateReply,
    Part,
    PublishJob,
    ResumeReply,
    SendChatAction,
    SendMessage,
    TurnEffect,
    TurnToken,
)
from domain.endings import ALONE_AFTER_DEATHS, DISABLED_AFTER
from domain.events import (
    BotProfile,
    ChatEvent,
    ChatPaused,
    ChatUnpaused,
    JobDeleted,
    MessageFailed,
    MessageSent,
    OperatorWrote,
    RefreshAsked,
    ReplyGenerated,
    RetryAsked,
    TurnBroke,
    TurnEvent,
    TurnResumed,
    UpdateReceived,
)
from domain.step import Envelope, digest
from domain.telegram import decode_update
from domain.turn import Conversation, Status, Turn


class Bug(Struct, frozen=True):
    """An exception that is nobody's wish: its one line, and its traceback.

    `entry` is the kind and id of the line's entry that it was the beginning of, where it was.
    """

    error: str
    traceback: str
    entry: tuple[str, int] | None = None


class BeginningBroke(Exception):  # noqa: N818 - what happened
    """A bug, its cause, in the beginning of this entry of the line."""

    def __init__(self, kind: str, entry_id: int) -> None:
        super().__init__(f"{kind} {entry_id} cannot begin")
        self.entry = (kind, entry_id)


class Take(Struct, frozen=True):
    """A job was picked. `alone`: nothing else runs in this worker; `broken`: beginning failed.

    `again`: this worker held it before, and lost it to a pause of PostgreSQL or of its own.
    """

    chat: str
    pick: Pick
    alone: bool = False
    again: bool = False
    broken: Bug | None = None


class Outcome(Struct, frozen=True):
    """An effect of the turn has an outcome."""

    chat: str
    pick: Pick
    event: TurnEvent


class Proceed(Struct, frozen=True):
    """The turn ended by itself: take the next in line."""

    chat: str
    pick: Pick
    epoch: int


Item: TypeAlias = Take | Outcome | Proceed


class Running(Struct, frozen=True):
    """The turn goes on: perform these. `update_id`: of the update that it answers, if any."""

    token: TurnToken
    effects: tuple[TurnEffect, ...]
    update_id: int | None = None


class Ended(Struct, frozen=True):
    """The message is over and the chat is still ours under this epoch: proceed."""

    epoch: int


class NeedsAlone(Struct, frozen=True):
    """The message's worker was killed twice under it: take it again when nothing else runs."""


class Done(Struct, frozen=True):
    """There is nothing more to do for this job."""


Result: TypeAlias = Running | Ended | NeedsAlone | Done


def move(item: Item, loaded: Loaded | None, at: datetime) -> tuple[Result, Change | None]:
    """The item's result, and what it changes; None where it changes nothing."""
    if loaded is None:
        gone = Conversation(item.chat, 0)
        return Done(), Change(item.chat, item.pick, gone, [], acknowledge=True)
    moves = _Moves(item, loaded, at)
    match item:
        case Take():
            return moves.take(item)
        case Outcome():
            return moves.outcome(item.event)
        case Proceed():
            return moves.proceed(item.epoch)
        case unreachable:
            assert_never(unreachable)


class Delete(Struct, frozen=True):
    """A person deletes the job that owns the chat; nobody need hold it, so no pick counts."""

    chat: str
    pick: Pick


def deletion(item: Delete, loaded: Loaded, at: datetime) -> Change:
    """What becomes of the chat of an owner that is deleted (DESIGN §2, "Deleting a job")."""
    return _Moves(item, loaded, at).delete()


class Pause(Struct, frozen=True):
    """A person answers in the chat from now on, or no more; no job and no pick has a part in it."""

    chat: str
    pick: Pick
    event: ChatPaused | ChatUnpaused


def pause(item: Pause, loaded: Loaded, at: datetime) -> Change | None:
    """What becomes of the chat, its turn in flight going on; None where it is so already."""
    return _Moves(item, loaded, at).pause(item.event)


class _Moves:
    """One item's steps: they gather what is to be saved into one Change."""

    def __init__(self, item: Item | Delete | Pause, loaded: Loaded, at: datetime) -> None:
        self._pick = item.pick
        self._loaded = loaded
        self._at = at
        self._conversation = loaded.conversation
        self._change = Change(item.chat, item.pick, loaded.conversation, [], journal=[], jobs=[])
        self._effects: tuple[TurnEffect, ...] = ()

    def take(self, item: Take) -> tuple[Result, Change | None]:
        loaded, turn = self._loaded, self._conversation.turn
        if not loaded.pick_held:
            return Done(), None
        ours = loaded.owner_job_id == self._pick.job_id
        if loaded.owner_lives and not ours:
            self._change.acknowledge = True
            return Done(), self._change
        left = ours and turn is not None and turn.status is Status.PROCESSING
        died = left and not item.again
        if died and turn is not None and turn.deaths + 1 >= ALONE_AFTER_DEATHS and not item.alone:
            return NeedsAlone(), None
        epoch = self._conversation.epoch + 1
        self._change.owner = "take"
        if loaded.unreadable is not None:
            token = TurnToken(loaded.unreadable.id, epoch)
            unread = TurnBroke(token, loaded.unreadable.reason, bot=loaded.profile)
            self._step(_outcome_id(unread), unread)
            return self._next()
        if turn is None:
            return self._serve(epoch, item.broken)
        token = TurnToken(turn.token.id, epoch)
        event: TurnEvent = TurnResumed(token, died)
        if item.broken is not None:
            self._step(f"turn:{token.id}.{epoch}:turn.resumed", event)
            event = TurnBroke(token, item.broken.error, traceback=item.broken.traceback)
        self._step(_outcome_id(event), event)
        return self._next()

    def outcome(self, event: TurnEvent) -> tuple[Result, Change | None]:
        turn = self._conversation.turn
        if turn is None or turn.token != event.turn:
            return Done(), None
        self._step(_outcome_id(event), event)
        return self._next()

    def proceed(self, epoch: int) -> tuple[Result, Change | None]:
        if self._conversation.epoch != epoch or self._conversation.turn is not None:
            return Done(), None
        return self._serve(epoch)

    def delete(self) -> Change:
        if self._loaded.unreadable is not None:
            token = TurnToken(self._loaded.unreadable.id, self._conversation.epoch)
            unread = TurnBroke(token, self._loaded.unreadable.reason, bot=self._loaded.profile)
            self._step(_outcome_id(unread), unread)
        turn = self._conversation.turn
        if turn is not None and not turn.over:
            deleted = JobDeleted(turn.token)
            self._step(_outcome_id(deleted), deleted)
        epoch = self._conversation.epoch + 1
        self._conversation = replace(self._conversation, turn=None, epoch=epoch)
        self._change.owner = "release"
        if self._head() is not None:
            self._change.jobs.append(Job(HANDLE_UPDATE, self._conversation.id.encode()))
        return self._done()

    def pause(self, event: ChatPaused | ChatUnpaused) -> Change | None:
        chat, tag = self._conversation.id, event.__struct_config__.tag
        self._step(f"chat:{chat}:{tag}:{self._at.timestamp():.6f}", event)
        return self._done() if self._change.journal else None

    def _next(self) -> tuple[Result, Change | None]:
        turn = self._conversation.turn
        if turn is None or turn.over:
            ended = self._conversation
            self._conversation = replace(ended, turn=None)
            try:
                return self._serve(ended.epoch)
            except Exception:  # noqa: BLE001 - the next message's bug is not this one's: it begins alone
                self._conversation = replace(ended, turn=None)
                self._change.taken = None
                return Ended(ended.epoch), self._done()
        if self._change.retry is not None:
            self._change.owner = "retry"
            return self._close()
        return Running(turn.token, self._effects, turn.update_id), self._done()

    def _serve(self, epoch: int, broken: Bug | None = None) -> tuple[Result, Change | None]:
        """Take the next in line, or let the chat go."""
        entry = self._head()
        if entry is None:
            self._conversation = replace(self._conversation, epoch=epoch)
            self._change.owner = "release"
            return self._close()
        match entry.turn:
            case Turn() as kept:
                token = TurnToken(kept.token.id, epoch)
                self._conversation = replace(self._conversation, turn=kept)
            case Unreadable(id=kept_id):
                token = TurnToken(kept_id, epoch)
            case None:
                token = TurnToken(self._loaded.new_id, epoch)
            case unreachable:
                assert_never(unreachable)
        self._change.taken = entry
        if broken is not None and broken.entry not in (None, (entry.kind, entry.id)):
            broken = None  # another entry heads the line by now
        identity = f"{entry.kind.lower()}:{self._conversation.id}:{entry.id}"
        try:
            self._step(identity, _beginning(entry, token, self._loaded.profile, broken))
        except Exception as bug:
            raise BeginningBroke(entry.kind, entry.id) from bug
        turn = self._conversation.turn
        self._change.begun = turn if turn is not None and turn.token == token else None
        if turn is not None and self._conversation.busy:
            return Running(token, self._effects, turn.update_id), self._done()
        self._conversation = replace(self._conversation, epoch=epoch)
        return Ended(epoch), self._done()

    def _head(self) -> Entry | None:
        """The head of the line, merged by time; None where nothing in it may be served.

        A disabled bot begins no turn, but for what has waited a day: that ends TERMINAL.
        """
        heads = [each for each in (self._loaded.update, self._loaded.request) if each is not None]
        head = min(heads, key=lambda each: each.received_at, default=None)
        if head is None or self._loaded.profile.enabled:
            return head
        return head if self._at - head.received_at >= DISABLED_AFTER else None

    def _step(self, identity: str, event: ChatEvent) -> None:
        before = self._conversation
        step = handle(before, Envelope(identity, self._at, event))
        if step.state == before and not step.effects:
            return
        self._conversation = step.state
        turn = step.state.turn
        if turn is not None:
            self._change.touched = [
                *(other for other in self._change.touched if other.token.id != turn.token.id),
                turn,
            ]
            if isinstance(event, ReplyGenerated):
                self._change.replied = turn
        self._change.journal.append(
            JournalRow(
                key=step.state.id,
                at=self._at,
                id=identity,
                turn_id=turn.token.id if turn is not None else None,
                from_state=None if before.busy else _json(before),
                event=_json(event),
                effects=_json(step.effects),
                state=digest(step.state),
            )
        )
        self._effects = tuple(self._sort(step.effects))

    def _sort(self, effects: tuple[Effect, ...]) -> Iterator[TurnEffect]:
        """The turn's own effects; the others become jobs of this transaction."""
        for effect in effects:
            match effect:
                case GenerateReply() | ResumeReply() | SendMessage() | SendChatAction():
                    yield effect
                case PublishJob(job=name, key=key, delay=delay):
                    self._change.retry = Job(name, key.encode(), delay)
                case _:
                    self._change.jobs.append(effect_job(effect))

    def _close(self) -> tuple[Result, Change]:
        self._change.acknowledge = True
        return Done(), self._done()

    def _done(self) -> Change:
        self._change.conversation = self._conversation
        return self._change


def _beginning(
    entry: Entry, token: TurnToken, profile: BotProfile, broken: Bug | None
) -> ChatEvent:
    if isinstance(entry.turn, Unreadable):
        return TurnBroke(token, entry.turn.reason, bot=profile)
    if broken is not None:
        update_id = entry.id if entry.kind == "UPDATE" else None
        return TurnBroke(
            token, broken.error, update_id=update_id, bot=profile, traceback=broken.traceback
        )
    match entry.kind:
        case "UPDATE":
            update = decode_update(entry.payload)
            return UpdateReceived(token, update, needed(profile, update))
        case "OPERATOR_MESSAGE":
            parts = msgspec.json.decode(entry.payload, type=tuple[Part, ...])
            return OperatorWrote(token, "\n".join(part.text for part in parts), parts, profile)
        case "REFRESH":
            return RefreshAsked(token, profile)
        case "RETRY":
            return RetryAsked(token, profile)
        case unreachable:
            assert_never(unreachable)


def effect_job(effect: DetachedEffect) -> Job:
    """A detached effect as the job that performs it."""
    delay = getattr(effect, "delay", 0.0)
    return Job(PERFORM_EFFECT, msgspec.json.encode(effect), delay)


def _outcome_id(event: TurnEvent) -> str:
    """The same outcome of the same turn always has the same id."""
    tag = event.__struct_config__.tag
    part = f":{event.part}" if isinstance(event, MessageSent | MessageFailed) else ""
    return f"turn:{event.turn.id}.{event.turn.epoch}:{tag}{part}"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
