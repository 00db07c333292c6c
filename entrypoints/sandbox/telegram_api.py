"""The Bot API over HTTP: /telegram/bot<token>/<method>, as api.telegram.org serves it.

Every call is read (query, form, multipart or JSON), checked against the schema, written into the
call log with what it broke, met by a fault if one waits for it, and answered by `Methods`.
"""

import asyncio
import time
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.web_request import FileField

from entrypoints.sandbox.botapi_schema import BotApiSchema, Problem, UploadedFile
from entrypoints.sandbox.connection import reset
from entrypoints.sandbox.faults import Fault
from entrypoints.sandbox.json_text import encode_json
from entrypoints.sandbox.telegram_methods import Methods
from entrypoints.sandbox.telegram_refusals import ApiError, bad_request, broken_rule, fault_error
from entrypoints.sandbox.telegram_world import TOKEN, Bot, Call, TelegramWorld, Violation

BAD_GATEWAY = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
)


class TelegramApi:
    """The stand-in's HTTP handlers on one world."""

    def __init__(self, world: TelegramWorld, methods: Methods, schema: BotApiSchema) -> None:
        self._world = world
        self._methods = methods
        self._schema = schema

    def routes(self) -> list[web.RouteDef]:
        path = "/telegram/bot{token}/{method}"
        return [web.get(path, self.handle), web.post(path, self.handle)]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        began = time.perf_counter()
        try:
            bot = self._authorize(request.match_info["token"])
        except ApiError as error:
            return _json(error.body(), error.code)
        method = self._schema.method(request.match_info["method"])
        call = self._log(bot, method or request.match_info["method"])
        try:
            if method is None:
                call.violations.append("unknown method")
                raise ApiError(404, "Not Found")
            params = await self._read(request, method, call)
            return await self._answer(request, bot, method, params, call)
        except ApiError as error:
            call.status, call.description = error.code, error.description
            if error.violation:
                call.violations.append(error.description)
            return _json(error.body(), error.code)
        finally:
            call.milliseconds = round((time.perf_counter() - began) * 1000, 2)
            self._finish(call)

    def _authorize(self, token: str) -> Bot:
        match = TOKEN.fullmatch(token)
        if match is None:
            raise ApiError(404, "Not Found")
        bot = self._world.kept.bots.get(int(match.group(1)))
        if bot is None and self._world.accept_any_token:
            bot = self._world.add_bot(token)
        if bot is None or bot.token != token or bot.revoked:
            raise ApiError(401, "Unauthorized")
        if bot.logged_out:
            raise ApiError(400, "Logged out")
        return bot

    async def _read(self, request: web.Request, method: str, call: Call) -> dict[str, Any]:
        """The call's parameters in their types. Raises ApiError where the real server would."""
        given: dict[str, Any] = dict(request.query)
        typed = False
        if request.method == "POST" and request.body_exists:
            kind = request.content_type
            if kind == "application/json":
                typed = True
                given |= _object(await request.read())
            elif kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
                for name, value in (await request.post()).items():
                    given[name] = _uploaded(value) if isinstance(value, FileField) else value
            elif await request.read():
                call.violations.append(f"unsupported Content-Type {kind}")
        call.params = given
        params, problems = self._schema.read(method, given, typed=typed)
        call.violations += [problem.text for problem in problems]
        fatal = next((problem for problem in problems if problem.fatal), None)
        if fatal is not None:
            raise _refusal(fatal)
        return params

    async def _answer(
        self, request: web.Request, bot: Bot, method: str, params: dict[str, Any], call: Call
    ) -> web.StreamResponse:
        chat = params.get("chat_id")
        where = (method, bot.id, chat if isinstance(chat, int) else None)
        slow = self._world.faults.take("telegram", *where, slow=True)
        if slow is not None:
            await asyncio.sleep(slow.delay)
        fault = self._world.faults.take("telegram", *where)
        if fault is None:
            return await self._carry_out(bot, method, params, call)
        call.description = f"fault: {fault.kind}"
        error = fault_error(fault)
        if error is not None:
            raise error
        return await self._break(request, fault, bot, method, params, call)

    async def _carry_out(
        self, bot: Bot, method: str, params: dict[str, Any], call: Call
    ) -> web.Response:
        result, description = await self._methods.call(bot, method, params)
        call.status, call.description = 200, description
        body: dict[str, object] = {"ok": True, "result": result}
        return _json({**body, "description": description} if description else body, 200)

    async def _break(
        self,
        request: web.Request,
        fault: Fault,
        bot: Bot,
        method: str,
        params: dict[str, Any],
        call: Call,
    ) -> web.StreamResponse:
        """The faults below the Bot API: pages of a proxy, half answers, dead connections."""
        match fault.kind:
            case "bad_gateway" | "internal_html":
                title = "502 Bad Gateway" if fault.kind == "bad_gateway" else "500 Internal Server"
                call.status = int(title[:3])
                page = BAD_GATEWAY.format(title)
                return web.Response(status=call.status, text=page, content_type="text/html")
            case "malformed":
                answer = await self._carry_out(bot, method, params, call)
                whole = answer.body if isinstance(answer.body, bytes) else b""
                return web.Response(body=whole[: len(whole) // 2], content_type="application/json")
            case "hang":
                await asyncio.sleep(fault.delay)
            case "reset_after":
                await self._carry_out(bot, method, params, call)
        call.description = f"fault: {fault.kind}"
        return reset(request)

    def _log(self, bot: Bot, method: str) -> Call:
        self._world.call_count += 1
        call = Call(self._world.call_count, time.time(), bot.id, method, {})
        self._world.calls.append(call)
        return call

    def _finish(self, call: Call) -> None:
        for problem in call.violations:
            self._world.violations.append(
                Violation(call.seq, call.bot, call.method, problem, call.params)
            )
        if self._world.feed.watched:
            self._world.feed.publish("call", call=call)


def _json(body: dict[str, Any], status: int) -> web.Response:
    return web.Response(body=encode_json(body), status=status, content_type="application/json")


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body or b"{}", type=dict[str, Any])
    except msgspec.DecodeError:
        raise broken_rule("can't parse JSON object") from None


def _uploaded(field: FileField) -> UploadedFile:
    field.file.seek(0, 2)
    return UploadedFile(field.filename, field.file.tell())


def _refusal(problem: Problem) -> ApiError:
    match problem.text:
        case "chat_id is required":
            return bad_request("chat_id is empty")
        case "text is required":
            return bad_request("message text is empty")
        case text:
            return bad_request(text)
