"""A path of the search, for people and for `kotodom replay`.

`told` is a line a step. `recording` is the journal that production would have written on the way
(domain/recording.py); epochs have their numbers again.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from application.conversations import Entry, JournalRow, Loaded
from application.moves import Item, Outcome, Proceed
from domain.conversation import handle
from domain.effects import TurnToken
from domain.events import ChatEvent
from domain.recording import Recorded, encode
from domain.step import digest
from domain.turn import Conversation, Turn
from tests.explore.commits import commit
from tests.explore.known import Known, at
from tests.explore.people import deletion
from tests.explore.positions import Put
from tests.explore.saving import Saving
from tests.explore.search import Happened
from tests.explore.tasks import Label
from tests.explore.world import NOW, Violation

COMMITS = ("commits", "commits, and does not hear of it")


def told(number: int, label: Label) -> str:
    """One step in a line: who does what, with which answer."""
    who = "" if label.worker is None else f"worker {'AB'[label.worker]} "
    what = f"dequeues, and {label.what}" if label.dequeued is not None else label.what
    if label.number:
        what += f": {label.number}"
    match label.request:
        case None:
            about = ""
        case Put(item=Outcome(event=event)):
            about = f" the outcome {_tag(event)}"
        case Put(item=item):
            about = f" {type(item).__name__}{' alone' if getattr(item, 'alone', False) else ''}"
        case request:
            about = f" for {_tag(request.effect)} of message {request.effect.turn.id}"
    return f"{number:>3}. {who}{what}{about}{_brought(label)}"


def _brought(label: Label) -> str:
    if label.brought is None:
        return ""
    answer = label.brought.answer
    if isinstance(answer, type):
        return ": a bug"
    failure = getattr(answer, "failure", None)
    return f": {_tag(answer)}" + (f" ({_tag(failure)}: {failure.reason})" if failure else "")


def recording(known: Known, saving: Saving, path: Sequence[Happened]) -> Iterator[bytes]:
    """The journal of the path, a line a row, each with its end."""
    for seq, row in enumerate(_rows(known, saving, path), 1):
        origin = row.from_state
        recorded = Recorded(
            key=row.key,
            seq=seq,
            at=row.at,
            id=row.id,
            origin=None if origin is None else msgspec.json.decode(origin, type=Conversation),
            event=msgspec.json.decode(row.event, type=ChatEvent),
            effects=msgspec.Raw(row.effects.encode()),
            state=row.state,
        )
        yield encode(recorded) + b"\n"


def _rows(known: Known, saving: Saving, path: Sequence[Happened]) -> Iterator[JournalRow]:
    passed = 0
    """How often the chat's epoch went on; the first one is 0."""
    for step in path:
        if step.label.what in COMMITS:
            rows, passed = _committed(saving, step, passed)
            yield from rows
        elif (
            step.label.what == "a person deletes the job" and step.world.jobs[step.label.job].owner
        ):
            chat = _named(known.chats.values[step.world.chat], passed)
            if chat.turn is not None:
                yield _deleted(step, chat)
            passed += 1


def _committed(saving: Saving, step: Happened, passed: int) -> tuple[list[JournalRow], int]:
    heard: list[tuple[Item, Loaded]] = []
    saving.listener = lambda item, loaded: heard.append((item, loaded))
    try:
        saving.put(step.label.dequeued or step.world, step.label.job, step.label.task)
    except Violation:
        pass  # the last step of the path: what it would have written is told as well
    finally:
        saving.listener = None
    ((item, loaded),) = heard
    loaded = replace(
        loaded,
        conversation=_named(loaded.conversation, passed),
        request=_named_entry(loaded.request, passed),
    )
    _, change = commit(_named_item(item, passed), loaded, at(step.world))
    if change is None:
        return [], passed
    return change.journal, change.conversation.epoch


def _deleted(step: Happened, chat: Conversation) -> JournalRow:
    assert chat.turn is not None
    envelope = deletion(chat, at(step.world))
    after = handle(chat, envelope)
    return JournalRow(
        key=chat.id,
        at=envelope.at,
        id=envelope.id,
        turn_id=chat.turn.token.id,
        from_state=None,
        event=msgspec.json.encode(envelope.event).decode(),
        effects=msgspec.json.encode(after.effects).decode(),
        state=digest(after.state),
    )


def _named(chat: Conversation, passed: int) -> Conversation:
    turn = _named_turn(chat.turn, passed) if chat.turn is not None else None
    return replace(chat, epoch=passed, turn=turn)


def _named_turn(turn: Turn, passed: int) -> Turn:
    return replace(turn, token=_named_token(turn.token, passed))


def _named_token(token: TurnToken, passed: int) -> TurnToken:
    return TurnToken(token.id, token.epoch - NOW + passed)


def _named_entry(entry: Entry | None, passed: int) -> Entry | None:
    if entry is None or entry.turn is None:
        return entry
    return replace(entry, turn=_named_turn(entry.turn, passed))


def _named_item(item: Item, passed: int) -> Item:
    match item:
        case Outcome(event=event):
            return replace(item, event=replace(event, turn=_named_token(event.turn, passed)))
        case Proceed(epoch=epoch):
            return replace(item, epoch=epoch - NOW + passed)
        case _:
            return item


def _tag(value: object) -> str:
    return str(value.__struct_config__.tag)  # type: ignore[attr-defined]
