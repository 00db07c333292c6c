"""/api/chats: chats and their messages, and what a person does in one."""

from datetime import datetime
from typing import Annotated

from dishka import FromDishka
from litestar import delete, get, post
from litestar.params import JSONBody, QueryParameter

from application.chat_actions import ChatActions, Erased, NewMessage, Waiting
from application.chats import ChatFilter, Chats, ChatView, MessageView
from application.paging import Page
from entrypoints.http.bodies import StrictJson
from entrypoints.http.ids import ChatKey
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
async def get_chat(chat_id: ChatKey, request: Asked, chats: FromDishka[Chats]) -> ChatView:
    """One chat."""
    return await chats.get(request.user.actor, chat_id)


@get("/chats/{chat_id:str}/messages", tags=["chats"], responses=problems(400, 401, 404))
async def list_messages(
    chat_id: ChatKey,
    request: Asked,
    chats: FromDishka[Chats],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[MessageView]:
    """A chat's messages, newest first."""
    return await chats.messages(request.user.actor, chat_id, limit, cursor)


@post(
    "/chats/{chat_id:str}/messages",
    status_code=202,
    tags=["chats"],
    dto=StrictJson[NewMessage],
    return_dto=None,
    responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
)
async def write_message(
    chat_id: ChatKey,
    data: JSONBody[NewMessage],
    request: Asked,
    actions: FromDishka[ChatActions],
) -> Waiting:
    """Write to a chat in the bot's name: it joins the chat's line, and is history afterwards."""
    return await actions.write(request.user.actor, chat_id, data.text)


@post(
    "/chats/{chat_id:str}/refresh",
    status_code=202,
    tags=["chats"],
    responses=problems(400, 401, 403, 404),
)
async def refresh_chat(
    chat_id: ChatKey, request: Asked, actions: FromDishka[ChatActions]
) -> Waiting:
    """Let the model forget what was said: it does when the chat's line has come to it."""
    return await actions.refresh(request.user.actor, chat_id)


@post(
    "/chats/{chat_id:str}/pause",
    status_code=200,
    tags=["chats"],
    responses=problems(400, 401, 403, 404, 409),
)
async def pause_chat(
    chat_id: ChatKey, request: Asked, actions: FromDishka[ChatActions]
) -> ChatView:
    """Pause a chat: what users write is kept unanswered; an answer in progress is finished."""
    return await actions.pause(request.user.actor, chat_id)


@post(
    "/chats/{chat_id:str}/resume",
    status_code=200,
    tags=["chats"],
    responses=problems(400, 401, 403, 404, 409),
)
async def resume_chat(
    chat_id: ChatKey, request: Asked, actions: FromDishka[ChatActions]
) -> ChatView:
    """Let the model answer again in a paused chat; it knows what was said meanwhile."""
    return await actions.resume(request.user.actor, chat_id)


@delete(
    "/chats/{chat_id:str}",
    status_code=200,
    tags=["chats"],
    responses=problems(400, 401, 403, 404),
)
async def delete_chat(chat_id: ChatKey, request: Asked, actions: FromDishka[ChatActions]) -> Erased:
    """Erase a chat with all that was said in it; a message that comes later begins it anew."""
    return await actions.delete(request.user.actor, chat_id)
