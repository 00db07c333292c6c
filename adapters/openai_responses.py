"""OpenAI's Responses and Conversations behind application.model.LanguageModel: `RESPONSES`.

Triggered by the effects openai.generateReply, openai.resumeReply and openai.resetThread; an answer
comes out, or application.ports.Failed.

A run is started in the background and streamed. Its first event carries its id, which `started`
saves; from then on the run belongs to the server, and whatever breaks here (the stream, the
deadline, the worker) is followed up by that id. A server that refuses `background` or `stream` is
asked without it: without `background`, `started` is not called, for such a call can only be made
again.
Facts: OpenAI API reference, Responses, Conversations; guide "Background mode".
"""

from time import perf_counter
from typing import Any
from urllib.parse import quote

import msgspec
from openai import APIStatusError

from adapters.openai_clients import OpenAIClients
from adapters.openai_failures import failure, malformed, refused
from adapters.openai_refusals import Refusals
from adapters.openai_response_outcome import Response, outcome
from adapters.openai_runs import Run, follow, read
from application.model import OPENAI_URL, Ask, Check, Generated, ModelAccess, Started
from application.ports import Failed
from domain.failures import Retryable, ThreadLost

_OPTIONAL = frozenset({"background", "stream"})
_NO_ROUTE = frozenset({404, 405, 501})


class _Conversation(msgspec.Struct):
    id: str


class OpenAIResponses:
    """Fulfils application.model.LanguageModel; `timeout` is seconds for each whole call.

    `ModelAccess.assistant_id` is not sent: the Responses API has no place for it since assistants
    and stored prompts are gone (DESIGN §3).
    """

    def __init__(self, clients: OpenAIClients, timeout: float) -> None:
        self._clients = clients
        self._timeout = timeout
        self._refusals = Refusals()
        self._without_conversations: set[str] = set()

    async def generate(
        self, access: ModelAccess, ask: Ask, started: Started, check: Check
    ) -> Generated:
        """Answer the last line. A server without Conversations is told all lines each time."""
        begun = perf_counter()
        async with self._clients.deadline(access, self._timeout):
            thread_id = ask.thread_id or await self._new_thread(access, ask, check)
            response = await self._run(access, ask, thread_id, started, check)
        return outcome(response, access, thread_id, perf_counter() - begun)

    async def resume(
        self, access: ModelAccess, run_id: str, thread_id: str | None, started: Started
    ) -> Generated:
        """Follow the run. Its ids are saved already: `started` is not called."""
        begun = perf_counter()
        stream = "stream" not in self._refusals.of(access)
        async with self._clients.deadline(access, self._timeout):
            response = await follow(self._clients, access, Run(id=run_id), stream)
        return outcome(response, access, thread_id, perf_counter() - begun)

    async def forget(self, access: ModelAccess, thread_id: str) -> None:
        """Delete the conversation; its items stay with OpenAI until they expire there."""
        path = f"/conversations/{quote(thread_id, safe='')}"
        async with self._clients.deadline(access, self._timeout):
            try:
                await self._clients.send(access, "DELETE", path)
            except APIStatusError as error:
                # A server that knows no Conversations, or did not make this one, has none of ours.
                why = refused(error, thread=True)
                if error.status_code not in _NO_ROUTE and not isinstance(why, ThreadLost):
                    raise Failed(why) from error

    async def _new_thread(self, access: ModelAccess, ask: Ask, check: Check) -> str | None:
        server = access.base_url or OPENAI_URL
        if server in self._without_conversations:
            return None
        body = {"metadata": _metadata(ask)}
        check()
        try:
            answer = await self._clients.send(access, "POST", "/conversations", body)
        except APIStatusError as error:
            if error.status_code not in _NO_ROUTE:
                raise Failed(refused(error)) from error
            self._without_conversations.add(server)
            return None
        try:
            return msgspec.json.decode(answer.content, type=_Conversation).id
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Failed(malformed(answer.content)) from error

    async def _run(
        self,
        access: ModelAccess,
        ask: Ask,
        thread_id: str | None,
        started: Started,
        check: Check,
    ) -> Response:
        while True:
            sent = _OPTIONAL - self._refusals.of(access)
            body = _request(access, ask, thread_id) | dict.fromkeys(sent, True)
            stream, background = "stream" in sent, "background" in sent
            check()
            try:
                answer = await self._clients.send(
                    access, "POST", "/responses", body, stream=stream, asks=True
                )
                break
            except APIStatusError as error:
                if not self._refusals.learn(access, error, sent):
                    raise Failed(refused(error, thread=thread_id is not None)) from error

        async def save(run_id: str) -> None:
            await started(run_id, thread_id)

        run = Run()
        await read(answer, run, save if background else None)
        if run.end is not None:
            return run.end
        if run.id is not None and background:
            return await follow(self._clients, access, run, stream)
        if run.error is not None:
            raise Failed(failure(run.error, run_ended=True))
        raise Failed(Retryable("OpenAI: the stream ended before the answer", run_ended=True))


def _request(access: ModelAccess, ask: Ask, thread_id: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": access.model,
        "input": [{"role": line.role, "content": line.text} for line in ask.lines],
        "store": True,
        "metadata": _metadata(ask),
    }
    if access.instructions is not None:
        body["instructions"] = access.instructions
    if access.temperature is not None:
        body["temperature"] = access.temperature
    if access.max_output_tokens is not None:
        body["max_output_tokens"] = access.max_output_tokens
    if thread_id is not None:
        body["conversation"] = thread_id
    return body


def _metadata(ask: Ask) -> dict[str, str]:
    return {"processing_id": str(ask.processing_id)}
