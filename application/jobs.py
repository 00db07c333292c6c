"""Jobs as the use cases know them: names, picks and leases (DESIGN §2, "A chat's turn").

The queue itself is pgqueuer's; adapters/pgqueuer_jobs.py and adapters/pgqueuer_worker.py speak it.
"""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

PERFORM_EFFECT = "effect.perform"
"""The job of a detached effect; its payload is the effect's JSON."""


class Pick(Struct, frozen=True):
    """One dequeue of a job: heartbeats leave `updated` alone, another dequeue changes it."""

    job_id: int
    manager: str
    updated: datetime


def nobodys_pick(at: datetime, job_id: int = 0) -> Pick:
    """A pick that no job is held under: for what a person does."""
    return Pick(job_id, "00000000-0000-0000-0000-000000000000", at)


class Job(Struct, frozen=True):
    """A job to be published, in the transaction of whoever publishes it. `delay` in seconds."""

    name: str
    payload: bytes
    delay: float = 0.0


class LeaseLost(Exception):  # noqa: N818 - what happened to the lease
    """The job may be run by another worker by now: stop, change nothing, acknowledge nothing."""


class Unavailable(Exception):  # noqa: N818 - what the store is
    """PostgreSQL is away, or whether the last commit took place is unknown."""


class Busy(Unavailable):
    """PostgreSQL is there, but every connection to it was in use for too long."""


class TookTooLong(Unavailable):
    """PostgreSQL is there, but the statement was given up: it would have kept others waiting."""


class StatementFailed(Exception):  # noqa: N818 - what the statement has
    """PostgreSQL refused a statement: its error's kind and SQLSTATE, and nothing of its values."""


class Lease(Protocol):
    """The right to act for a job, kept alive by heartbeats."""

    @property
    def pick(self) -> Pick: ...

    @property
    def again(self) -> bool:
        """Whether this very worker held the job before: nobody died then."""
        ...

    def check(self) -> None:
        """Raises LeaseLost where the job may be somebody else's: call it before every effect."""
        ...
