"""What built pages have in common: their Content-Security-Policy, and lasting redirects."""

from litestar.types import Message, Send


def with_policy(send: Send, policy: bytes) -> Send:
    """On every answer, a 304 too: a browser takes that one's headers for the page it has."""

    async def send_with_policy(message: Message) -> None:
        if message["type"] == "http.response.start":
            header = (b"content-security-policy", policy)
            message["headers"] = [*message.get("headers", ()), header]
        await send(message)

    return send_with_policy


def permanently(send: Send) -> Send:
    """/docs is and stays /docs/: its redirect says so, and that the method is kept."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 302:
            message["status"] = 308
        await send(message)

    return sent
