"""How the system is: what GET /health/ready answers, decided from what its parts were seen to be.

Messages need PostgreSQL, its schema and a worker: where one of them is down, so is the system. With
any other part away it is degraded. Anybody may read it: it names no bot and no error.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from application.bot_health import BotStatus

LATE = 60.0
"""Seconds that a job which is due may wait: more, and messages are answered late, or not at all."""
MOST_TROUBLED = 100

_TROUBLED = (BotStatus.ERROR, BotStatus.SILENT)


class PartStatus(StrEnum):
    """BEHIND: the schema is older than this code; run `kotodom migrate`. LATE: jobs wait for more
    than a minute. REFUSED: the key is wrong. UNSET: there is none. UNKNOWN: nobody could look yet.
    """

    OK = "ok"
    DOWN = "down"
    BEHIND = "behind"
    LATE = "late"
    REFUSED = "refused"
    UNSET = "unset"
    UNKNOWN = "unknown"


class BotLook(Struct, frozen=True, rename="camel"):
    """A bot. `lookedAt`: when Telegram was last found to deliver its updates, or not to."""

    id: int
    status: BotStatus
    looked_at: datetime | None


class DatabaseState(Struct, frozen=True):
    """`queue_age`: seconds that the oldest due job has waited; 0 where none waits.

    `workers`, `pollers`: how many are alive. Of the bots `to_poll` are enabled in POLLING mode, and
    the leases of `polled` are held. `bots` are the enabled ones and those in error. Where the
    schema is not current, nothing else is known.
    """

    schema_current: bool
    queue_age: float = 0.0
    workers: int = 0
    pollers: int = 0
    to_poll: int = 0
    polled: int = 0
    bots: Sequence[BotLook] = ()


class Pool(Struct, frozen=True, rename="camel"):
    """This process' connections to PostgreSQL; `waiting`: tasks that have none yet."""

    size: int
    in_use: int
    waiting: int


class Parts(Struct, frozen=True, rename="camel"):
    """Each part that the system is made of."""

    postgres: PartStatus
    migrations: PartStatus
    valkey: PartStatus
    queue: PartStatus
    workers: PartStatus
    pollers: PartStatus
    openai: PartStatus
    telegram: PartStatus


class Polling(Struct, frozen=True, rename="camel"):
    """Pollers that are alive, bots that are to be polled, and those whose leases are held."""

    pollers: int
    bots: int
    leases: int


class BotsSeen(Struct, frozen=True, rename="camel"):
    """How many bots, enabled or in error, have each status; `troubled`: at most 100 of those that
    are in error or silent, by id.
    """

    statuses: dict[BotStatus, int]
    troubled: list[BotLook]


class Readiness(Struct, frozen=True, rename="camel"):
    """`status`: ok, degraded (a part is away that messages do not need) or down.

    What only PostgreSQL can say is null while it is away.
    """

    status: str
    parts: Parts
    pool: Pool
    queue_age_seconds: float | None
    workers_alive: int | None
    polling: Polling | None
    bots: BotsSeen | None
    openai_asked_at: datetime | None

    @property
    def ready(self) -> bool:
        """Whether messages are answered."""
        return self.status != "down"


class Asked(Struct, frozen=True):
    """The default model server as it was seen last; `at` None: not yet."""

    status: PartStatus
    at: datetime | None


def readiness_of(
    state: DatabaseState | None, valkey: PartStatus, model: Asked, pool: Pool
) -> Readiness:
    """`state` None: PostgreSQL does not answer."""
    parts = _parts(state, valkey, model.status)
    return Readiness(
        status=_status(parts, state),
        parts=parts,
        pool=pool,
        queue_age_seconds=state.queue_age if state is not None else None,
        workers_alive=state.workers if state is not None else None,
        polling=Polling(state.pollers, state.to_poll, state.polled) if state is not None else None,
        bots=_seen(state.bots) if state is not None else None,
        openai_asked_at=model.at,
    )


def _parts(state: DatabaseState | None, valkey: PartStatus, model: PartStatus) -> Parts:
    unknown = PartStatus.UNKNOWN
    if state is None:
        return Parts(PartStatus.DOWN, unknown, valkey, unknown, unknown, unknown, model, unknown)
    if not state.schema_current:
        behind = PartStatus.BEHIND
        return Parts(PartStatus.OK, behind, valkey, unknown, unknown, unknown, model, unknown)
    troubled = bool(state.bots) and all(bot.status in _TROUBLED for bot in state.bots)
    return Parts(
        postgres=PartStatus.OK,
        migrations=PartStatus.OK,
        valkey=valkey,
        queue=PartStatus.LATE if state.queue_age > LATE else PartStatus.OK,
        workers=PartStatus.OK if state.workers else PartStatus.DOWN,
        pollers=PartStatus.OK if state.pollers or not state.to_poll else PartStatus.DOWN,
        openai=model,
        telegram=PartStatus.DOWN if troubled else PartStatus.OK,
    )


def _status(parts: Parts, state: DatabaseState | None) -> str:
    """Without a worker the system is down once a message has waited for one: not in a restart."""
    if state is None or not state.schema_current:
        return "down"
    if parts.workers is PartStatus.DOWN and parts.queue is PartStatus.LATE:
        return "down"
    fine = (PartStatus.OK, PartStatus.UNSET, PartStatus.UNKNOWN)
    each = (getattr(parts, name) for name in parts.__struct_fields__)
    return "ok" if all(status in fine for status in each) else "degraded"


def _seen(bots: Sequence[BotLook]) -> BotsSeen:
    statuses = Counter(bot.status for bot in bots)
    troubled = [bot for bot in bots if bot.status in _TROUBLED]
    return BotsSeen(dict(statuses), troubled[:MOST_TROUBLED])
