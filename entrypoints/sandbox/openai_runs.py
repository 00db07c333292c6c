"""A run: one generation of the Responses API, with its events as the real stream numbers them.

openai_responses.py starts it and streams its frames; it goes on by itself, so a background run
survives its client and can be followed again from any event. At no pace a run is played at once,
without a task.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from entrypoints.sandbox.demo_model import Turn
from entrypoints.sandbox.feed import Pulse
from entrypoints.sandbox.json_text import encode_json
from entrypoints.sandbox.openai_shapes import (
    count_tokens,
    frame,
    known_error,
    new_id,
    response_object,
    responses_usage,
)
from entrypoints.sandbox.openai_world import Conversation, Pace, RunRecord

Json = dict[str, Any]

_PIECES = re.compile(r"\s*\S+|\s+$")
REFUSAL = "I'm sorry, but I can't help with that."


class Outcome(Struct):
    """How a run ends: its text, or its refusal, and why it stops short, if it does."""

    text: str
    refusal: str | None = None
    incomplete: str | None = None
    failure: str | None = None
    error_event: bool = False


def outcome_of(kind: str | None, text: str, max_output_tokens: int | None) -> Outcome:
    """The outcome that a fault's kind makes of the model's answer."""
    match kind:
        case "failed" | "stream_error":
            return Outcome(text, failure="server_error", error_event=kind == "stream_error")
        case "failed_rate_limit":
            return Outcome(text, failure="rate_limit_exceeded")
        case "incomplete":
            return Outcome(text[: max(1, len(text) // 2)], incomplete="max_output_tokens")
        case "content_filter":
            return Outcome(text[: len(text) // 4], incomplete="content_filter")
        case "refusal":
            return Outcome("", refusal=REFUSAL)
        case "empty":
            return Outcome("")
        case "spaces":
            return Outcome("   \n  ")
    if max_output_tokens is not None and count_tokens(text) > max_output_tokens:
        cut = text.encode()[: max_output_tokens * 4].decode(errors="ignore")
        return Outcome(cut, incomplete="max_output_tokens")
    return Outcome(text)


def pieces(text: str) -> list[str]:
    """The text as a stream brings it: a word with the space before it at a time."""
    return _PIECES.findall(text)


class Run:
    """One Response. `frames[n]` is the stream event with sequence_number n."""

    def __init__(
        self,
        request: Json,
        given: list[Turn],
        history: list[Turn],
        outcome: Outcome,
        pace: Pace,
        conversation: Conversation | None,
        ended: "Callable[[Run], None]",
    ) -> None:
        self.id = new_id("resp")
        self.given = given
        self.history = history
        self.outcome = outcome
        self.conversation = conversation
        self.background = bool(request.get("background"))
        self.streamed = bool(request.get("stream"))
        self.frames: list[bytes] = []
        self.news = Pulse()
        self.done = False
        self.response = response_object(request, self.id, int(time.time()))
        if conversation is not None:
            self.response["conversation"] = {"id": conversation.id}
        self.record = RunRecord(
            id=self.id,
            api="responses",
            model=request["model"],
            at=time.time(),
            metadata=self.response["metadata"],
            conversation=conversation.id if conversation else None,
            background=self.background,
            stream=self.streamed,
            input=given[-1].text[:500] if given else "",
        )
        self._pace = pace
        self._item_id = new_id("msg")
        self._ended = ended
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Plays the run, in a task of its own where it takes time."""
        if self._pace.first_token or self._pace.tokens_per_second:
            self._task = asyncio.create_task(self._play())
        else:
            for _ in self._script():
                pass
            self._finish()

    async def wait(self) -> None:
        while not self.done:
            await self.news.wait()

    def cancel(self) -> None:
        """Ends a run that has not ended: its status becomes cancelled."""
        if not self.done:
            if self._task is not None:
                self._task.cancel()
            self.response["status"] = "cancelled"
            self._finish()

    async def _play(self) -> None:
        for delay in self._script():
            self.news.fire()
            if delay:
                await asyncio.sleep(delay)
        self._finish()

    def _finish(self) -> None:
        self.done = True
        self.record.status = self.response["status"]
        self.record.output = self.outcome.text[:500]
        self._ended(self)
        self.news.fire()

    def _script(self) -> Iterator[float]:
        """Emits the events; each yield is the time to wait before the next ones."""
        pace, response = self._pace, self.response
        token = 1 / pace.tokens_per_second if pace.tokens_per_second else 0.0
        self._emit_state("response.created")
        if self.background:
            self._emit_state("response.queued")
            response["status"] = "in_progress"
        self._emit_state("response.in_progress")
        yield pace.first_token
        if self.outcome.failure and not self.outcome.text:
            self._end()
            return
        refusal = self.outcome.refusal
        self._emit("response.output_item.added", output_index=0, item=self._item("in_progress", []))
        self._emit_part("response.content_part.added", "")
        for piece in pieces(self.outcome.text if refusal is None else refusal):
            self._emit_delta(piece)
            yield token
        if self.outcome.failure is None:
            text = self.outcome.text if refusal is None else refusal
            place = {"item_id": self._item_id, "output_index": 0, "content_index": 0}
            if refusal is None:
                self._emit("response.output_text.done", **place, text=text, logprobs=[])
            else:
                self._emit("response.refusal.done", **place, refusal=text)
            self._emit_part("response.content_part.done", text)
            status = "incomplete" if self.outcome.incomplete else "completed"
            item = self._item(status, [self._part(text)])
            self._emit("response.output_item.done", output_index=0, item=item)
            response["output"] = [item]
        self._end()

    def _end(self) -> None:
        response, outcome = self.response, self.outcome
        if outcome.failure is not None:
            error = known_error("server_error").error
            message = error["message"]
            response["status"] = "failed"
            response["error"] = {"code": outcome.failure, "message": message}
            if outcome.error_event:
                self._emit("error", code=outcome.failure, message=message, param=None)
            else:
                self._emit_state("response.failed")
            return
        words = sum(count_tokens(turn.text) for turn in (*self.history, *self.given))
        words += count_tokens(response["instructions"] or "")
        output = outcome.text if outcome.refusal is None else outcome.refusal
        response["usage"] = responses_usage(words, count_tokens(output))
        if outcome.incomplete is not None:
            response["status"] = "incomplete"
            response["incomplete_details"] = {"reason": outcome.incomplete}
            self._emit_state("response.incomplete")
            return
        response["status"] = "completed"
        response["completed_at"] = int(time.time())
        self._emit_state("response.completed")

    def _item(self, status: str, content: list[Json]) -> Json:
        return {
            "id": self._item_id,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": content,
        }

    def _part(self, text: str) -> Json:
        if self.outcome.refusal is not None:
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}

    def _emit(self, kind: str, **fields: object) -> None:
        event = {"type": kind, "sequence_number": len(self.frames), **fields}
        self.frames.append(frame(event))

    def _emit_state(self, kind: str) -> None:
        self._emit(kind, response=self.response)

    def _emit_part(self, kind: str, text: str) -> None:
        self._emit(
            kind, item_id=self._item_id, output_index=0, content_index=0, part=self._part(text)
        )

    def _emit_delta(self, piece: str) -> None:
        """By a template: a long answer has thousands of these."""
        kind = b"response.refusal.delta" if self.outcome.refusal else b"response.output_text.delta"
        logprobs = b"" if self.outcome.refusal else b',"logprobs":[]'
        self.frames.append(
            b'event: %b\ndata: {"type":"%b","sequence_number":%d,"item_id":"%b",'
            b'"output_index":0,"content_index":0,"delta":%b%b}\n\n'
            % (
                kind,
                kind,
                len(self.frames),
                self._item_id.encode(),
                encode_json(piece),
                logprobs,
            )
        )
