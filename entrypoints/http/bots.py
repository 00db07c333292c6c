"""/api/bots: make, see, change, delete, enable, disable, webhook. 202: the wish is kept."""

from dishka import FromDishka
from litestar import delete, get, patch, post
from litestar.params import JSONBody

from application.bot_deletion import ErasedBot
from application.bot_forms import (
    BotPatch,
    BotView,
    CheckedToken,
    NewBot,
    TelegramView,
    TokenToCheck,
)
from application.bots import Bots
from application.paging import Page
from entrypoints.http.bodies import StrictJson
from entrypoints.http.ids import BotKey
from entrypoints.http.paging import Cursor, Limit
from entrypoints.http.problems import problems
from entrypoints.http.security import Asked


@get("/bots", tags=["bots"], responses=problems(400, 401))
async def list_bots(
    request: Asked, bots: FromDishka[Bots], limit: Limit = 50, cursor: Cursor = None
) -> Page[BotView]:
    """The bots one may see, newest first."""
    return await bots.browse(request.user.actor, limit, cursor)


@post(
    "/bots",
    tags=["bots"],
    dto=StrictJson[NewBot],
    return_dto=None,
    responses=problems(400, 401, 403, 409, 413, 415, 422, 502),
)
async def create_bot(data: JSONBody[NewBot], request: Asked, bots: FromDishka[Bots]) -> BotView:
    """Make a bot, once Telegram says that its token is right. It is not enabled yet."""
    return await bots.create(request.user.actor, data)


@post(
    "/bots/check-token",
    status_code=200,
    tags=["bots"],
    dto=StrictJson[TokenToCheck],
    return_dto=None,
    responses=problems(400, 401, 403, 413, 415, 422, 502),
)
async def check_token(
    data: JSONBody[TokenToCheck], request: Asked, bots: FromDishka[Bots]
) -> CheckedToken:
    """Ask Telegram whose token it is; 422 where Telegram refuses it."""
    return await bots.check_token(request.user.actor, data)


@get("/bots/{bot_id:int}", tags=["bots"], responses=problems(400, 401, 404))
async def get_bot(bot_id: BotKey, request: Asked, bots: FromDishka[Bots]) -> BotView:
    """One bot."""
    return await bots.get(request.user.actor, bot_id)


@patch(
    "/bots/{bot_id:int}",
    tags=["bots"],
    dto=StrictJson[BotPatch],
    return_dto=None,
    responses=problems(400, 401, 403, 404, 409, 413, 415, 422, 502),
)
async def change_bot(
    bot_id: BotKey, data: JSONBody[BotPatch], request: Asked, bots: FromDishka[Bots]
) -> BotView:
    """Change a bot; a new token, server or mode of delivery connects it anew."""
    return await bots.change(request.user.actor, bot_id, data)


@delete(
    "/bots/{bot_id:int}",
    status_code=202,
    tags=["bots"],
    responses=problems(400, 401, 403, 404),
)
async def delete_bot(bot_id: BotKey, request: Asked, bots: FromDishka[Bots]) -> ErasedBot:
    """Delete a bot. It is gone at once; its chats, messages, processing, updates and journal are
    erased afterwards.
    """
    return await bots.delete(request.user.actor, bot_id)


@post(
    "/bots/{bot_id:int}/enable",
    status_code=202,
    tags=["bots"],
    responses=problems(400, 401, 403, 404, 409),
)
async def enable_bot(bot_id: BotKey, request: Asked, bots: FromDishka[Bots]) -> BotView:
    """Let the bot answer: it is active once Telegram has agreed."""
    return await bots.enable(request.user.actor, bot_id)


@post(
    "/bots/{bot_id:int}/disable",
    status_code=202,
    tags=["bots"],
    responses=problems(400, 401, 403, 404),
)
async def disable_bot(bot_id: BotKey, request: Asked, bots: FromDishka[Bots]) -> BotView:
    """Let the bot be silent; the turns in flight finish."""
    return await bots.disable(request.user.actor, bot_id)


@post(
    "/bots/{bot_id:int}/webhook",
    status_code=202,
    tags=["bots"],
    responses=problems(400, 401, 403, 404, 409),
)
async def ensure_webhook(bot_id: BotKey, request: Asked, bots: FromDishka[Bots]) -> BotView:
    """Set the bot's webhook again."""
    return await bots.ensure_webhook(request.user.actor, bot_id)


@delete(
    "/bots/{bot_id:int}/webhook",
    status_code=202,
    tags=["bots"],
    responses=problems(400, 401, 403, 404),
)
async def remove_webhook(bot_id: BotKey, request: Asked, bots: FromDishka[Bots]) -> BotView:
    """Remove the bot's webhook."""
    return await bots.remove_webhook(request.user.actor, bot_id)


@get("/bots/{bot_id:int}/telegram", tags=["bots"], responses=problems(400, 401, 404))
async def get_bot_telegram(bot_id: BotKey, request: Asked, bots: FromDishka[Bots]) -> TelegramView:
    """What Telegram says of the bot now: getMe and getWebhookInfo."""
    return await bots.telegram(request.user.actor, bot_id)
