"""Who may do what: roles, actions, and the one decision (DESIGN §8).

Asked by every use case that acts for a person. A USER makes, sees and runs the bots it owns; a
MANAGER every bot, chat, message and job; ADMIN also users, settings, audit, and the servers that
bots talk to. What one may not see does not exist; what one may see but not do is forbidden.

An API key acts for its maker, with a role of its own that is never above the maker's; a key makes
no keys, no users and changes none, so that one which leaked ends when it is revoked.
"""

from enum import StrEnum
from typing import assert_never

from msgspec import Struct


class Role(StrEnum):
    """What a person is here."""

    ADMIN = "ADMIN"
    MANAGER = "MANAGER"
    USER = "USER"


class UserStatus(StrEnum):
    """DISABLED: may not sign in, and every session of theirs is over."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"


class Actor(Struct, frozen=True):
    """Whoever asks: a user (`id` is a uuid in text), `by_key`: with one of their API keys."""

    id: str
    email: str
    role: Role
    by_key: bool = False


class Action(StrEnum):
    """What may be asked for."""

    MAKE_BOTS = "make bots"
    USE_BOT = "use a bot, its chats, messages and processing"
    NAME_SERVERS = "name the servers that a bot talks to"
    USE_JOBS = "use jobs"
    SEE_USERS = "see users"
    MANAGE_USERS = "make and change users"
    MANAGE_SETTINGS = "manage settings"
    READ_AUDIT = "read the audit log"
    MAKE_KEYS = "make API keys"
    USE_KEY = "see or revoke an API key"
    CHANGE_PASSWORD = "change one's own password"  # noqa: S105 - the wish, no password


class Decision(StrEnum):
    """HIDDEN: it does not exist for whoever asks (404); FORBIDDEN: it does (403)."""

    ALLOWED = "ALLOWED"
    FORBIDDEN = "FORBIDDEN"
    HIDDEN = "HIDDEN"


_SESSION_ONLY = frozenset({Action.MAKE_KEYS, Action.MANAGE_USERS, Action.CHANGE_PASSWORD})
_RISING = (Role.USER, Role.MANAGER, Role.ADMIN)


def decide(role: Role, action: Action, *, own: bool = False, by_key: bool = False) -> Decision:
    """Whether the role may do it; `own`: the bot or key in question is the asker's."""
    if by_key and action in _SESSION_ONLY:
        return Decision.FORBIDDEN
    match action:
        case Action.MAKE_BOTS | Action.MAKE_KEYS | Action.CHANGE_PASSWORD:
            return Decision.ALLOWED
        case Action.USE_KEY:
            return Decision.ALLOWED if own or sees_every_key(role) else Decision.HIDDEN
        case Action.USE_BOT:
            return Decision.ALLOWED if own or sees_every_bot(role) else Decision.HIDDEN
        case Action.USE_JOBS:
            return Decision.ALLOWED if sees_every_bot(role) else Decision.FORBIDDEN
        case (
            Action.NAME_SERVERS
            | Action.SEE_USERS
            | Action.MANAGE_USERS
            | Action.MANAGE_SETTINGS
            | Action.READ_AUDIT
        ):
            return Decision.ALLOWED if role is Role.ADMIN else Decision.FORBIDDEN
        case unreachable:
            assert_never(unreachable)


def sees_every_bot(role: Role) -> bool:
    """Whether a query for bots and what is theirs goes beyond those that one owns."""
    return role is not Role.USER


def owner_filter(actor: Actor) -> str | None:
    """The owner that a query must be narrowed to; None: no narrowing."""
    return None if sees_every_bot(actor.role) else actor.id


def sees_every_key(role: Role) -> bool:
    """Whether a query for API keys goes beyond those that one has made."""
    return role is Role.ADMIN


def maker_filter(actor: Actor) -> str | None:
    """The maker that a query for API keys must be narrowed to; None: no narrowing."""
    return None if sees_every_key(actor.role) else actor.id


def narrower(one: Role, other: Role) -> Role:
    """The role that may do less."""
    return min(one, other, key=_RISING.index)
