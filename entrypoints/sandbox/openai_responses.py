"""POST /responses and what follows a response: get, resume, cancel, delete.

openai_api.py checks the key and calls these handlers. A response in a conversation locks it until
it ends; its messages are added to the conversation when it completes.
"""

import asyncio

from aiohttp import web

from entrypoints.sandbox.connection import reset
from entrypoints.sandbox.demo_model import Turn, answer
from entrypoints.sandbox.faults import Fault
from entrypoints.sandbox.json_text import encode_json
from entrypoints.sandbox.openai_requests import Json, read_response_request, read_turns
from entrypoints.sandbox.openai_runs import Run, outcome_of
from entrypoints.sandbox.openai_shapes import (
    OpenAiError,
    fault_error,
    json_response,
    known_error,
    message_item,
    new_id,
)
from entrypoints.sandbox.openai_world import Conversation, OpenAiWorld

SSE = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
LIMITS = web.RequestKey("LIMITS", dict[str, str])
"""Where a request keeps the rate limit headers of its answer."""
HTML = "<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
# A reset right after a write would overtake what was written.
_FLUSH_SECONDS = 0.02


class Responses:
    """The handlers of /v1/responses."""

    def __init__(self, world: OpenAiWorld) -> None:
        self._world = world

    async def create(self, request: web.Request) -> web.StreamResponse:
        asked = read_response_request(await request.read())
        given = read_turns(asked["input"], "input")
        request[LIMITS] = self._world.limits_left(asked["model"], given)
        text = given[-1].text if given else ""
        pace = self._world.pace_for("responses", text)
        fault = self._world.fault_for("responses", text)
        early = await early_fault(request, fault)
        if early is not None:
            return early
        self._world.check_model(asked["model"])
        conversation, history = self._history(asked)
        run = Run(
            asked,
            given,
            history,
            outcome_of(
                fault.kind if fault else None,
                answer((*history, *given), asked.get("instructions")),
                asked.get("max_output_tokens"),
            ),
            pace,
            conversation,
            self._ended,
        )
        if conversation is not None:
            conversation.locked_by = run.id
        self._world.records.append(run.record)
        self._world.keep_run(run)
        run.start()
        if run.streamed:
            return await self._stream(request, run, 0, fault, creates=True)
        return await self._whole(request, run, fault)

    async def get(self, request: web.Request) -> web.StreamResponse:
        run = self._stored(request)
        fault = self._world.faults.take("openai", "responses.get")
        early = await early_fault(request, fault)
        if early is not None:
            return early
        if request.query.get("stream") != "true":
            return json_response(run.response)
        if not (run.background and run.streamed):
            raise OpenAiError(
                400,
                "This response cannot be streamed because it was not created with "
                "background=true and stream=true.",
            )
        try:
            after = int(request.query.get("starting_after", "-1"))
        except ValueError:
            raise OpenAiError(
                400, "Invalid type for 'starting_after'.", param="starting_after"
            ) from None
        return await self._stream(request, run, after + 1, fault)

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        run = self._stored(request)
        if not run.background:
            raise OpenAiError(400, "Cannot cancel a synchronous response.")
        run.cancel()
        return json_response(run.response)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        run = self._stored(request)
        run.cancel()
        del self._world.runs[run.id]
        return json_response({"id": run.id, "object": "response", "deleted": True})

    async def input_items(self, request: web.Request) -> web.StreamResponse:
        run = self._stored(request)
        items = [message_item(new_id("msg"), turn.role, turn.text) for turn in run.given]
        ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else {}
        return json_response({"object": "list", "data": items, "has_more": False, **ends})

    def _stored(self, request: web.Request) -> Run:
        run = self._world.run(request.match_info["response"])
        if not run.response["store"]:
            raise OpenAiError(404, f"Response with id '{run.id}' not found.")
        return run

    def _history(self, asked: Json) -> tuple[Conversation | None, list[Turn]]:
        """What the model is given before the input. Raises OpenAiError 404, 400 where locked."""
        previous_id = asked.get("previous_response_id")
        if previous_id is not None:
            previous = self._world.runs.get(previous_id)
            if previous is None or not previous.response["store"]:
                raise OpenAiError(
                    400,
                    f"Previous response with id '{previous_id}' not found.",
                    code="previous_response_not_found",
                    param="previous_response_id",
                )
            said = Turn("assistant", previous.outcome.text)
            return None, [*previous.history, *previous.given, said]
        reference = asked.get("conversation")
        if reference is None:
            return None, []
        name = reference if isinstance(reference, str) else str(reference.get("id"))
        conversation = self._world.conversation(name)
        if conversation.locked_by is not None:
            raise known_error("conversation_locked")
        items = conversation.items
        return conversation, [Turn(i["role"], i["content"][0]["text"]) for i in items]

    def _ended(self, run: Run) -> None:
        conversation = run.conversation
        if conversation is None or conversation.locked_by != run.id:
            return
        conversation.locked_by = None
        if run.response["status"] == "completed":
            said = run.outcome.text or run.outcome.refusal or ""
            self._world.remember(conversation, [*run.given, Turn("assistant", said)])

    async def _whole(
        self, request: web.Request, run: Run, fault: Fault | None
    ) -> web.StreamResponse:
        """The answer to a call that does not stream."""
        kind = fault.kind if fault else None
        if not run.background:
            try:
                await run.wait()
            except asyncio.CancelledError:  # the client has gone, and nobody else may want it
                run.cancel()
                raise
        if kind in ("reset_stream", "ends_early"):
            return reset(request)
        if kind == "stream_error":
            raise known_error("server_error")
        return broken(kind, encode_json(run.response)) or json_response(run.response)

    async def _stream(
        self,
        request: web.Request,
        run: Run,
        begin: int,
        fault: Fault | None,
        *,
        creates: bool = False,
    ) -> web.StreamResponse:
        """Sends the frames from `begin` on, as they come."""
        kind = fault.kind if fault else None
        if kind == "html":
            return web.Response(text=HTML, content_type="text/html")
        limit = None
        if fault is not None and kind in ("reset_stream", "ends_early", "malformed"):
            limit = begin + fault.after_events
        if run.done and limit is None:
            return web.Response(body=b"".join(run.frames[begin:]), headers=SSE)
        stream = web.StreamResponse(headers=SSE)
        at = begin
        try:
            await stream.prepare(request)
            while limit is None or at < limit:
                fresh = run.frames[at:limit]
                if fresh:
                    await stream.write(b"".join(fresh))
                    at += len(fresh)
                elif run.done:
                    break
                else:
                    await run.news.wait()
            return await _end_stream(request, stream, kind if limit is not None else None)
        except (ConnectionResetError, asyncio.CancelledError):
            if creates and not run.background:
                run.cancel()
            raise


async def _end_stream(
    request: web.Request, stream: web.StreamResponse, kind: str | None
) -> web.StreamResponse:
    if kind == "reset_stream":
        await asyncio.sleep(_FLUSH_SECONDS)
        reset(request)
        return stream
    if kind == "malformed":
        await stream.write(b'event: response.output_text.delta\ndata: {"type":"respo\n\n')
    await stream.write_eof()
    return stream


async def early_fault(request: web.Request, fault: Fault | None) -> web.StreamResponse | None:
    """The faults that strike before anything is begun. Raises OpenAiError for error answers."""
    if fault is None:
        return None
    error = fault_error(fault)
    if error is not None:
        raise error
    if fault.kind == "bad_gateway":
        return web.Response(status=502, text=HTML, content_type="text/html")
    if fault.kind in ("hang", "reset_before"):
        await asyncio.sleep(fault.delay if fault.kind == "hang" else 0)
        return reset(request)
    return None


def broken(kind: str | None, body: bytes) -> web.Response | None:
    """The bodies that are no answer, of a call that does not stream."""
    if kind == "html":
        return web.Response(text=HTML, content_type="text/html")
    if kind == "malformed":
        return web.Response(body=body[: len(body) // 2], content_type="application/json")
    return None
