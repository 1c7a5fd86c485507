"""Floor 1: a text in, tags out. No database, no HTTP, no training."""
