"""The Content-Security-Policy of built pages, put on whatever answers for them."""

from litestar.types import Message, Send


def with_policy(send: Send, policy: bytes) -> Send:
    """On every answer, a 304 too: a browser takes that one's headers for the page it has."""

    async def send_with_policy(message: Message) -> None:
        if message["type"] == "http.response.start":
            header = (b"content-security-policy", policy)
            message["headers"] = [*message.get("headers", ()), header]
        await send(message)

    return send_with_policy
