"""The model port: what we ask a language model, and what it answers (DESIGN §3).

Two adapters stand behind it, chosen by the bot's `model_api`: adapters/openai_responses.py and
adapters/openai_chat_completions.py.
"""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Literal, Protocol

from msgspec import Struct

OPENAI_URL = "https://api.openai.com/v1"
"""The model server where no other one is named."""


class ModelApi(StrEnum):
    """RESPONSES: OpenAI Responses + Conversations; CHAT_COMPLETIONS: any compatible server."""

    RESPONSES = "RESPONSES"
    CHAT_COMPLETIONS = "CHAT_COMPLETIONS"


class ModelAccess(Struct, frozen=True):
    """Where a bot's model is and how it is asked: the bot's values, else settings', else ours.

    `temperature` and `max_output_tokens` are left out of the request where None.
    """

    api: ModelApi
    model: str
    base_url: str | None
    api_key: str
    instructions: str | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    assistant_id: str | None = None


class Line(Struct, frozen=True):
    """One message of a conversation, as the model is told it."""

    role: Literal["user", "assistant"]
    text: str


class Ask(Struct, frozen=True):
    """`lines` in order, the last one the message to answer; `thread_id`: they are added to it.

    `processing_id` is put into the request's metadata as `processing_id`, so that a run can be
    found from the server's side.
    """

    processing_id: int
    lines: tuple[Line, ...]
    thread_id: str | None = None


class Generated(Struct, frozen=True):
    """The model's answer. `text` is Markdown, never blank; `latency` in seconds."""

    text: str
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    thread_id: str | None = None
    run_id: str | None = None
    incomplete: bool = False
    latency: float = 0.0


Started = Callable[[str | None, str | None], Awaitable[None]]
"""Called once with (run_id, thread_id), before the stream is read on, so that both are saved."""

Check = Callable[[], None]
"""Called before each request; raises application.jobs.LeaseLost where it is ours no longer."""


class LanguageModel(Protocol):
    """A model server. Every method raises application.ports.Failed for a documented error."""

    async def generate(
        self, access: ModelAccess, ask: Ask, started: Started, check: Check
    ) -> Generated:
        """Start a run (making the conversation where `ask.thread_id` is None); follow it."""
        ...

    async def resume(
        self, access: ModelAccess, run_id: str, thread_id: str | None, started: Started
    ) -> Generated:
        """Follow a run that was started already. Raises Failed(RunLost) where it is unknown."""
        ...

    async def forget(self, access: ModelAccess, thread_id: str) -> None:
        """Delete the server's conversation; one that is gone already is a success."""
        ...
