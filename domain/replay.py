"""The replay of a recording: fold its events, compare every effect and every state.

Triggered with each line of a recording, in order; what comes out is how it differs from what the
handlers do with the same event today. Nothing is asked of a network, a database or a clock, and
only unfinished turns are held in memory.
"""

from typing import Any, assert_never, get_args

import msgspec
from msgspec import Struct

from domain import bot as bot_life
from domain import conversation as chat_turn
from domain.bot import Bot
from domain.events import BotEvent, ChatEvent, Event
from domain.recording import NotARecording, Recorded, State
from domain.step import Envelope, Step, digest
from domain.turn import Conversation

_BOT_EVENTS = get_args(BotEvent)
_EXCERPT = 60
_JSON = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()


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
    """A chat in the middle of a replay; `state` is None between two turns."""

    state: State | None
    epoch: int
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
            # A chat that was deleted and came back counts from 0.
            if known is not None and epoch:
                if epoch < known.epoch:
                    trouble = "the turns are out of order: this one was begun before the last one"
                elif isinstance(known.state, Conversation) and known.state.busy:
                    trouble = "the turn before this one has not ended: steps of it are missing"
            known = _Known(origin, epoch)
        elif known is None:
            known = _Known(None, 0)
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


def play(state: State, envelope: Envelope[Event]) -> Step[Any]:
    """One step of a chat or of a bot. Raises NotARecording where the event is the other's."""
    match state:
        case Conversation():
            if not isinstance(envelope.event, _BOT_EVENTS):
                chat_event: Envelope[ChatEvent] = envelope  # type: ignore[assignment]
                return chat_turn.handle(state, chat_event)
        case Bot():
            if isinstance(envelope.event, _BOT_EVENTS):
                bot_event: Envelope[BotEvent] = envelope  # type: ignore[assignment]
                return bot_life.handle(state, bot_event)
        case unreachable:
            assert_never(unreachable)
    kind = "chat" if isinstance(state, Conversation) else "bot"
    raise NotARecording(f"{envelope.event.__struct_config__.tag} is no event of a {kind}")


def _compared(recorded: msgspec.Raw, step: Step[Any]) -> tuple[Any, Any] | None:
    """What was recorded and what came out, where they differ; how JSON is spaced is no matter."""
    found = _ENCODER.encode(step.effects)
    if memoryview(recorded) == found:
        return None
    pair = (_JSON.decode(recorded), _JSON.decode(found))
    return None if pair[0] == pair[1] else pair
