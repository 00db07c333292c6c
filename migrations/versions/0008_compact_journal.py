"""The journal's from_state, event and effects are bytes: JSON, packed or not.

What is there already stays plain JSON, which adapters/journal_compression.py reads beside what it
packs itself. PostgreSQL does it alone, in one pass over the table, which is locked meanwhile and
needs its own size in free space: a million messages take about a minute. Where it breaks, nothing
has changed. Workers of the former version can write no step any more: what they had begun is run
again by this one's.

The way back unpacks the steps, some at a time, in one transaction as well.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from adapters.journal_compression import unpacked

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BATCH = 5000

_TO_BYTES = """
ALTER TABLE journal
    ALTER COLUMN from_state TYPE bytea USING convert_to(from_state, 'UTF8'),
    ALTER COLUMN event TYPE bytea USING convert_to(event, 'UTF8'),
    ALTER COLUMN effects TYPE bytea USING convert_to(effects, 'UTF8')
"""
_TO_TEXT = """
ALTER TABLE journal
    ALTER COLUMN from_state TYPE text USING convert_from(from_state, 'UTF8'),
    ALTER COLUMN event TYPE text USING convert_from(event, 'UTF8'),
    ALTER COLUMN effects TYPE text USING convert_from(effects, 'UTF8')
"""
_READ = sa.text(
    "SELECT seq, from_state, event, effects FROM journal WHERE seq > :after"
    " ORDER BY seq LIMIT :batch"
)
_WRITE = sa.text(
    "UPDATE journal SET from_state = was.from_state, event = was.event, effects = was.effects"
    " FROM unnest(CAST(:seqs AS bigint[]), CAST(:states AS bytea[]), CAST(:events AS bytea[]),"
    " CAST(:effects AS bytea[])) AS was (seq, from_state, event, effects)"
    " WHERE journal.seq = was.seq"
)


def upgrade() -> None:
    op.get_bind().exec_driver_sql(_TO_BYTES)


def downgrade() -> None:
    connection = op.get_bind()
    _unpack(connection)
    connection.exec_driver_sql(_TO_TEXT)


def _unpack(connection: sa.Connection) -> None:
    after = 0
    while rows := connection.execute(_READ, {"after": after, "batch": BATCH}).all():
        connection.execute(
            _WRITE,
            {
                "seqs": [row.seq for row in rows],
                "states": [row.from_state and unpacked(row.from_state) for row in rows],
                "events": [unpacked(row.event) for row in rows],
                "effects": [unpacked(row.effects) for row in rows],
            },
        )
        after = rows[-1].seq
