"""Whether a worker or a poller of this machine, or container, is alive, seen by its session.

Triggered by `kotodom health`, every half minute in every container: it loads next to nothing. What
a session tells is written in adapters/postgres_health.py, which looks at those of all machines.
"""

import asyncpg

from adapters.postgres_transactions import dsn, telling_away

_QUIET = 15.0
"""Seconds after which a worker, which asks for jobs each second, is taken to hang."""
_SECONDS = 5.0

_ALIVE = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND starts_with(application_name, $1)
      AND client_addr IS NOT DISTINCT FROM inet_client_addr()
      AND (state_change > now() - make_interval(secs => $2) OR $1 = 'kotodom poller ')
)
"""


async def runs_here(url: str, part: str) -> bool:
    """Whether such a part is connected from our own address. `url`: a direct one, no pooler's.

    Raises Unavailable.
    """
    with telling_away():
        connection = await asyncpg.connect(dsn(url), timeout=_SECONDS, command_timeout=_SECONDS)
        try:
            return bool(await connection.fetchval(_ALIVE, f"kotodom {part} ", _QUIET))
        finally:
            connection.terminate()
