"""The ledger's tables, revision by revision (Alembic)."""
