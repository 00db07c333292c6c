"""What came of a Response: the model's answer, or the failure that its status means.

Triggered by adapters/openai_responses.py with the bytes of a Response (the body of GET
/responses/{id}, or the `response` of a stream's last event); Generated comes out, or Failed.
Facts: OpenAI API reference, "The Response object"; only the fields we need are decoded.
"""

from typing import Any

import msgspec
from msgspec import Struct

from adapters.openai_failures import complaint_in, cut, failure, malformed
from application.model import Generated, ModelAccess
from application.ports import Failed
from domain.failures import Failure, Retryable, Terminal

MAX_REFUSAL = 200


class Content(Struct):
    """A piece of a message: `output_text` or `refusal`."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None


class Item(Struct):
    """An item of the output; only of type `message` do we read the content."""

    type: str = ""
    content: list[Content] | str | None = None
    phase: str | None = None


class IncompleteDetails(Struct):
    """Why a Response is incomplete: max_output_tokens, content_filter, …"""

    reason: str | None = None


class Usage(Struct):
    """Tokens that are paid for."""

    input_tokens: int | None = None
    output_tokens: int | None = None


class Response(Struct):
    """OpenAI's Response. `background` is None where the server does not tell it."""

    id: str | None = None
    status: str | None = None
    model: str | None = None
    output: list[Item] | None = None
    error: Any = None
    incomplete_details: IncompleteDetails | None = None
    usage: Usage | None = None
    background: bool | None = None

    def content(self) -> list[Content]:
        """The final answer's content; a message of another phase is the model's commentary."""
        messages = [item for item in self.output or () if item.type == "message"]
        final = [item for item in messages if item.phase != "commentary"] or messages
        return [
            content for item in final if isinstance(item.content, list) for content in item.content
        ]


_RESPONSE = msgspec.json.Decoder(Response)


def decode_response(body: bytes) -> Response:
    """Raises Failed(Retryable) where the body is HTML, truncated or another thing altogether."""
    try:
        response = _RESPONSE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Failed(malformed(body)) from error
    if response.id is None and not response.output and response.error is None:
        raise Failed(malformed(body))
    return response


def outcome(
    response: Response, access: ModelAccess, thread_id: str | None, latency: float
) -> Generated:
    """The answer of a run that is over. Raises Failed where its status or content is a failure."""
    match response.status:
        case "cancelled":
            raise Failed(Retryable("OpenAI: the run was cancelled", run_ended=True))
        case "completed" | "incomplete":
            return _generated(response, access, thread_id, latency)
        case None if response.error is None:
            # A compatible server that tells no status, and whose answer is all there is.
            return _generated(response, access, thread_id, latency)
        case _:
            raise Failed(_failed(response))


def _generated(
    response: Response, access: ModelAccess, thread_id: str | None, latency: float
) -> Generated:
    contents = response.content()
    text = visible("".join(content.text or "" for content in contents))
    refusal = " ".join(content.refusal for content in contents if content.refusal)
    incomplete = response.status == "incomplete"
    why = response.incomplete_details.reason if response.incomplete_details else None
    if incomplete and why == "content_filter":
        raise Failed(Terminal("OpenAI: the content filter stopped the answer"))
    if not text and refusal:
        raise Failed(refusal_of(refusal))
    if not text and incomplete:
        raise Failed(Terminal(f"OpenAI: {why or 'incomplete'} before any text"))
    if not text:
        raise Failed(Terminal("the model answered with an empty text"))
    usage = response.usage or Usage()
    return Generated(
        text=text,
        model=response.model or access.model,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        thread_id=thread_id,
        run_id=response.id,
        incomplete=incomplete,
        latency=latency,
    )


def _failed(response: Response) -> Failure:
    if response.error is None:
        return Retryable(f"OpenAI: the run ended as {response.status}", run_ended=True)
    return failure(complaint_in({"error": response.error}), run_ended=True)


def refusal_of(text: str) -> Terminal:
    """The model said no: the beginning of what it said is the reason."""
    return Terminal(f"the model refused: {cut(' '.join(text.split()), MAX_REFUSAL)}")


def visible(text: str) -> str:
    """The text, "" where it is blank; without the null characters that PostgreSQL cannot keep."""
    text = text.replace("\0", "")
    return text if text.strip() else ""
