"""Secrets at rest, and what is derived from SECRET_KEY: encryption, webhook secrets, fingerprints.

SECRET_KEY may hold several keys, separated by commas: the first encrypts, all decrypt (rotation).
"""

import base64
import hmac
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_ID_LENGTH = 8
"""Hexadecimal digits."""


class SecretUnreadable(Exception):  # noqa: N818 - what the secret is
    """A stored secret was encrypted with a key that SECRET_KEY does not hold."""


class SecretBox:
    """Encrypts tokens and keys for the database; derives each bot's webhook secret."""

    def __init__(self, secret_key: str) -> None:
        keys = [key.strip().encode() for key in secret_key.split(",")]
        fernets = [Fernet(base64.urlsafe_b64encode(_derive(key, b"encryption"))) for key in keys]
        self._newest, self._fernet = fernets[0], MultiFernet(fernets)
        self._webhook_keys = [_derive(key, b"webhook") for key in keys]
        self.key_ids = tuple(_derive(key, b"id").hex()[:KEY_ID_LENGTH] for key in keys)
        """Names of the keys, the newest first: they tell keys apart, and nothing of them."""

    def encrypt(self, secret: str) -> str:
        """The secret as it is stored."""
        return self._fernet.encrypt(secret.encode()).decode()

    def decrypt(self, stored: str) -> str:
        """The secret again. Raises SecretUnreadable."""
        try:
            return self._fernet.decrypt(stored.encode()).decode()
        except InvalidToken:
            raise SecretUnreadable(
                "a stored token or key cannot be decrypted: SECRET_KEY has changed; "
                "put the former key back, after a comma"
            ) from None

    def renewed(self, stored: str) -> str | None:
        """The secret as the newest key stores it; None where it does. Raises SecretUnreadable."""
        try:
            self._newest.decrypt(stored.encode())
        except InvalidToken:
            return self.encrypt(self.decrypt(stored))
        return None

    def webhook_secret(self, bot_id: int) -> str:
        """The secret_token of the bot's webhook (64 of [0-9a-f]; Bot API 10.3, setWebhook)."""
        return _webhook_secret(self._webhook_keys[0], bot_id)

    def is_webhook_secret(self, bot_id: int, given: bytes) -> bool:
        """Whether a request's secret is the bot's, compared in constant time."""
        held = [
            hmac.compare_digest(_webhook_secret(key, bot_id).encode(), given)
            for key in self._webhook_keys
        ]
        return any(held)


def fingerprint(token: str) -> str:
    """A token's digest: finds the bot that has it already, and tells nothing of the token."""
    return sha256(b"kotodom-token:" + token.encode()).hexdigest()


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"kotodom-" + purpose).derive(key)


def _webhook_secret(key: bytes, bot_id: int) -> str:
    return hmac.new(key, str(bot_id).encode(), sha256).hexdigest()
