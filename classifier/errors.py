"""Every error that the hotline raises on purpose.

    HotlineError
    ├── InputError           what came in is wrong: a row, a label, a setting, a file
    │   └── LabelError       labels that the taxonomy does not know, with their rows
    ├── OutputError          the result cannot be written: disk full, no permission
    ├── KernelMissing        the compiled part of the program is not there
    ├── ModelError           there is no sound model to answer with
    │   ├── NoModel          none is there, or none is current
    │   └── DamagedBundle    one is there, but not as it was written
    └── LedgerError          the ledger refuses, or is not as this program needs it
        ├── NoWorkOrder         it has no work order of this id
        └── LedgerUnavailable   it cannot be reached now; later it may

A message says what was found, what was expected, and what to do next. It is Chinese, for it is
shown to people as it stands, and it never holds a citizen's text.
"""


class HotlineError(Exception):
    """Something that the hotline can explain; doors turn it into an exit code or a status."""


class InputError(HotlineError):
    """What came in is wrong; the message names the file, row and field, and what to do."""


class LabelError(InputError):
    """Samples carry labels that their taxonomy does not know."""


class OutputError(HotlineError):
    """The result could not be written; nothing half-written stays under its final name."""


class KernelMissing(HotlineError):
    """The compiled part of the program is missing, or for another kind of machine."""


class ModelError(HotlineError):
    """There is no sound model to answer with."""


class NoModel(ModelError):
    """The folder holds no such version, or none is current."""


class DamagedBundle(ModelError):
    """A stored model is not as it was written, or of a format this program does not read."""


class LedgerError(HotlineError):
    """The ledger refuses what was asked, or its tables are not those of this program."""


class NoWorkOrder(LedgerError):
    """The ledger has no work order of this id."""


class LedgerUnavailable(LedgerError):
    """The ledger cannot be reached now; nothing of the request was recorded, and it may be sent again."""


class NoJob(LedgerError):
    """The ledger knows no job of this id."""
