"""/control/: the sandbox's own HTTP, for the page and for tests that run beside it.

JSON in and out. Reads show bots, chats, calls, violations and runs; writes play a person, switch
faults, set the model's pace, revoke tokens and keys. /control/events is the live feed (SSE). A
request from another web site is refused: the page is the only place that may play a person.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import msgspec
from aiohttp import web
from msgspec import Struct

from entrypoints.sandbox.faults import OPENAI_KINDS, TELEGRAM_KINDS, decode_fault
from entrypoints.sandbox.json_text import decode_json, encode_json
from entrypoints.sandbox.openai_world import OpenAiWorld, Pace
from entrypoints.sandbox.telegram_world import Bot, TelegramWorld

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEARTBEAT_SECONDS = 15
LONGEST_LIST = 50_000


class Deed(Struct, forbid_unknown_fields=True):
    """POST /control/send: what a person does.

    `kind` is text, photo, sticker, voice, document, location, edit (with `message_id`), block,
    unblock, or update, which sends `update` as it is (without its update_id).
    """

    bot: int
    user: int = 0
    chat: int | None = None
    text: str = ""
    kind: str = "text"
    topic: int | None = None
    message_id: int | None = None
    update: dict[str, Any] | None = None


class NewBot(Struct, forbid_unknown_fields=True):
    token: str
    name: str | None = None
    username: str | None = None


class NewPerson(Struct, forbid_unknown_fields=True):
    first_name: str
    language_code: str = "en"


class Revocation(Struct, forbid_unknown_fields=True):
    """A bot's or a key's death (`revoked` false: its return)."""

    bot: int | None = None
    key: str | None = None
    revoked: bool = True


class Control:
    """The handlers of /control/ on both worlds."""

    def __init__(self, telegram: TelegramWorld, openai: OpenAiWorld) -> None:
        self._telegram = telegram
        self._openai = openai

    def routes(self) -> list[web.RouteDef]:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "state", self._state),
            ("GET", "messages", self._messages),
            ("GET", "calls", self._calls),
            ("GET", "violations", self._violations),
            ("DELETE", "violations", self._clear_violations),
            ("GET", "runs", self._runs),
            ("GET", "events", self._events),
            ("POST", "send", self._send),
            ("POST", "bots", self._add_bot),
            ("POST", "people", self._add_person),
            ("POST", "revoke", self._revoke),
            ("POST", "forget", self._forget),
            ("GET", "faults", self._faults),
            ("POST", "faults", self._add_fault),
            ("DELETE", "faults", self._clear_faults),
            ("DELETE", "faults/{fault}", self._remove_fault),
            ("PUT", "pace", self._set_pace),
        ]
        return [
            web.route(method, f"/control/{path}", _guarded(handler))
            for method, path, handler in table
        ]

    async def _state(self, request: web.Request) -> web.Response:
        kept = self._telegram.kept
        state = {
            "bots": [_bot(bot) for bot in kept.bots.values()],
            "people": list(kept.people.values()),
            "groups": list(kept.groups.values()),
            "faults": self._telegram.faults.list(),
            "fault_kinds": {"telegram": sorted(TELEGRAM_KINDS), "openai": sorted(OPENAI_KINDS)},
            "pace": self._openai.pace,
        }
        return _json(state)

    async def _messages(self, request: web.Request) -> web.Response:
        bot, chat = _integer(request, "bot"), _integer(request, "chat")
        limit = _integer(request, "limit", 200)
        return _json({"messages": self._telegram.messages(bot, chat)[-limit:]})

    async def _calls(self, request: web.Request) -> web.Response:
        after, limit = _integer(request, "after", 0), _integer(request, "limit", 200)
        bot, method = request.query.get("bot"), request.query.get("method")
        calls = [
            call
            for call in self._telegram.calls
            if call.seq > after
            and (bot is None or call.bot == int(bot))
            and (method is None or call.method == method)
        ]
        return _json({"calls": calls[-min(limit, LONGEST_LIST) :]})

    async def _violations(self, request: web.Request) -> web.Response:
        return _json({"violations": list(self._telegram.violations)})

    async def _clear_violations(self, request: web.Request) -> web.Response:
        self._telegram.violations.clear()
        return _json({"violations": []})

    async def _runs(self, request: web.Request) -> web.Response:
        key = request.query.get("key")
        if key is not None:
            return _json({"counts": self._openai.runs_by_metadata(key)})
        limit = min(_integer(request, "limit", 200), LONGEST_LIST)
        return _json({"runs": list(self._openai.records)[-limit:]})

    async def _send(self, request: web.Request) -> web.Response:
        given = decode_json(await request.read())
        deed = msgspec.convert(given, Deed)
        match deed.kind:
            case "edit":
                chat = deed.chat if deed.chat is not None else deed.user
                update = self._telegram.edit(deed.bot, chat, deed.message_id or 0, deed.text)
            case "block" | "unblock":
                blocked = deed.kind == "block"
                update = self._telegram.block(deed.bot, deed.user, blocked=blocked)
            case "update":
                update = self._telegram.push(self._telegram.bot(deed.bot), deed.update or {})
            case kind:
                update = self._telegram.say(
                    deed.bot, deed.user, deed.text, chat_id=deed.chat, kind=kind, topic=deed.topic
                )
        return _json({"update": update})

    async def _add_bot(self, request: web.Request) -> web.Response:
        new = msgspec.json.decode(await request.read(), type=NewBot)
        return _json({"bot": _bot(self._telegram.add_bot(new.token, new.name, new.username))}, 201)

    async def _add_person(self, request: web.Request) -> web.Response:
        new = msgspec.json.decode(await request.read(), type=NewPerson)
        name = new.first_name.strip()[:64]
        if not name:
            raise ValueError("a person needs a name")
        return _json({"person": self._telegram.add_person(name, new.language_code[:8])}, 201)

    async def _revoke(self, request: web.Request) -> web.Response:
        asked = msgspec.json.decode(await request.read(), type=Revocation)
        if asked.bot is not None:
            self._telegram.bot(asked.bot).revoked = asked.revoked
        if asked.key is not None:
            keys = self._openai.revoked_keys
            keys.add(asked.key) if asked.revoked else keys.discard(asked.key)
        return _json({})

    async def _forget(self, request: web.Request) -> web.Response:
        self._telegram.forget()
        self._openai.forget()
        return _json({})

    async def _faults(self, request: web.Request) -> web.Response:
        return _json({"faults": self._telegram.faults.list()})

    async def _add_fault(self, request: web.Request) -> web.Response:
        fault = self._telegram.faults.switch_on(decode_fault(await request.read()))
        return _json({"fault": fault}, 201)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self._telegram.faults.clear()
        return _json({"faults": []})

    async def _remove_fault(self, request: web.Request) -> web.Response:
        if not self._telegram.faults.remove(int(request.match_info["fault"])):
            raise KeyError(request.match_info["fault"])
        return _json({})

    async def _set_pace(self, request: web.Request) -> web.Response:
        self._openai.pace = msgspec.json.decode(await request.read(), type=Pace)
        self._telegram.feed.publish("faults")
        return _json({"pace": self._openai.pace})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        stream = web.StreamResponse(headers=headers)
        stream.headers["X-Accel-Buffering"] = "no"
        queue = self._telegram.feed.listen()
        try:
            await stream.prepare(request)
            await stream.write(b": hello\n\n")
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        news = await queue.get()
                except TimeoutError:
                    await stream.write(b": alive\n\n")
                    continue
                if news is None:
                    return stream
                await stream.write(b"data: %b\n\n" % encode_json(news))
        except ConnectionResetError:
            return stream
        finally:
            self._telegram.feed.leave(queue)


def _guarded(handler: Handler) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
            return _json({"error": "not from another site"}, 403)
        try:
            return await handler(request)
        except KeyError as error:
            return _json({"error": f"not known: {error}"}, 404)
        except ValueError as error:  # msgspec's errors are ValueErrors too
            return _json({"error": str(error)}, 400)

    return guarded


def _bot(bot: Bot) -> dict[str, Any]:
    """A bot as the page sees it; its token stays here."""
    commands = bot.commands.get("default::") or next(iter(bot.commands.values()), [])
    return {
        "id": bot.id,
        "first_name": bot.first_name,
        "username": bot.username,
        "mode": "webhook" if bot.webhook else "polling",
        "commands": commands,
        "pending": len(bot.pending),
        "revoked": bot.revoked,
        "last_error_message": bot.last_error_message,
    }


def _integer(request: web.Request, name: str, default: int | None = None) -> int:
    """Raises ValueError."""
    given = request.query.get(name)
    if given is None and default is not None:
        return default
    try:
        return int(given or "")
    except ValueError:
        raise ValueError(f"{name} should be a number") from None


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=encode_json(body), status=status, content_type="application/json")
