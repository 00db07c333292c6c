"""Takes pgqueuer's jobs: dequeue, heartbeats, leases. The queue manager's loop, with fencing.

pgqueuer's own QueueManager acknowledges what it no longer holds, takes a cancelled handler for a
finished one, and costs a task and two timers a job (a prototype measured 0.15-0.25 ms a message).
This loop runs pgqueuer's own dequeue statement and adds what it lacks: a lease for each pick,
heartbeats that are fenced and RETURNING, and handlers whose return acknowledges nothing. Only the
transaction of a job's last state deletes it.

Two connections of its own: one listens and dequeues, one beats. Either may break and come back: a
lease outlives it for as long as no other worker may take the job.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import asyncpg
import structlog
from pgqueuer.adapters.persistence.qb import QueryQueueBuilder
from pgqueuer.domain.types import QueueEntrypoint, QueueManagerId

from adapters.pgqueuer_leases import (
    HEARTBEAT_EVERY,
    HEARTBEAT_TIMEOUT,
    LEASE_MARGIN,
    HeldLease,
    beat,
    release,
)
from application.jobs import LeaseLost, Pick, Unavailable

IDLE_POLL = 1.0
BATCH = 100
LAST_DEQUEUE = 2.0
"""Seconds that a dequeue has left once the worker is to stop. It takes milliseconds: if it is not
through by then, the database hangs, and what runs could not be saved either. What it may have taken
unseen is picked up again, as after a kill."""
LAST_CANCEL, LAST_RELEASE = 1.0, 1.5
"""Seconds to end the tasks, and to hand back what they ran: with a database that hangs, in vain."""
CHANNEL = "ch_pgqueuer"

log = structlog.get_logger("worker")

Handler = Callable[[bytes, HeldLease], Awaitable[None]]

_NEXT_DUE = """
SELECT extract(epoch FROM min(execute_after) - now())::float8 FROM pgqueuer
WHERE status = 'queued' AND entrypoint = ANY($1) AND execute_after > now()
"""


def session_name(part: str, pid: int) -> str:
    """The application_name of a part's own session, by which it is seen to be there."""
    return f"kotodom {part} {pid}"


class PgqueuerWorker:
    """Runs handlers for jobs until it is stopped. `dsn`: a direct one (LISTEN), not a pooler's."""

    def __init__(self, dsn: str, handlers: Mapping[str, Handler], *, capacity: int = 2500) -> None:
        self._dsn = dsn
        self._handlers = handlers
        self._capacity = capacity
        self._manager = uuid4()
        self._leases: dict[int, HeldLease] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._unfinished: list[HeldLease] = []
        self._hand_back = asyncio.Event()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._builder = QueryQueueBuilder()

    def stop(self) -> None:
        """Take no more jobs; `run` gives the ones in flight a moment, then lets them go."""
        self._stopping.set()
        self._wake.set()

    async def run(self, grace: float = 4.0) -> None:
        """Take and run jobs until `stop`, and what runs then for `grace` seconds more.

        Survives the database: it comes back by itself.
        """
        beats = asyncio.create_task(self._supervise("heartbeat", self._beat))
        dequeue = asyncio.create_task(self._supervise("dequeue", self._dequeue))
        watch = asyncio.create_task(self._watch())
        await self._stopping.wait()
        _, hangs = await asyncio.wait({dequeue}, timeout=LAST_DEQUEUE)
        if self._tasks and not hangs:
            await asyncio.wait(set(self._tasks), timeout=grace)
        late = {beats, watch, dequeue, *self._tasks}
        for task in late:
            task.cancel()
        await asyncio.wait(late, timeout=LAST_CANCEL)
        await self._hand_over()

    async def _supervise(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """The worker's supervised loop: whatever ends a connection, another one is made."""
        delay = 0.1
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                await loop()
            except Exception as error:  # noqa: BLE001 - STYLE rule 7: one of the supervised loops
                log.warning("worker.connection_lost", loop=name, error=str(error) or repr(error))
            if time.monotonic() - began > 10:
                delay = 0.1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(delay * 2, 2.0)

    # --- dequeue ---------------------------------------------------------------------------------

    async def _dequeue(self) -> None:
        connection = await asyncpg.connect(
            self._dsn,
            timeout=10,
            command_timeout=30,
            server_settings={"application_name": session_name("worker", os.getpid())},
        )
        try:
            connection.add_termination_listener(lambda _: self._wake.set())
            await connection.add_listener(CHANNEL, self._notified)
            while not self._stopping.is_set():
                if connection.is_closed():
                    raise ConnectionError("the listening connection is closed")
                self._wake.clear()
                if await self._take(connection) < BATCH:
                    await self._idle(connection)
        finally:
            connection.terminate()

    def _notified(self, _c: object, _p: int, _ch: str, payload: object) -> None:
        # Acknowledging deletes rows and notifies too; only an insert brings work.
        if '"insert"' in str(payload):
            self._wake.set()

    async def _idle(self, connection: asyncpg.Connection) -> None:
        if self._wake.is_set():
            return
        due = await connection.fetchval(_NEXT_DUE, list(self._handlers))
        timeout = IDLE_POLL if due is None else min(max(due, 0.01), IDLE_POLL)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), timeout)

    async def _take(self, connection: asyncpg.Connection) -> int:
        room = min(BATCH, self._capacity - len(self._tasks))
        if room <= 0:
            return 0
        query = self._builder.build_dequeue_query(
            batch_size=room,
            entrypoints=[QueueEntrypoint(name) for name in self._handlers],
            concurrency_limits=[0] * len(self._handlers),
            queue_manager_id=QueueManagerId(self._manager),
            global_concurrency_limit=None,
            heartbeat_timeout=timedelta(seconds=HEARTBEAT_TIMEOUT),
        )
        # Counted from before the statement: what the database sets is never older than this.
        expires = time.monotonic() + HEARTBEAT_TIMEOUT - LEASE_MARGIN
        rows = await connection.fetch(query.sql, *query.args)
        handed_back = {lease.pick.job_id for lease in self._unfinished}
        for row in rows:
            pick = Pick(row["id"], str(self._manager), row["updated"])
            again = pick.job_id in self._leases or pick.job_id in handed_back
            lease = HeldLease(pick, row["payload"] or b"", expires, again=again)
            self._start(row["entrypoint"], lease)
        return len(rows)

    def _start(self, entrypoint: str, lease: HeldLease) -> None:
        job_id = lease.pick.job_id
        if (former := self._leases.get(job_id)) is not None:
            former.lose()  # our own pick, lost while we were stalled
        self._leases[job_id] = lease
        lease.task = asyncio.create_task(self._run(entrypoint, lease))
        self._tasks.add(lease.task)
        lease.task.add_done_callback(self._tasks.discard)

    async def _run(self, entrypoint: str, lease: HeldLease) -> None:
        """One job. Nothing escapes: a job that is not acknowledged is picked again."""
        structlog.contextvars.bind_contextvars(job=lease.pick.job_id)
        try:
            await self._handlers[entrypoint](lease.payload, lease)
        except (LeaseLost, asyncio.CancelledError):
            # Handing back is fenced by the pick: what somebody else has by now stays theirs.
            log.info("worker.job_let_go")
            self._unfinished.append(lease)
        except Unavailable as error:
            log.warning("worker.database_away", error=str(error))
            self._unfinished.append(lease)
            self._hand_back.set()
        except Exception:
            log.exception("worker.job_broke", entrypoint=entrypoint)
        finally:
            if self._leases.get(lease.pick.job_id) is lease:
                del self._leases[lease.pick.job_id]

    # --- leases ----------------------------------------------------------------------------------

    async def _beat(self) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=5, command_timeout=5)
        try:
            while True:
                if self._unfinished:
                    await self._release(connection)
                await self._beat_once(connection)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hand_back.wait(), HEARTBEAT_EVERY)
                self._hand_back.clear()
        finally:
            connection.terminate()

    async def _beat_once(self, connection: asyncpg.Connection) -> None:
        leases = sorted(self._leases.values(), key=lambda lease: lease.pick.job_id)
        if not leases:
            return
        expires = time.monotonic() + HEARTBEAT_TIMEOUT - LEASE_MARGIN
        held = await beat(connection, leases)
        for lease in leases:
            if lease.pick.job_id in held:
                lease.expires = max(lease.expires, expires) if lease.expires else 0.0
            elif self._leases.get(lease.pick.job_id) is lease:
                # Acknowledged by its own last transaction a moment ago, or lost to another worker:
                # in both cases its task has nothing more to do.
                lease.lose()

    async def _watch(self) -> None:
        """End the tasks whose leases ran out because no heartbeat got through."""
        while True:
            await asyncio.sleep(0.5)
            now = time.monotonic()
            for lease in list(self._leases.values()):
                if now >= lease.expires:
                    lease.lose()

    async def _hand_over(self) -> None:
        """Hand back what was ended unfinished, so that another worker takes it at once."""
        if not self._unfinished:
            return
        try:
            async with asyncio.timeout(LAST_RELEASE):
                connection = await asyncpg.connect(self._dsn)
                try:
                    await self._release(connection)
                finally:
                    connection.terminate()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            reason = str(error) or repr(error)
            log.warning("worker.not_released", jobs=len(self._unfinished), error=reason)

    async def _release(self, connection: asyncpg.Connection) -> None:
        """Queue again what nobody runs."""
        leases = list(self._unfinished)
        await release(connection, leases)
        self._unfinished = [lease for lease in self._unfinished if lease not in leases]
