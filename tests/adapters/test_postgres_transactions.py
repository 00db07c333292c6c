"""Which of PostgreSQL's errors mean that it is away, and which that a statement is wrong."""

import pytest
from sqlalchemy.exc import DBAPIError

from adapters.postgres_transactions import telling_away
from application.jobs import Unavailable

AWAY = {
    "08006": "connection failure",
    "25006": "read only: a standby by now",
    "40001": "serialization failure",
    "40P01": "deadlock detected",
    "53300": "too many connections",
    "55P03": "lock not available",
    "57P01": "terminated by an administrator",
    "58030": "I/O error",
}
WRONG = {
    "22P05": "untranslatable character",
    "23505": "unique violation",
    "25P02": "in a failed transaction",
    "42P18": "indeterminate datatype",
}


class _RefusedError(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@pytest.mark.parametrize("state", AWAY, ids=AWAY.values())
def test_it_is_away(state: str) -> None:
    with pytest.raises(Unavailable), telling_away():
        raise DBAPIError("SELECT", None, _RefusedError(state))


@pytest.mark.parametrize("state", WRONG, ids=WRONG.values())
def test_the_statement_is_wrong(state: str) -> None:
    with pytest.raises(DBAPIError), telling_away():
        raise DBAPIError("SELECT", None, _RefusedError(state))
