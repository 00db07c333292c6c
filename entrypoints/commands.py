"""What `kotodom create-user` does."""

from dishka import make_async_container
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres_migrations import require_current
from application.refusals import Conflict, Invalid
from application.users import Users
from domain.access import Role
from entrypoints.parts import connected
from entrypoints.settings import Settings
from entrypoints.wiring import SharedProvider


async def create_user(
    settings: Settings, console: Console, email: str, password: str, role: Role
) -> int:
    """Create the user; the exit code: 0, or 1 with the reason where it cannot be."""
    async with connected(settings, "kotodom create-user") as ready:
        container = make_async_container(SharedProvider(), context={Settings: ready})
        try:
            await require_current(await container.get(AsyncEngine))
            user = await (await container.get(Users)).create_user(email, password, role)
        except Invalid as invalid:
            for error in invalid.errors:
                console.print(f"{error.field} {error.message}", style="bold red")
            return 1
        except Conflict as conflict:
            console.print(str(conflict), style="bold red")
            return 1
        finally:
            await container.close()
    console.print(f"{user.email} may sign in as {user.role.value}")
    return 0
