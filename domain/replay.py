"""The replay of a recording: fold its events, compare every effect and every state.

Triggered with each line of a recording, in order; what comes out is how it differs from what the
handlers do with the same event today. Nothing is asked of a network, a database or a clock; of a
chat between two turns only its numbers are held in memory.

What nobody can see:

- A turn that is missing whole, or from its middle on where it is its chat's last, for a recording
  may begin and end anywhere; a step that the next one undoes; bots' own steps that change places
  with their seqs, for each brings its state along, and turns of one step before and after their
  chat's deletion.
- A field from which nothing follows: ids of steps; `at`, but where a turn begins, is answered,
  fails or ends; `jitter` where a wait was told or nothing is tried again; tracebacks; the bot's
  texts and names in an event that says nothing; fields that this version does not know.
- How something failed that only ends what has failed already: the error message, or a bug while it
  is out. And all of a reply without parts but its thread.
- Of a state that a step began from: what the step itself sets, as the end of a bot's error does.
"""

from datetime import datetime
from typing import Any, assert_never, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain import bot as bot_life
from domain import conversation as chat_turn
from domain.bot import Bot
from domain.events import BotEvent, BotProfile, ChatEvent, Event, TurnBroke
from domain.recording import NotARecording, Recorded, State
from domain.step import Envelope, Step, digest
from domain.turn import Conversation, Turn

_BOT_EVENTS = frozenset(get_args(BotEvent))
_EXCERPT = 60
_JSON = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()


DEEPEST = 32
"""Levels of lists and objects in the effects of a step; ours have five."""


class Difference(Struct, frozen=True, omit_defaults=True):
    """One step that is not what was recorded.

    `line` counts from 1; `message` is the id of the message whose turn it was, `text` what its user
    wrote, `number` the step's place in the turn, from 1. What differs is in those of the rest that
    are given: `trouble` in a sentence, else pairs of what was recorded and what came out.
    """

    line: int
    seq: int
    key: str
    id: str
    event: str
    number: int
    message: int | None = None
    text: str | None = None
    trouble: str | None = None
    effects: tuple[Any, Any] | None = None
    state: tuple[str, str] | None = None


class _Known(Struct):
    """A chat in the middle of a replay; `state` is None between two turns.

    `at` and `id` are those of its last step, `number` is the count of its turn's steps.
    """

    state: State | None
    epoch: int = 0
    at: datetime | None = None
    id: str | None = None
    number: int = 0


class Replay:
    """Folds the lines of one recording, and compares. Its counts go on while it runs."""

    def __init__(self) -> None:
        self.steps = 0
        self.effects = 0
        self.differing = 0
        self._seq: int | None = None
        self._known: dict[str, _Known] = {}

    def step(self, line: int, recorded: Recorded) -> Difference | None:
        """How the step differs, None where it does not. Raises NotARecording."""
        self.steps += 1
        known, trouble = self._place(recorded)
        if self._seq is not None and recorded.seq <= self._seq:
            trouble = f"the steps are out of order: seq {recorded.seq} follows {self._seq}"
        self._seq = recorded.seq
        difference: Difference | None
        if known.state is None:
            missing = "the turn's first step is missing, and with it the state it began from"
            difference = self._difference(line, recorded, known, trouble=trouble or missing)
        else:
            difference = self._fold(line, recorded, known, known.state, trouble)
        if difference is not None:
            self.differing += 1
        return difference

    def _place(self, recorded: Recorded) -> tuple[_Known, str | None]:
        """The step's chat, as it is before the step."""
        origin, known = recorded.origin, self._known.get(recorded.key)
        trouble = None
        if origin is not None:
            epoch = origin.epoch if isinstance(origin, Conversation) else 0
            own = key_of(origin)
            if recorded.key != own:
                trouble = f"the key is not that of the state it began from: {own}"
            elif known is not None:
                trouble = _disorder(known, recorded, epoch)
            known = _Known(origin, epoch)
        elif known is None:
            known = _Known(None)
        known.at, known.id = recorded.at, recorded.id
        known.number += 1
        self._known[recorded.key] = known
        return known, trouble

    def _fold(
        self, line: int, recorded: Recorded, known: _Known, before: State, trouble: str | None
    ) -> Difference | None:
        try:
            step = play(before, Envelope(recorded.id, recorded.at, recorded.event))
        except NotARecording:
            raise
        except Exception as bug:  # noqa: BLE001 - a handler's bug is what a tester wants to see
            trouble = f"the handler raised {type(bug).__name__}: {bug}"
            return self._difference(line, recorded, known, trouble=trouble)
        self.effects += len(step.effects)
        after = step.state
        if not step.effects and after == before:
            # The journal has no such steps: it is doubled, or what it goes on from is missing.
            trouble = trouble or "the step changes nothing"
        known.state = after
        if isinstance(after, Conversation):
            known.epoch = after.epoch
        effects = _compared(recorded.effects, step)
        found = digest(after)
        state = None if found == recorded.state else (recorded.state, found)
        difference = None
        if trouble is not None or effects is not None or state is not None:
            difference = self._difference(
                line, recorded, known, trouble=trouble, effects=effects, state=state
            )
        if not (isinstance(after, Conversation) and after.busy):
            known.state = None
        return difference

    def _difference(
        self,
        line: int,
        recorded: Recorded,
        known: _Known,
        **what: Any,  # noqa: ANN401 - fields of Difference
    ) -> Difference:
        turn = known.state.turn if isinstance(known.state, Conversation) else None
        return Difference(
            line=line,
            seq=recorded.seq,
            key=recorded.key,
            id=recorded.id,
            event=str(recorded.event.__struct_config__.tag),
            number=known.number,
            message=turn.token.id if turn is not None else None,
            text=turn.text[:_EXCERPT] if turn is not None else None,
            **what,
        )


def key_of(state: State) -> str:
    """The key of the steps that begin from this state."""
    return f"bot:{state.id}" if isinstance(state, Bot) else state.id


def play(state: State, envelope: Envelope[Event]) -> Step[Any]:
    """One step of a chat or of a bot. Raises NotARecording where the event is the other's."""
    match state:
        case Conversation():
            if type(envelope.event) not in _BOT_EVENTS:
                chat_event: Envelope[ChatEvent] = envelope  # type: ignore[assignment]
                return chat_turn.handle(state, chat_event)
        case Bot():
            if type(envelope.event) in _BOT_EVENTS:
                bot_event: Envelope[BotEvent] = envelope  # type: ignore[assignment]
                return bot_life.handle(state, bot_event)
        case unreachable:
            assert_never(unreachable)
    kind = "chat" if isinstance(state, Conversation) else "bot"
    raise NotARecording(f"{envelope.event.__struct_config__.tag} is no event of a {kind}")


def _disorder(known: _Known, recorded: Recorded, epoch: int) -> str | None:
    """What is wrong with a step that brings along the state it began from, at this epoch."""
    late = known.at is not None and recorded.at < known.at
    if recorded.id == known.id:
        return "the step is there twice"
    if epoch < known.epoch and not late:
        return None  # the chat was deleted and came back: it counts from 0 again
    before = known.state
    busy = isinstance(before, Conversation) and before.busy and not _unread(before, recorded)
    if epoch >= known.epoch and busy:
        return "the turn before this one has not ended: steps of it are missing"
    if late and isinstance(recorded.origin, Conversation) and epoch <= known.epoch:
        return "the turns are out of order: this one was begun before the last one"
    return None


def _unread(busy: Conversation, recorded: Recorded) -> bool:
    """Whether the step ends the turn that its chat is in, for what is stored of it is unreadable.

    It begins from the chat alone (application/moves.py), which is as the turn left it.
    """
    match recorded.event, busy.turn:
        case TurnBroke(turn=token, bot=BotProfile()), Turn(token=former):
            ours = token.id == former.id and token.epoch > former.epoch
            return ours and recorded.origin == replace(busy, turn=None)
        case _:
            return False


def _compared(recorded: msgspec.Raw, step: Step[Any]) -> tuple[Any, Any] | None:
    """What was recorded and what came out, where they differ; how JSON is spaced is no matter.

    Raises NotARecording.
    """
    found = _ENCODER.encode(step.effects)
    if memoryview(recorded) == found:
        return None
    try:
        effects = _JSON.decode(recorded)
    except msgspec.DecodeError as error:
        raise NotARecording(f"not JSON: {error} - in `$.effects`") from None
    except RecursionError:
        raise NotARecording("nested too deeply") from None
    if too_deep(effects):
        raise NotARecording("nested too deeply")
    pair = (effects, _JSON.decode(found))
    return None if same(*pair) else pair


def too_deep(value: Any, levels: int = DEEPEST) -> bool:  # noqa: ANN401 - any JSON
    """Whether lists and objects stand in each other on more levels than any step's effects do."""
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return not levels or any(too_deep(item, levels - 1) for item in inside)


def same(one: Any, other: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether two JSON values are the same; 1 is 1.0, but it is not true."""
    match one, other:
        case (bool(), _) | (_, bool()):
            return one is other
        case dict(), dict():
            return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
        case list(), list():
            return len(one) == len(other) and all(map(same, one, other))
        case _:
            return bool(one == other)
