"""ANALYZE keeps the trigrams that one message in a thousand has; it kept those of one in 250.

A search takes the index for what is not among them (adapters/postgres_search.py), and may find
1,000 rows that way. A trigram is kept where more than 63 x (trigrams of a text) / (10,000 x target)
of the sample's rows have it (PostgreSQL 18, array_typanalyze.c); texts have some sixty. The sample
is 120,000 rows instead of 30,000: seconds, each time that a tenth of all messages is new.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER STATISTICS messages_trigrams SET STATISTICS 400")
    with op.get_context().autocommit_block():
        op.execute("ANALYZE messages")


def downgrade() -> None:
    op.execute("ALTER STATISTICS messages_trigrams SET STATISTICS DEFAULT")
