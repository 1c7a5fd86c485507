"""Floor 3: the doors. Knows both floors below."""
