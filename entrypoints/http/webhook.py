"""POST /webhook/{botId}: Telegram delivers an update; it is answered 200 once it is kept.

401 for a wrong secret (nothing is read or kept), 400 for what is no Update, 404 for a bot that is
gone, 413 for a body that no Update is as long as, 503 with Retry-After while PostgreSQL is away or
too much of the bot waits: Telegram then sends it again.
"""

from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from adapters.secret_box import SecretBox
from application.backlog import BacklogFull
from application.intake import Intake, Receipt
from application.jobs import Unavailable
from domain.telegram import NotAnUpdate
from entrypoints.http.problems import problems

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the header's name (setWebhook)
MAX_BODY = 1024 * 1024
"""Bytes. Telegram's updates are far shorter: a message has 4096 characters."""
MAX_DRAINED = 16 * MAX_BODY


@post(
    "/webhook/{bot_id:str}",
    status_code=200,
    exclude_from_auth=True,
    request_max_body_size=None,
    tags=["telegram"],
    security=[{}],
    responses=problems(400, 401, 404, 413),
)
async def webhook(bot_id: FromPath[str], request: Request[None, None, State]) -> Response[None]:
    """Keep an update of the bot."""
    box: SecretBox = request.app.state.secret_box
    intake: Intake = request.app.state.intake
    given = request.headers.get(SECRET_HEADER, "").encode("latin-1", "replace")
    if not bot_id.isdecimal() or len(bot_id) > 18 or not box.is_webhook_secret(int(bot_id), given):
        await _drain(request)
        raise HTTPException(status_code=401, detail="the secret token is not this bot's")
    body = await _body(request)
    try:
        receipt = await intake.receive(int(bot_id), body)
    except NotAnUpdate as error:
        raise HTTPException(status_code=400, detail=str(error)) from None
    except Unavailable:
        raise _later("PostgreSQL is away", 2) from None
    except BacklogFull as full:
        raise _later(str(full), 10) from None
    if receipt is Receipt.UNKNOWN_BOT:
        raise HTTPException(status_code=404, detail="there is no such bot")
    return Response(None, status_code=200)


def _later(detail: str, seconds: int) -> HTTPException:
    return HTTPException(status_code=503, detail=detail, headers={"Retry-After": str(seconds)})


async def _body(request: Request[None, None, State]) -> bytes:
    """The body, read no further than it may be long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            await _drain(request)
            raise HTTPException(status_code=413, detail=f"an update has at most {MAX_BODY} bytes")
    return bytes(body)


async def _drain(request: Request[None, None, State]) -> None:
    """Read on and forget: a client that is cut off while it sends never sees the answer."""
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read > MAX_DRAINED:
            return
