"""The Bot API over one shared aiohttp session (fulfils application.ports.Telegram).

Called by the effect runner, the poller and the admin. Out come typed answers, or Failed. A call's
URL holds the bot's token, and aiohttp's exceptions hold the URL: none of them leaves this module,
not even as the context of another, and no reason quotes one.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeVar

import msgspec
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    InvalidURL,
    TCPConnector,
)
from msgspec import UNSET, Struct

from adapters import telegram_answers as answers
from adapters.telegram_failures import failure_of, poll_conflict
from adapters.telegram_requests import (
    Command,
    GetUpdates,
    Nothing,
    ReplyParameters,
    SendChatAction,
    SendMessage,
    SetMyCommands,
    SetWebhook,
    encode,
)
from application.meter import Answer, Meter, Stage, answer_of
from application.ports import BotCard, Failed, TelegramAccess, WebhookStatus
from domain.effects import Entity
from domain.failures import Ambiguous, EntitiesRefused, Failure, Fatal, Retryable, Terminal

T = TypeVar("T")

MAX_CONNECTIONS = 2000
MAX_ANSWER = 32 * 1024 * 1024
"""Bytes; a hundred long updates have a few million."""

_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
_SERVER = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)
_NO_SERVER = "The address of the bot's Telegram server is not an HTTP URL"
_HEADERS = {"Content-Type": "application/json"}


def _once(failure: Failure) -> Failure:
    """Of a call that must not be made twice by mistake: what is ambiguous stays so."""
    return failure


def _repeatable(failure: Failure) -> Failure:
    """Of a call that does no harm when it is made again."""
    match failure:
        case Ambiguous(reason=reason):
            return Retryable(reason)
        case EntitiesRefused(reason=reason):
            return Terminal(reason)
        case _:
            return failure


class TelegramClient:
    """An async context manager that owns its session; `timeout` is of one call, in seconds."""

    def __init__(self, timeout: float, meter: Meter) -> None:
        self._timeout = timeout
        self._meter = meter
        # A call that has no connection yet was not sent; by giving up on that earlier than on the
        # call, the two are told apart.
        self._connect_timeout = timeout * 2 / 3
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = ClientSession(
            connector=TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=30, ttl_dns_cache=60),
            cookie_jar=DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get_me(self, access: TelegramAccess) -> BotCard:
        """Who the token's bot is."""
        return await self._call(access, "getMe", Nothing(), answers.read_bot)

    async def send_message(
        self,
        access: TelegramAccess,
        chat_id: int | str,
        text: str,
        entities: Sequence[Entity] = (),
        topic_id: int | None = None,
        reply_to: int | None = None,
    ) -> int:
        """The new message's id. Failed(Ambiguous): the message may have been sent."""
        reply = None if reply_to is None else ReplyParameters(reply_to)
        request = SendMessage(chat_id, text, entities, topic_id, reply)
        with self._meter.timing(Stage.SEND):
            return await self._call(
                access, "sendMessage", request, answers.read_message_id, settle=_once
            )

    async def send_chat_action(
        self, access: TelegramAccess, chat_id: int | str, action: str, topic_id: int | None = None
    ) -> None:
        """Shown for five seconds at most (Bot API 10.3, sendChatAction)."""
        request = SendChatAction(chat_id, action, topic_id)
        await self._call(access, "sendChatAction", request, answers.read_success)

    async def set_webhook(self, access: TelegramAccess, url: str, secret: str) -> None:
        """Updates go to the url with the secret in X-Telegram-Bot-Api-Secret-Token."""
        await self._call(access, "setWebhook", SetWebhook(url, secret), answers.read_success)

    async def delete_webhook(self, access: TelegramAccess) -> None:
        """Updates that wait on the server are kept."""
        await self._call(access, "deleteWebhook", Nothing(), answers.read_success)

    async def get_webhook_info(self, access: TelegramAccess) -> WebhookStatus:
        """The webhook as Telegram has it; an empty url says there is none."""
        return await self._call(access, "getWebhookInfo", Nothing(), answers.read_webhook)

    async def get_updates(
        self, access: TelegramAccess, offset: int | None, timeout: int
    ) -> list[bytes]:
        """Each update's own JSON; byte for byte, unless an answer holds a lone surrogate."""
        request = GetUpdates(timeout, UNSET if offset is None else offset)
        try:
            return await self._call(
                access, "getUpdates", request, answers.read_updates, waits=timeout
            )
        except Failed as failed:
            if conflict := poll_conflict(failed.failure):
                raise conflict from None
            raise

    async def set_my_commands(
        self, access: TelegramAccess, commands: Sequence[tuple[str, str]], language: str | None
    ) -> None:
        """For the default scope; `language` has two letters."""
        request = SetMyCommands([Command(*command) for command in commands], language)
        await self._call(access, "setMyCommands", request, answers.read_success)

    async def _call(
        self,
        access: TelegramAccess,
        method: str,
        request: Struct,
        read: Callable[[bytes], T],
        *,
        settle: Callable[[Failure], Failure] = _repeatable,
        waits: float = 0.0,
    ) -> T:
        """One request; `waits` are the seconds that the server may take before it answers."""
        answer = await self._exchange(access, method, request, waits)
        # Raised outside of any handler: an exception of aiohttp's would come along as context.
        if not isinstance(answer, tuple):
            if not isinstance(answer, Fatal):  # one that could not even be asked
                self._meter.telegram(method, Answer.NONE)
            raise Failed(settle(answer))
        status, body = answer
        if status == HTTPStatus.OK:
            with suppress(msgspec.MsgspecError, ValueError, RecursionError):
                result = read(body)
                self._meter.telegram(method, Answer.OK)
                return result
        failure = failure_of(status, body, access.token)
        told = failure.after if isinstance(failure, Retryable) else None
        answered = Answer.MALFORMED if status == HTTPStatus.OK else answer_of(status)
        self._meter.telegram(method, answered, told)
        raise Failed(settle(failure))

    async def _exchange(
        self, access: TelegramAccess, method: str, request: Struct, waits: float
    ) -> tuple[int, bytes] | Failure:
        """The answer's status and body, or the failure of the way there and back."""
        if self._session is None:
            raise RuntimeError("TelegramClient is used outside of its context")
        if _TOKEN.fullmatch(access.token) is None:
            return Fatal("The bot's token is not of Telegram's form", token_dead=True)
        if _SERVER.match(access.api_url) is None:
            return Fatal(_NO_SERVER)
        limit = self._timeout + waits
        try:
            # aiohttp sends a request again by itself where a kept connection turns out closed, but
            # only for idempotent methods (client.IDEMPOTENT_METHODS), never for a POST.
            async with self._session.post(
                f"{access.api_url}/bot{access.token}/{method}",
                data=encode(request),
                headers=_HEADERS,
                allow_redirects=False,
                timeout=ClientTimeout(total=limit, connect=self._connect_timeout),
            ) as response:
                return response.status, await _read_all(response)
        except (InvalidURL, UnicodeError):
            return Fatal(_NO_SERVER)
        except ConnectionTimeoutError:
            return Retryable(f"Telegram: no connection in {self._connect_timeout:g} s")
        except ClientConnectorError as error:
            why = error.os_error.strerror or type(error).__name__
            return Retryable(f"Telegram: cannot connect to {error.host}: {why}")
        except TimeoutError:
            return Ambiguous(f"Telegram: no answer in {limit:g} s")
        except (ClientError, OSError) as error:
            return Ambiguous(f"Telegram: the connection was lost ({type(error).__name__})")


async def _read_all(response: ClientResponse) -> bytes:
    """The body; a longer one than any answer is cut, which makes it malformed."""
    if response.content_length is not None and response.content_length <= MAX_ANSWER:
        return await response.read()
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER:
            response.close()
            break
    return bytes(body)
