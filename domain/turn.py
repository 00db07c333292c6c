"""The state of a chat, and of its turn: one message on its way from RECEIVED to its final state.

A Turn is all that is needed to go on after a crash: what was asked, the run that was started, the
reply that was generated, the parts that were sent. It is kept as JSON beside its row.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from domain.effects import Part, TurnToken
from domain.events import BotProfile, Reply
from domain.telegram import Message
from domain.texts import Language

Asking = Literal["model", "nothing"]


class Status(StrEnum):
    """RECEIVED -> PROCESSING -> COMPLETED | FAILED -> PROCESSING … | TERMINAL."""

    RECEIVED = "RECEIVED"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TERMINAL = "TERMINAL"


FINAL = (Status.COMPLETED, Status.TERMINAL)


class Turn(Struct, frozen=True, gc=False, omit_defaults=True):
    """One message's processing.

    `in_context`: the model hears of the message, now or later. `operator`: a person wrote it in the
    bot's name.
    `notice` is what the system says (a command's answer, an operator's words, the error message);
    it goes out instead of `reply`. `verdict` is the reason why the message will end TERMINAL once
    the error message is out. `sent` and `noticed` hold Telegram's ids of the parts of the reply and
    of the notice that went out, in order. `plain`, `rebuilt`, `restarted` and `trimmed` are the
    repairs that were made: each is made once.
    """

    token: TurnToken
    bot: BotProfile
    text: str
    began_at: datetime
    language: Language = "en"
    update_id: int | None = None
    incoming: Message | None = None
    asking: Asking = "nothing"
    in_context: bool = False
    operator: bool = False
    status: Status = Status.PROCESSING
    attempts: int = 0
    last_error: str | None = None
    last_error_at: datetime | None = None
    run_id: str | None = None
    reply: Reply | None = None
    notice: tuple[Part, ...] = ()
    verdict: str | None = None
    sent: tuple[int, ...] = ()
    noticed: tuple[int, ...] = ()
    plain: bool = False
    rebuilt: bool = False
    restarted: bool = False
    trimmed: bool = False
    breaks: int = 0
    deaths: int = 0
    generated_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def over(self) -> bool:
        """Whether the message is in a final state."""
        return self.status in FINAL

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is to be sent: the system's words where it has some, else the model's."""
        if self.notice:
            return self.notice
        return self.reply.parts if self.reply else ()

    @property
    def next_part(self) -> int:
        """The number of the part to be sent next; the count of parts where all are sent."""
        return len(self.noticed if self.notice else self.sent)

    def failing(self, reason: str, at: datetime) -> "Turn":
        """The same turn, with its last error."""
        return replace(self, last_error=reason, last_error_at=at)


class Conversation(Struct, frozen=True, gc=False, omit_defaults=True, tag="chat"):
    """One chat with one bot.

    `thread_id` is the model server's conversation, holding our messages up to `thread_upto`;
    messages up to `context_from` are forgotten. `told` are the kinds of content of which the user
    has heard that we cannot answer them. `turn` is the one in progress, or the last one that ended.
    """

    id: str
    chat_id: int
    topic_id: int | None = None
    thread_id: str | None = None
    thread_upto: int = 0
    context_from: int = 0
    paused: bool = False
    told: tuple[str, ...] = ()
    epoch: int = 0
    turn: Turn | None = None

    @property
    def blank(self) -> bool:
        """Whether it is as if nobody had written yet, but for its epoch and its last turn."""
        known = self.thread_id or self.thread_upto or self.context_from or self.told
        return not (known or self.paused)

    @property
    def busy(self) -> bool:
        """Whether a turn of the chat is unfinished."""
        return self.turn is not None and not self.turn.over
