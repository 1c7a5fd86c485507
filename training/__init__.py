"""Floor 2: labelled samples in, a better model out. Knows `classifier`."""
