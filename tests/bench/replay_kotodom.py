"""Our side of the replay: the updates through the pure handlers, every effect answered.

Run by tests/bench/measure_replay.py in a process of its own, as aiogram's is. What it does for each
update: application.rehearsals.rehearse, which is decode_update and Rehearsal.play to the message's
final state: received, generated, sent, every event in its envelope, every step kept until its
effects are answered. And application.recordings.replay over a recording of the same updates: each
line decoded, its event folded, its effects and the digest of its state compared.
"""

import itertools
import sys
from collections import deque
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from application.recordings import replay
from application.rehearsals import rehearse
from domain.effects import Effect, SendChatAction, SendMessage
from domain.events import Event
from domain.recording import Recorded, encode
from domain.rehearsal import BOT, Rehearsal
from domain.replay import Replay
from domain.step import Envelope, digest
from domain.telegram import answerable, chat_key, decode_update
from domain.turn import Conversation
from tests.bench.passes import serve, timed, updates_of

E = TypeVar("E", bound=Event)


class Side:
    """The updates; every pass begins with chats that nobody knows."""

    def __init__(self, updates: list[bytes]) -> None:
        self._values = [(f"line {number}", update) for number, update in enumerate(updates, 1)]
        self._recording = _recorded(updates)

    def said(self) -> list[Any]:
        """All that is said, update by update."""
        answers = []
        for answer in rehearse(self._values, Rehearsal()):
            if answer.bug is not None or answer.unreadable is not None:
                raise ValueError(answer)
            answers.append([told for effect in answer.effects if (told := _told(effect))])
        return answers

    def decoded(self) -> float:
        """JSON to its end."""
        rehearsal = Rehearsal()
        return timed(lambda: deque(rehearse(self._values, rehearsal), maxlen=0))

    def handled(self) -> float:
        """Updates that are decoded already."""
        rehearsal = Rehearsal()
        updates = [decode_update(update) for _, update in self._values]

        def run() -> None:
            for update in updates:
                rehearsal.play(update)

        return timed(run)

    def recording(self) -> tuple[int, float]:
        """Steps, and the seconds of their replay."""
        replayed = Replay()
        seconds = timed(lambda: deque(replay(self._recording, replayed), maxlen=0))
        if replayed.differing:
            raise ValueError(f"{replayed.differing} steps of the recording differ")
        return replayed.steps, seconds


class _Recorder(Rehearsal):
    """A rehearsal whose envelopes are kept, to be written down."""

    def __init__(self) -> None:
        super().__init__()
        self.envelopes: list[Envelope[Any]] = []

    def _envelope(self, event: E) -> Envelope[E]:
        envelope = super()._envelope(event)
        self.envelopes.append(envelope)
        return envelope


def _recorded(updates: list[bytes]) -> list[bytes]:
    """The lines of a recording of these updates, each turn's first with the state before it."""
    rehearsal, numbers, lines = _Recorder(), itertools.count(1), []
    for update in map(decode_update, updates):
        message = update.message
        if message is None or answerable(update) is None:  # the journal has no such steps
            continue
        key = chat_key(BOT.id, message)
        topic_id = message.message_thread_id if message.is_topic_message else None
        before = rehearsal.chat(key) or Conversation(key, message.chat.id, topic_id)
        rehearsal.envelopes.clear()
        steps = rehearsal.play(update).steps
        for place, (envelope, step) in enumerate(zip(rehearsal.envelopes, steps, strict=True)):
            recorded = Recorded(
                key=key,
                seq=next(numbers),
                at=envelope.at,
                id=envelope.id,
                origin=None if place else before,
                event=envelope.event,
                effects=msgspec.Raw(msgspec.json.encode(step.effects)),
                state=digest(step.state),
            )
            lines.append(encode(recorded) + b"\n")
    return lines


def _told(effect: Effect) -> list[Any] | None:
    """What Telegram is told, as aiogram's side tells it."""
    match effect:
        case SendMessage(chat_id=chat_id, topic_id=topic_id, reply_to=reply_to, text=text):
            return [chat_id, topic_id, reply_to, text]
        case SendChatAction(chat_id=chat_id, topic_id=topic_id, action=action):
            return [chat_id, topic_id, action]
        case _:
            return None


if __name__ == "__main__":
    side = Side(updates_of(Path(sys.argv[1])))
    serve(
        {
            "said": side.said,
            "decoded": side.decoded,
            "handled": side.handled,
            "recording": side.recording,
        }
    )
