"""Passwords by Argon2id (fulfils application.users.Passwords).

The parameters are argon2-cffi's defaults, RFC 9106's second recommendation: 64 MiB, 3 passes. A
hash is made in a thread: it takes some 50 ms of a core, and argon2 lets go of the GIL.
"""

import asyncio
import secrets

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.profiles import RFC_9106_LOW_MEMORY


class Argon2Passwords:
    """One instance per process."""

    def __init__(self, parameters: Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher.from_parameters(parameters)
        self._dummy: str | None = None

    async def hash(self, password: str) -> str:
        """A PHC string, with its parameters and a random salt."""
        return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether they belong together; None takes as long and is never right."""
        if password_hash is None:
            if self._dummy is None:
                self._dummy = await self.hash(self.generate())
            await asyncio.to_thread(self._matches, self._dummy, password)
            return False
        return await asyncio.to_thread(self._matches, password_hash, password)

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def generate(self) -> str:
        """96 random bits in 16 characters."""
        return secrets.token_urlsafe(12)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (Argon2Error, InvalidHashError):
            return False
