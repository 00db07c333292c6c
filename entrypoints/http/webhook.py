"""POST /webhook/{botId}: Telegram delivers an update; it is answered 200 once it is kept.

401 for a wrong secret (nothing is read or kept), 400 for what is no Update, 404 for a bot that is
gone, 413 for a body that no Update is as long as, 503 with Retry-After while PostgreSQL is away or
too much of the bot waits: Telegram then sends it again.
"""

from dataclasses import dataclass

from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.status_codes import HTTP_200_OK

from adapters.secret_box import SecretBox
from application.backlog import BacklogFull
from application.intake import Intake, Receipt
from application.jobs import Unavailable
from application.meter import Meter
from domain.telegram import NotAnUpdate
from entrypoints.http.ids import WEBHOOK_ID, WebhookKey
from entrypoints.http.problems import CLIENT_GONE, client_is_gone, problems

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the header's name (setWebhook)
MAX_BODY = 1024 * 1024
"""Bytes. Telegram's updates are far shorter: a message has 4096 characters."""
MAX_DRAINED = 16 * MAX_BODY


@dataclass
class _TakesUpdate(Operation):
    """What the OpenAPI document says of the body, of which we read but the least."""

    def __post_init__(self) -> None:
        number = Schema(type=OpenAPIType.INTEGER)
        update = Schema(
            type=OpenAPIType.OBJECT,
            properties={"update_id": number},
            required=["update_id"],
            description="An Update of the Bot API; whatever it holds is kept.",
        )
        shown = {"update_id": 801, "message": {"message_id": 101, "text": "Hello"}}
        content = {"application/json": OpenAPIMediaType(schema=update, example=shown)}
        self.request_body = RequestBody(content=content, required=True)


@post(
    "/webhook/{bot_id:str}",
    status_code=200,
    exclude_from_auth=True,
    request_max_body_size=None,
    operation_id="receiveUpdate",
    operation_class=_TakesUpdate,
    tags=["telegram"],
    security=[{"webhookSecret": []}],
    responses=problems(400, 401, 404, 413),
)
async def webhook(bot_id: WebhookKey, request: Request[None, None, State]) -> Response[None]:
    """Keep an update of the bot."""
    meter: Meter = request.app.state.meter
    try:
        await _keep(bot_id, request)
    except HTTPException as refused:
        meter.webhook(CLIENT_GONE if client_is_gone(refused) else refused.status_code)
        raise
    meter.webhook(HTTP_200_OK)
    return Response(None, status_code=HTTP_200_OK)


async def _keep(bot_id: str, request: Request[None, None, State]) -> None:
    """The update is kept when this returns. Raises HTTPException."""
    box: SecretBox = request.app.state.secret_box
    intake: Intake = request.app.state.intake
    given = request.headers.get(SECRET_HEADER, "").encode("latin-1", "replace")
    known = WEBHOOK_ID.fullmatch(bot_id) is not None
    if not known or not box.is_webhook_secret(int(bot_id), given):
        await _drain(request)
        raise HTTPException(status_code=401, detail="The secret token is not this bot's.")
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
        raise HTTPException(status_code=404, detail="There is no such bot.")


def _later(detail: str, seconds: int) -> HTTPException:
    return HTTPException(status_code=503, detail=detail, headers={"Retry-After": str(seconds)})


async def _body(request: Request[None, None, State]) -> bytes:
    """The body, kept no further than it may be long."""
    body = bytearray()
    read = 0
    async for chunk in request.stream():  # to its end: where it is over, another read would hang
        read += len(chunk)
        if read <= MAX_BODY:
            body += chunk
        elif read > MAX_DRAINED:
            break
    if read > MAX_BODY:
        raise HTTPException(status_code=413, detail=f"An update has at most {MAX_BODY} bytes.")
    return bytes(body)


async def _drain(request: Request[None, None, State]) -> None:
    """Read on and forget: a client that is cut off while it sends never sees the answer."""
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read > MAX_DRAINED:
            return
