"""The running system, for tests that tell many stories at the same time."""

from types import TracebackType
from typing import Self

import asyncpg

from tests.end_to_end.system import System


class ManyStories(System):
    """A system that many stories look into at the same time."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.pool = await asyncpg.create_pool(self.database_url, min_size=1, max_size=8)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.pool.close()
        await super().__aexit__(kind, error, traceback)

    async def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        return list(await self.pool.fetch(sql, *arguments))
