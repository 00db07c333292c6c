"""Whether the system can do its work: what GET /health/ready says, part by part.

PostgreSQL and its schema are needed for everything; with Valkey away only sign-in waits, so that
alone leaves the system ready.
"""

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from application.jobs import Unavailable
from application.refusals import SessionsAway
from application.sessions import SessionStore


class PartStatus(StrEnum):
    """BEHIND: the schema is older than this code; run `kotodom migrate`."""

    OK = "ok"
    DOWN = "down"
    BEHIND = "behind"
    UNKNOWN = "unknown"


class DatabaseState(Struct, frozen=True):
    """`queue_age`: seconds that the oldest due job has waited; 0 where none waits."""

    schema_current: bool
    queue_age: float


class DatabaseProbe(Protocol):
    """A look at PostgreSQL. Raises Unavailable."""

    async def look(self) -> DatabaseState: ...


class Parts(Struct, frozen=True, rename="camel"):
    """Each part that the system is made of."""

    postgres: PartStatus
    migrations: PartStatus
    valkey: PartStatus


class Readiness(Struct, frozen=True, rename="camel"):
    """`status`: ok, degraded (a part is away that messages do not need) or down."""

    status: str
    parts: Parts
    queue_age_seconds: float | None

    @property
    def ready(self) -> bool:
        """Whether messages are answered."""
        return self.status != "down"


class Health:
    """The use case."""

    def __init__(self, database: DatabaseProbe, sessions: SessionStore) -> None:
        self._database = database
        self._sessions = sessions

    async def readiness(self) -> Readiness:
        """How each part is, now."""
        try:
            await self._sessions.ping()
            valkey = PartStatus.OK
        except SessionsAway:
            valkey = PartStatus.DOWN
        try:
            state = await self._database.look()
        except Unavailable:
            return Readiness("down", Parts(PartStatus.DOWN, PartStatus.UNKNOWN, valkey), None)
        schema = PartStatus.OK if state.schema_current else PartStatus.BEHIND
        status = "ok" if valkey is PartStatus.OK else "degraded"
        if not state.schema_current:
            status = "down"
        return Readiness(status, Parts(PartStatus.OK, schema, valkey), state.queue_age)
