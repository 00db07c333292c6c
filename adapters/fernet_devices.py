"""Which accounts a browser has signed in to, in a token it keeps (fulfils sessions.Devices).

The token is encrypted with SECRET_KEY, so it cannot be made or changed by others; it opens
nothing, it only gives its browser a count of wrong passwords of its own.
"""

import secrets
from contextlib import suppress

import msgspec
from msgspec import Struct

from adapters.secret_box import SecretBox, SecretUnreadable

REMEMBERED = 8
"""How many accounts a browser is known for."""


class _Device(Struct, tag="device"):
    id: str
    user_ids: list[str]


class FernetDevices:
    """One instance per process."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def knows(self, token: str | None, user_id: str) -> str | None:
        """The browser's own id where it has signed in to the account before."""
        device = self._read(token)
        return device.id if device is not None and user_id in device.user_ids else None

    def remember(self, token: str | None, user_id: str) -> str:
        """The token with one more account in it; a token that is not ours is replaced."""
        device = self._read(token) or _Device(secrets.token_urlsafe(12), [])
        others = [known for known in device.user_ids if known != user_id]
        device.user_ids = [*others, user_id][-REMEMBERED:]
        return self._box.encrypt(msgspec.json.encode(device).decode())

    def _read(self, token: str | None) -> _Device | None:
        if token:
            with suppress(SecretUnreadable, msgspec.MsgspecError, UnicodeEncodeError):
                return msgspec.json.decode(self._box.decrypt(token), type=_Device)
        return None
