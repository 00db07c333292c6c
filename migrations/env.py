"""Alembic's environment: runs the revisions on the connection that adapters/postgres_migrations.py
hands it, in one transaction.
"""

from alembic import context

from adapters.postgres_schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
