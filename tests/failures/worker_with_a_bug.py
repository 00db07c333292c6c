"""A worker whose code breaks on a user's word: `python worker_with_a_bug.py worker`.

Run as a process by test_poisonous_update.py. "poison begins" breaks the handler before a turn has
begun, "poison answered" in the middle of one, "poison rendered" an adapter.
"""

from adapters.telegram_markdown import TelegramMarkdown
from application import moves
from domain.conversation import handle
from domain.effects import Part
from domain.events import ChatEvent, ReplyGenerated, UpdateReceived
from domain.step import Envelope, Step
from domain.turn import Conversation
from entrypoints.cli import main

render = TelegramMarkdown.render


def buggy_handle(conversation: Conversation, envelope: Envelope[ChatEvent]) -> Step[Conversation]:
    match envelope.event:
        case UpdateReceived(update=update) if _says(update.message, "poison begins"):
            raise ZeroDivisionError("a bug in the handler")
        case ReplyGenerated(reply=reply) if "poison answered" in reply.markdown:
            raise ZeroDivisionError("a bug in the middle")
    return handle(conversation, envelope)


def buggy_render(self: TelegramMarkdown, text: str) -> tuple[Part, ...]:
    if "poison rendered" in text:
        raise ZeroDivisionError("a bug in an adapter")
    return render(self, text)


def _says(message: object, text: str) -> bool:
    return text in (getattr(message, "text", None) or "")


if __name__ == "__main__":
    moves.handle = buggy_handle  # type: ignore[attr-defined]
    TelegramMarkdown.render = buggy_render  # type: ignore[method-assign]
    main()
