"""The default model server, for GET /health/ready (fulfils application.health.ModelProbe).

GET /models costs nothing and says whether the key is right. It is asked once a minute at most, in
the background, and only where somebody asks how the system is.
"""

import asyncio
from contextvars import Context
from datetime import datetime, timedelta
from http import HTTPStatus

import aiohttp

from application.jobs import Unavailable
from application.model import OPENAI_URL
from application.ports import Clock
from application.readiness import Asked, PartStatus
from application.settings import SettingsReader

EVERY = timedelta(seconds=60)
PATIENCE = 10.0


class OpenAIHealth:
    """The probe. `stand_in_url`: the sandbox's model, which answers while there is no key."""

    def __init__(self, settings: SettingsReader, clock: Clock, stand_in_url: str | None) -> None:
        self._settings = settings
        self._clock = clock
        self._stand_in_url = stand_in_url
        self._last = Asked(PartStatus.UNKNOWN, None)
        self._began: datetime | None = None
        self._asking: asyncio.Task[None] | None = None

    def last(self) -> Asked:
        now = self._clock.now()
        if self._began is None or now - self._began >= EVERY:
            self._began = now
            self._asking = asyncio.create_task(self._ask(now), context=Context())
        return self._last

    async def close(self) -> None:
        """Let go of a question that is on its way."""
        if self._asking is not None:
            self._asking.cancel()

    async def _ask(self, now: datetime) -> None:
        try:
            settings = await self._settings.current()
        except Unavailable:
            self._began = None  # asked again as soon as somebody looks
            return
        key, url = settings.openai_api_key, settings.openai_base_url or OPENAI_URL
        if not key and self._stand_in_url is not None:
            key, url = "sandbox", self._stand_in_url
        status = await _asked(url, key) if key else PartStatus.UNSET
        self._last = Asked(status, now)


async def _asked(url: str, key: str) -> PartStatus:
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    headers = {"Authorization": f"Bearer {key}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{url}/models", headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
                return PartStatus.REFUSED
            # Whatever else it says, it answers: a compatible server may have no such list.
            return PartStatus.DOWN if answer.status >= 500 else PartStatus.OK
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return PartStatus.DOWN
