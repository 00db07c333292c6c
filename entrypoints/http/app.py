"""The HTTP application: every route, behind the gate, with one error shape.

Made by entrypoints/http/server.py. Routes of /api need a session or an API key, but for signing in
and out.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version

import aiohttp
from dishka import AsyncContainer
from dishka.integrations.litestar import DishkaRouter, setup_dishka
from litestar import Litestar
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

from adapters.secret_box import SecretBox
from application.intake import Intake
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
    settings,
    start_page,
    statistics,
    users,
)
from entrypoints.http.audit_trail import AuditTrail
from entrypoints.http.problems import answer
from entrypoints.http.security import SESSION_COOKIE, Gate, signed_in
from entrypoints.http.webhook import webhook
from entrypoints.settings import Settings
from entrypoints.stopping import close

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
            DishkaRouter("/api", route_handlers=OPEN_API),
            DishkaRouter(
                "/api",
                route_handlers=GUARDED_API,
                guards=[signed_in],
                security=[{"session": []}, {"apiKey": []}],
            ),
            DishkaRouter("/", route_handlers=OTHER),
            webhook,
            sandbox.sandbox,
            start_page.start_page,
        ],
        state=State({"public_url": environment.public_url, "sandbox_url": environment.sandbox_url}),
        lifespan=[_running(container)],
        exception_handlers={Exception: answer},
        request_max_body_size=MAX_BODY,
        openapi_config=_document(),
        logging_config=None,
    )
    setup_dishka(container, app)
    gate = Gate(app.asgi_handler, environment.public_url, environment.trusted_proxies)
    app.asgi_handler = AuditTrail(gate)
    return app


def _running(container: AsyncContainer) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """What the routes find in the application's state, for as long as it runs."""

    @asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        app.state.secret_box = await container.get(SecretBox)
        app.state.intake = await container.get(Intake)
        async with aiohttp.ClientSession() as session:
            app.state.sandbox_session = session
            yield
        await close(container)

    return running


def _document() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Kotodom GPT",
        version=version("kotodom-gpt"),
        description="Telegram bots answered by a language model: the administrator's API.",
        path="/schema",
        # Only the document: Litestar's pages fetch their scripts from another host.
        render_plugins=[JsonRenderPlugin()],
        operation_id_creator=_operation_id,
        components=Components(
            security_schemes={
                "session": SecurityScheme(
                    type="apiKey", name=SESSION_COOKIE, security_scheme_in="cookie"
                ),
                "apiKey": SecurityScheme(
                    type="http",
                    scheme="bearer",
                    bearer_format="kd_…",
                    description="A key of POST /api/api-keys: it acts for whoever made it.",
                ),
            }
        ),
    )


def _operation_id(
    handler: HTTPRouteHandler, method: Method, _: list[str | PathParameterDefinition]
) -> str:
    """The route's own name, in camelCase: what a generated client calls it."""
    first, *rest = handler.handler_name.split("_")
    return first + "".join(word.title() for word in rest)
