"""The HTTP application: every route, behind the gate, with one error shape.

Made by entrypoints/http/server.py. Routes of /api need a session or an API key, but for signing in
and out.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
from dishka import AsyncContainer
from dishka.integrations.litestar import DishkaRouter, setup_dishka
from litestar import Litestar
from litestar.datastructures import State
from litestar.types import ControllerRouterHandler

from adapters.secret_box import SecretBox
from application.intake import Intake
from application.meter import Meter
from entrypoints.http import (
    api_keys,
    audit,
    auth,
    bots,
    chats,
    events,
    exports,
    health,
    jobs,
    processing,
    recordings,
    sandbox,
    schema,
    settings,
    start_page,
    statistics,
    users,
)
from entrypoints.http.admin_pages import AdminPages
from entrypoints.http.audit_trail import AuditTrail
from entrypoints.http.document import document
from entrypoints.http.exact import exact
from entrypoints.http.landing_pages import LandingPages
from entrypoints.http.problems import answer
from entrypoints.http.request_log import RequestLog
from entrypoints.http.security import Gate, signed_in
from entrypoints.http.webhook import webhook
from entrypoints.settings import Settings
from entrypoints.stopping import close
from entrypoints.wiring import process_gauges

MAX_BODY = 1024 * 1024
"""Bytes of a request's body; more is 413."""

OPEN_API = (auth.login, auth.logout)
GUARDED_API = (
    auth.me,
    auth.change_password,
    users.list_users,
    users.create_user,
    users.change_user,
    api_keys.list_api_keys,
    api_keys.create_api_key,
    api_keys.revoke_api_key,
    bots.list_bots,
    bots.create_bot,
    bots.check_token,
    bots.get_bot,
    bots.change_bot,
    bots.delete_bot,
    bots.enable_bot,
    bots.disable_bot,
    bots.ensure_webhook,
    bots.remove_webhook,
    bots.get_bot_telegram,
    chats.list_chats,
    chats.get_chat,
    chats.list_messages,
    chats.write_message,
    chats.refresh_chat,
    chats.pause_chat,
    chats.resume_chat,
    chats.delete_chat,
    processing.list_processing,
    processing.get_processing,
    processing.retry_processing,
    processing.count_retryable,
    processing.retry_many,
    processing.list_failures,
    exports.export_chats,
    exports.export_processing,
    statistics.get_stats,
    jobs.list_jobs,
    jobs.get_job_stats,
    jobs.requeue_job,
    jobs.delete_job,
    recordings.get_recording,
    recordings.replay,
    settings.get_settings,
    settings.put_settings,
    settings.test_alerts,
    settings.link_alerts,
    audit.list_audit,
    events.events,
)
OTHER = (health.health, health.ready, health.metrics)


def create_app(container: AsyncContainer, environment: Settings) -> Litestar:
    """The application; it closes the container when it stops."""
    app = Litestar(
        route_handlers=[
            *_api(),
            sandbox.sandbox,
            start_page.start_page,
            *schema.pages(api_document),
        ],
        state=State({"public_url": environment.public_url, "sandbox_url": environment.sandbox_url}),
        lifespan=[_running(container)],
        exception_handlers={Exception: answer},
        request_max_body_size=MAX_BODY,
        openapi_config=None,  # entrypoints/http/schema.py serves the document
        # No compression_config: strangers' words and private ones are in one list, which is asked
        # for again whenever they write; the length of what is compressed would tell (BREACH).
        logging_config=None,
    )
    setup_dishka(container, app)
    pages = AdminPages(LandingPages(app.asgi_handler, environment))
    gate = Gate(pages, environment.public_url, environment.trusted_proxies)
    app.asgi_handler = RequestLog(AuditTrail(gate))
    return app


def api_document() -> dict[str, Any]:
    """The OpenAPI document."""
    return document(_api())


def _api() -> list[ControllerRouterHandler]:
    """Every route of the document."""
    return [
        DishkaRouter("/api", route_handlers=OPEN_API),
        DishkaRouter(
            "/api",
            route_handlers=GUARDED_API,
            guards=[signed_in, exact],
            security=[{"session": []}, {"apiKey": []}],
        ),
        DishkaRouter("/", route_handlers=OTHER),
        webhook,
    ]


def _running(container: AsyncContainer) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """What the routes find in the application's state, for as long as it runs."""

    @asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        app.state.secret_box = await container.get(SecretBox)
        app.state.intake = await container.get(Intake)
        app.state.meter = await container.get(Meter)
        telling = asyncio.create_task((await process_gauges(container, "api")).run())
        async with aiohttp.ClientSession() as session:
            app.state.sandbox_session = session
            yield
        telling.cancel()
        await close(container)

    return running
