"""/api/api-keys: keys for scripts, shown once; one's own, or everybody's for ADMIN."""

from dishka import FromDishka
from litestar import delete, get, post
from litestar.params import JSONBody

from application.api_keys import ApiKeys, ApiKeyView, CreatedApiKey, NewApiKey
from application.paging import Page
from entrypoints.http.bodies import StrictJson
from entrypoints.http.ids import ApiKeyKey
from entrypoints.http.paging import Cursor, Limit
from entrypoints.http.problems import problems
from entrypoints.http.security import Asked, SessionOnly


@get("/api-keys", tags=["api keys"], responses=problems(400, 401))
async def list_api_keys(
    request: Asked, api_keys: FromDishka[ApiKeys], limit: Limit = 50, cursor: Cursor = None
) -> Page[ApiKeyView]:
    """One's own keys, newest first; ADMIN sees everybody's. Revoked ones are gone."""
    return await api_keys.browse(request.user.actor, limit, cursor)


@post(
    "/api-keys",
    tags=["api keys"],
    operation_class=SessionOnly,
    dto=StrictJson[NewApiKey],
    return_dto=None,
    responses=problems(400, 401, 403, 413, 415, 422),
)
async def create_api_key(
    data: JSONBody[NewApiKey], request: Asked, api_keys: FromDishka[ApiKeys]
) -> CreatedApiKey:
    """Make a key, which acts for its maker: the answer tells it, once. Needs a session."""
    return await api_keys.create(request.user.actor, data)


@delete("/api-keys/{key_id:int}", tags=["api keys"], responses=problems(400, 401, 403, 404))
async def revoke_api_key(key_id: ApiKeyKey, request: Asked, api_keys: FromDishka[ApiKeys]) -> None:
    """Revoke a key: it is over at once."""
    await api_keys.revoke(request.user.actor, key_id)
