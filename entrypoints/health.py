"""What `kotodom health PART` does: whether the api, worker or poller of this machine is alive.

Triggered by containers' health checks. The api is asked over HTTP; a worker and a poller have no
port, and are seen by the session that each keeps in PostgreSQL. Exit codes: 0 alive, 1 not.
"""

from rich.console import Console

from application.jobs import Unavailable
from entrypoints.settings import Settings, WrongSetting, reachable

_SECONDS = 5.0


async def look(settings: Settings, console: Console, part: str) -> int:
    """Look once; the exit code, with the reason for a 1. Raises WrongSetting."""
    try:
        alive = await (_answers(settings) if part == "api" else _is_connected(settings, part))
        reason = "" if alive else f"no {part} runs here"
    except Unavailable as error:
        reason = str(error)
    if reason:
        console.print(f"kotodom health: {reason}", markup=False, soft_wrap=True)
    return 1 if reason else 0


async def _answers(settings: Settings) -> bool:
    import aiohttp

    url = f"http://{reachable(settings.host)}:{settings.port}/health"
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _is_connected(settings: Settings, part: str) -> bool:
    """Raises Unavailable, WrongSetting."""
    from adapters.postgres_sessions import runs_here

    url = settings.worker_database_url or settings.database_url
    if url is None:
        raise WrongSetting("DATABASE_URL: required, for workers and pollers are seen in it")
    return await runs_here(url, part)
