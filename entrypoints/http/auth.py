"""/api/auth: sign in, sign out, who am I, change the password."""

from typing import Annotated, Any

import msgspec
from dishka import FromDishka
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import JSONBody
from msgspec import Meta, Struct

from application.sessions import SESSION_SECONDS, Sessions
from application.users import LONGEST_PASSWORD, Email, NewPassword, User
from entrypoints.http.bodies import StrictJson
from entrypoints.http.problems import problems
from entrypoints.http.security import (
    DEVICE_COOKIE,
    SESSION_COOKIE,
    Asked,
    SessionOnly,
    address_of,
    by_session,
    device_cookie,
    session_cookie,
)

Password = Annotated[str, Meta(max_length=LONGEST_PASSWORD)]


class Credentials(Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants to sign in."""

    email: Email
    password: Password


class PasswordChange(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The new password has at least eight characters."""

    current_password: Password
    new_password: NewPassword


@post(
    "/auth/login",
    status_code=200,
    tags=["auth"],
    security=[{}],
    dto=StrictJson[Credentials],
    return_dto=None,
    responses=problems(400, 401, 403, 413, 415, 422, 429),
)
async def login(
    data: JSONBody[Credentials], request: Request[Any, Any, State], sessions: FromDishka[Sessions]
) -> Response[User]:
    """Sign in: the session is in a cookie."""
    signed_in = await sessions.sign_in(
        data.email, data.password, address_of(request), request.cookies.get(DEVICE_COOKIE)
    )
    cookies = [
        session_cookie(request, signed_in.session, SESSION_SECONDS),
        device_cookie(request, signed_in.device),
    ]
    return Response(signed_in.user, cookies=cookies)


@post("/auth/logout", status_code=204, tags=["auth"], security=[{}], responses=problems(403))
async def logout(
    request: Request[Any, Any, State], sessions: FromDishka[Sessions]
) -> Response[None]:
    """End the session; nothing happens where there is none."""
    await sessions.sign_out(request.cookies.get(SESSION_COOKIE))
    return Response(None, cookies=[session_cookie(request, "", 0)])


@get("/auth/me", operation_id="getMe", tags=["auth"], responses=problems(401))
async def me(request: Asked) -> Response[User]:
    """Who is signed in, or for whom the API key acts; the session's cookie lives on from now."""
    if not by_session(request):
        return Response(msgspec.convert(request.user, User, from_attributes=True))
    session = request.cookies[SESSION_COOKIE]
    return Response(request.user, cookies=[session_cookie(request, session, SESSION_SECONDS)])


@post(
    "/auth/password",
    status_code=204,
    tags=["auth"],
    operation_class=SessionOnly,
    dto=StrictJson[PasswordChange],
    return_dto=None,
    responses=problems(400, 401, 403, 409, 413, 415, 422, 429),
)
async def change_password(
    data: JSONBody[PasswordChange], request: Asked, sessions: FromDishka[Sessions]
) -> Response[None]:
    """Change one's own password; every session of the user ends, this one too."""
    await sessions.change_password(request.user.actor, data.current_password, data.new_password)
    return Response(None, cookies=[session_cookie(request, "", 0)])
