"""The ids that stand in paths. What is none, and what is nobody's, is 404."""

import re
from typing import Annotated, Any

from litestar.openapi.spec import Example
from litestar.params import PathParameter

from application.chats import CHAT_ID


def _id(
    whose: str,
    example: int | str,
    **schema: Any,  # noqa: ANN401 - any JSON Schema
) -> PathParameter:
    return PathParameter(
        description=f"{whose} id", examples=[Example(value=example)], schema_extra=schema
    )


# Told to readers of the document, and not checked by Litestar, which would answer 400.
_BIGINT = {"format": "int64", "minimum": 1}

BotKey = Annotated[int, _id("The bot's", 3, **_BIGINT)]
ChatKey = Annotated[str, _id("The chat's", "3:42", pattern=f"^{CHAT_ID.pattern}$")]
ProcessingKey = Annotated[int, _id("The message's", 101, **_BIGINT)]
JobKey = Annotated[int, _id("The job's", 55, **_BIGINT)]
ApiKeyKey = Annotated[int, _id("The key's", 7, **_BIGINT)]
UserKey = Annotated[str, _id("The user's", "5f0c1c1e-3c56-4b1c-9f0e-2b7f3c3a9d11", format="uuid")]
WEBHOOK_ID = re.compile("0|[1-9][0-9]{0,17}")
WebhookKey = Annotated[str, _id("The bot's", "3", pattern=f"^({WEBHOOK_ID.pattern})$")]
