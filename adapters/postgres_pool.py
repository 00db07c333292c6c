"""The pool of SQLAlchemy that also says how many tasks wait for one of its connections."""

from sqlalchemy import AsyncAdaptedQueuePool
from sqlalchemy.pool import ConnectionPoolEntry


class WatchedPool(AsyncAdaptedQueuePool):
    """`waiting`: tasks that have no connection yet; the one that opens a new one is one of them."""

    waiting = 0

    def _do_get(self) -> ConnectionPoolEntry:
        self.waiting += 1
        try:
            return super()._do_get()
        finally:
            self.waiting -= 1
