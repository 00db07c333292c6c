"""The OpenAPI 3.1 document of the API, made from the routes themselves; no server is needed.

Litestar tells of paths, parameters and statuses, which document_operations.py completes;
document_schemas.py tells of bodies, examples.py has one of each, problems.py says what errors mean.
"""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Tag
from litestar.types import ControllerRouterHandler, Method
from litestar.types.internal_types import PathParameterDefinition

from entrypoints.http.document_operations import mend, share_errors
from entrypoints.http.document_schemas import schemas_of
from entrypoints.http.security import SESSION_COOKIE
from entrypoints.http.webhook import SECRET_HEADER

_DESCRIPTION = """\
Telegram bots answered by a language model: what the web admin and scripts use.

**Who asks.** A session (`POST /api/auth/login` sets its cookie) or an API key (`Authorization:
Bearer kd_…`). A USER makes, sees and runs the bots it owns; a MANAGER every bot, chat, message and
job; an ADMIN also users, settings and the audit log. What one may not see does not exist: 404.

**Lists** answer `items` and a `nextCursor`; ask again with `cursor` for what follows.

**Errors** are `application/problem+json`, with a sentence in `detail` and, where fields are to
blame, their paths in `errors`. Moments are RFC 3339 in UTC, prices US dollars.
"""
_TAGS = {
    "auth": "Signing in and out.",
    "bots": "Bots and their way to Telegram.",
    "chats": "Chats, what was said in them, and what a person does there.",
    "processing": "What became of each message: every step, failures, another try, recordings.",
    "statistics": "Messages, times, tokens and prices.",
    "jobs": "The queue, for MANAGER and ADMIN.",
    "events": "What has changed, as it happens.",
    "api keys": "Keys for scripts.",
    "users": "Who may sign in, as what; for ADMIN.",
    "settings": "What changes without a restart; for ADMIN.",
    "audit": "Who asked for which change; for ADMIN.",
    "telegram": "What Telegram itself asks.",
    "health": "For whoever watches over the system.",
}


def document(routes: Iterable[ControllerRouterHandler]) -> dict[str, Any]:
    """The document of the routes, as JSON's own types."""
    described = Litestar(list(routes), openapi_config=_config(), logging_config=None)
    made = described.openapi_schema.to_schema()
    made["components"]["schemas"] = schemas_of(described)
    errors: dict[str, Any] = {}
    for item in made["paths"].values():
        for operation in item.values():
            mend(operation)
            share_errors(operation["responses"], errors)
    made["components"]["responses"] = dict(sorted(errors.items()))
    return made


def _config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Kotodom GPT",
        version=version("kotodom-gpt"),
        description=_DESCRIPTION,
        tags=[Tag(name, description) for name, description in _TAGS.items()],
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
        components=Components(
            security_schemes={
                "session": SecurityScheme(
                    type="apiKey",
                    name=SESSION_COOKIE,
                    security_scheme_in="cookie",
                    description="The cookie that POST /api/auth/login sets.",
                ),
                "apiKey": SecurityScheme(
                    type="http",
                    scheme="bearer",
                    bearer_format="kd_…",
                    description="A key of POST /api/api-keys: it acts for whoever made it.",
                ),
                "webhookSecret": SecurityScheme(
                    type="apiKey",
                    name=SECRET_HEADER,
                    security_scheme_in="header",
                    description="The secret that we gave Telegram with the bot's webhook.",
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
