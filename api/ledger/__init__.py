"""The ledger: the only folder that speaks SQL."""
