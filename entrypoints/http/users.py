"""/api/users: who may sign in, as what. For ADMIN."""

from dishka import FromDishka
from litestar import get, patch, post
from litestar.params import JSONBody

from application.admin_users import AdminUsers, NewUser, UserPatch
from application.paging import Page
from application.users import User
from entrypoints.http.bodies import StrictJson
from entrypoints.http.ids import UserKey
from entrypoints.http.paging import Cursor, Limit
from entrypoints.http.problems import problems
from entrypoints.http.security import Asked, SessionOnly


@get("/users", tags=["users"], responses=problems(400, 401, 403))
async def list_users(
    request: Asked, users: FromDishka[AdminUsers], limit: Limit = 50, cursor: Cursor = None
) -> Page[User]:
    """Every user, newest first."""
    return await users.browse(request.user.actor, limit, cursor)


@post(
    "/users",
    operation_class=SessionOnly,
    tags=["users"],
    dto=StrictJson[NewUser],
    return_dto=None,
    responses=problems(400, 401, 403, 409, 413, 415, 422),
)
async def create_user(
    data: JSONBody[NewUser], request: Asked, users: FromDishka[AdminUsers]
) -> User:
    """Make a user, who may sign in at once."""
    return await users.create(request.user.actor, data)


@patch(
    "/users/{user_id:str}",
    operation_class=SessionOnly,
    tags=["users"],
    dto=StrictJson[UserPatch],
    return_dto=None,
    responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
)
async def change_user(
    user_id: UserKey,
    data: JSONBody[UserPatch],
    request: Asked,
    users: FromDishka[AdminUsers],
) -> User:
    """Change a user; another role or password, or disabling, ends the user's sessions.

    409 where it would leave no ACTIVE ADMIN.
    """
    return await users.change(request.user.actor, user_id, data)
