"""What a layer answers that stands before the application: a problem, by ASGI alone."""

import msgspec
from litestar.types import Send

from entrypoints.http.problems import MEDIA_TYPE, problem


async def refuse(send: Send, status: int, detail: str, *headers: tuple[bytes, bytes]) -> None:
    """Answer with a problem. `headers`: those that it has besides its type and length."""
    body = msgspec.json.encode(problem(status, detail))
    length = str(len(body)).encode()
    content = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", length)]
    await send({"type": "http.response.start", "status": status, "headers": [*content, *headers]})
    await send({"type": "http.response.body", "body": body, "more_body": False})
