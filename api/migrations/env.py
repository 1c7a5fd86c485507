"""Runs the revisions on the connection that `api.ledger.upgrade` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from api.ledger.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False
)
context.run_migrations()
