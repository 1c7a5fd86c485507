"""How often Python looks for cycles among its objects."""

import gc

_THRESHOLDS = (50_000, 50, 50)


def collect_less() -> None:
    """Look for cycles after 50,000 new objects rather than 700.

    Answers of a hundred thousand rows are made of small tuples, in which there are none: looking them
    through again and again took a third of the time.
    """
    gc.set_threshold(*_THRESHOLDS)
