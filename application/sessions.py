"""Signing in and out: sessions, wrong passwords, and who is asking.

Triggered by every request that needs a person. A session is ended by signing out, by a change of
the password (it remembers a stamp of the hash it was made under) and by disabling its user.

Wrong passwords are counted per account and per address for 15 minutes; a browser that has signed
in to the account before has a count of its own, so a stranger cannot lock the owner out. An unknown
e-mail takes as long, and counts as much, as a known one.
"""

import asyncio
import unicodedata
from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

from msgspec import Struct

from application.audit import NOBODYS_EMAIL, asked_by, changed
from application.refusals import Conflict, FieldError, Invalid, TooMany, Unauthenticated, require
from application.users import Account, Passwords, User, UserStore, note_change, password_errors
from domain.access import Action, Actor, UserStatus

SESSION_SECONDS = 14 * 24 * 3600
"""How long a session lives after its last use."""

WRONG_PER_ACCOUNT = 6
WRONG_PER_ADDRESS = 29
"""How many wrong passwords are answered as such within the window; the next one is refused."""


class Session(Struct, frozen=True):
    """What the store keeps of a session: whose it is, under which password it was made."""

    user_id: str
    stamp: str


class SessionStore(Protocol):
    """Sessions by their secret id, for 14 days after their last use. Raises SessionsAway."""

    async def create(self, session: Session) -> str:
        """The new session's secret id (256 random bits)."""
        ...

    async def read(self, session_id: str) -> Session | None: ...

    async def end(self, session_id: str) -> None: ...

    async def end_all(self, user_id: str) -> None: ...

    async def ping(self) -> None: ...


class Bucket(Struct, frozen=True):
    """A count of wrong passwords: of whom, and how many are answered as wrong."""

    name: str
    limit: int


class LoginLimits(Protocol):
    """Counts that forget after 15 minutes. Raises SessionsAway."""

    async def wait(self, buckets: Sequence[Bucket]) -> int:
        """Seconds until none of them is full; 0 where none is."""
        ...

    async def count(self, buckets: Sequence[Bucket]) -> int:
        """Count a wrong password in all of them; seconds to wait where that was one too many."""
        ...


class Devices(Protocol):
    """Signed tokens that a browser keeps: which accounts it has signed in to."""

    def knows(self, token: str | None, user_id: str) -> str | None:
        """The browser's own id where it has signed in to the account before."""
        ...

    def remember(self, token: str | None, user_id: str) -> str:
        """The token with one more account in it."""
        ...


class SignedIn(Struct, frozen=True):
    """`session` and `device` are the values of the cookies."""

    user: User
    session: str
    device: str


class Sessions:
    """The use case. One instance per process: it verifies one password at a time (64 MiB each)."""

    def __init__(
        self,
        users: UserStore,
        passwords: Passwords,
        store: SessionStore,
        limits: LoginLimits,
        devices: Devices,
    ) -> None:
        self._users = users
        self._passwords = passwords
        self._store = store
        self._limits = limits
        self._devices = devices
        self._verifying = asyncio.Lock()

    async def sign_in(
        self, email: str, password: str, address: str, device: str | None = None
    ) -> SignedIn:
        """Raises Unauthenticated, TooMany, SessionsAway."""
        email = email.strip()
        account = await self._users.by_email(email)
        asked_by(None, email if account is not None else NOBODYS_EMAIL)
        buckets = self._buckets(email, account, address, device)
        await self._refuse_full(buckets)
        right = await self._verify(account, password, buckets)
        if account is None or not right:
            raise Unauthenticated("The e-mail and the password do not belong together.")
        stamp = _stamp(await self._renewed(account, password))
        session = await self._store.create(Session(account.user.id, stamp))
        asked_by(account.user.id, account.user.email)
        changed(f"user:{account.user.id}", None, None)
        return SignedIn(account.user, session, self._devices.remember(device, account.user.id))

    async def user(self, session_id: str | None) -> User:
        """Whose session it is. Raises Unauthenticated, SessionsAway."""
        session = await self._store.read(session_id) if session_id else None
        account = await self._users.by_id(session.user_id) if session is not None else None
        if (
            session is None
            or account is None
            or account.user.status is not UserStatus.ACTIVE
            or session.stamp != _stamp(account.password_hash)
        ):
            raise Unauthenticated("Sign in first.")
        return account.user

    async def sign_out(self, session_id: str | None) -> None:
        """A session that is over already is fine."""
        session = await self._store.read(session_id) if session_id else None
        if session_id and session is not None:
            asked_by(session.user_id, None)
            await self._store.end(session_id)
            changed(f"user:{session.user_id}", None, None, user_id=session.user_id)

    async def change_password(self, actor: Actor, current: str, new: str) -> None:
        """Ends all sessions of the user, this one too.

        Wrong ones are counted by user: what strangers try does not keep who is signed in from it.
        Raises Invalid, TooMany; SessionsAway (then nothing has changed); Conflict where the
        password has become another one meanwhile; Forbidden where an API key asks.
        """
        require(actor, Action.CHANGE_PASSWORD)
        if errors := password_errors(new, "newPassword"):
            raise Invalid(errors)
        account = await self._users.by_id(actor.id)
        buckets = [Bucket(f"own:{actor.id}", WRONG_PER_ACCOUNT)]
        await self._refuse_full(buckets)
        if not await self._verify(account, current, buckets) or account is None:
            raise Invalid([FieldError("currentPassword", "is not your password")])
        password_hash = await self._passwords.hash(new)
        async with self._users.transaction() as transaction:
            before = await transaction.lock(actor.id)
            after = await transaction.replace_password(
                actor.id, account.password_hash, password_hash
            )
            if before is None or after is None:
                raise Conflict(
                    "Your password has been changed meanwhile: sign in with the new one first."
                )
            await self._store.end_all(actor.id)
        note_change(before, after, password=True)

    async def end_all(self, user_id: str) -> None:
        """For whoever disables a user."""
        await self._store.end_all(user_id)

    def _buckets(
        self, email: str, account: Account | None, address: str, device: str | None
    ) -> list[Bucket]:
        name = _counted_as(email)
        known = self._devices.knows(device, account.user.id) if account is not None else None
        if known is not None:
            return [Bucket(f"device:{known}:{name}", WRONG_PER_ACCOUNT)]
        return [
            Bucket(f"account:{name}", WRONG_PER_ACCOUNT),
            Bucket(f"address:{address}", WRONG_PER_ADDRESS),
        ]

    async def _renewed(self, account: Account, password: str) -> str:
        """The hash that the session is made under: today's, in the place of an outdated one.

        Where the password has become another one meanwhile, that stays; the session is over then.
        """
        if not self._passwords.outdated(account.password_hash):
            return account.password_hash
        renewed = await self._passwords.hash(password)
        async with self._users.transaction() as transaction:
            replaced = await transaction.replace_password(
                account.user.id, account.password_hash, renewed
            )
        if replaced is not None:
            return renewed
        now = await self._users.by_id(account.user.id)  # somebody else who renewed it, perhaps
        right = now is not None and await self._passwords.verify(now.password_hash, password)
        return now.password_hash if now is not None and right else account.password_hash

    async def _verify(
        self, account: Account | None, password: str, buckets: Sequence[Bucket]
    ) -> bool:
        async with self._verifying:
            # Again, now that it is our turn: whoever was before us may have filled a bucket.
            await self._refuse_full(buckets)
            password_hash = account.password_hash if account is not None else None
            right = await self._passwords.verify(password_hash, password)
            if right and account is not None and account.user.status is UserStatus.ACTIVE:
                return True
            _refuse(await self._limits.count(buckets))
            return False

    async def _refuse_full(self, buckets: Sequence[Bucket]) -> None:
        _refuse(await self._limits.wait(buckets))


def _refuse(after: int) -> None:
    if after > 0:
        raise TooMany("Too many wrong passwords. Try again later.", after)


def _counted_as(email: str) -> str:
    """What an e-mail is counted under: without case and marks above and below its letters.

    Whatever PostgreSQL takes for the same e-mail (citext: in lower case, by its locale, in most of
    which "İ" is an "i") must have one count; that others share it does no harm.
    """
    letters = unicodedata.normalize("NFKD", email)
    return "".join(each for each in letters if not unicodedata.combining(each)).casefold()


def _stamp(password_hash: str) -> str:
    return sha256(password_hash.encode()).hexdigest()[:16]
