"""/api/chats: chats and their messages."""

from datetime import datetime
from typing import Annotated

from dishka import FromDishka
from litestar import get
from litestar.params import FromPath, QueryParameter

from application.chats import ChatFilter, Chats, ChatView, MessageView
from application.paging import Page
from entrypoints.http.paging import BotId, Cursor, Limit, Words, moment, words
from entrypoints.http.problems import problems
from entrypoints.http.security import Asked

ActiveSince = Annotated[
    datetime | None, QueryParameter(name="activeSince", description="With a message then or later")
]


@get("/chats", tags=["chats"], responses=problems(400, 401))
async def list_chats(
    request: Asked,
    chats: FromDishka[Chats],
    bot_id: BotId = None,
    q: Words = None,
    active_since: ActiveSince = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ChatView]:
    """Chats, the one with the latest message first."""
    asked = ChatFilter(bot_id, words(q), moment(active_since, "activeSince"))
    return await chats.browse(request.user.actor, asked, limit, cursor)


@get("/chats/{chat_id:str}", tags=["chats"], responses=problems(400, 401, 404))
async def get_chat(chat_id: FromPath[str], request: Asked, chats: FromDishka[Chats]) -> ChatView:
    """One chat."""
    return await chats.get(request.user.actor, chat_id)


@get("/chats/{chat_id:str}/messages", tags=["chats"], responses=problems(400, 401, 404))
async def list_messages(
    chat_id: FromPath[str],
    request: Asked,
    chats: FromDishka[Chats],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[MessageView]:
    """A chat's messages, newest first."""
    return await chats.messages(request.user.actor, chat_id, limit, cursor)
