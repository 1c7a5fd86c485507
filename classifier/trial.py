"""An old workbook (xls) is opened on trial, by a process that may die of it.

calamine asks for as much memory as a broken file claims to need, gigabytes perhaps, and where it gets none
the process ends at once: no error that could be told, and whatever else the process did is lost.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .errors import InputError

_MEMORY = 2 << 30  # bytes; the largest sheet that an xls can hold needs a quarter of it
_SECONDS = 120
_TOLD = 3  # how the process ends where calamine tells what is wrong, as it will here too

_TRIAL = f"""
import sys
try:
    import resource
except ImportError:  # not on Windows: the process is apart all the same
    pass
else:
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = {_MEMORY} if hard == resource.RLIM_INFINITY else min({_MEMORY}, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
from python_calamine import CalamineError, CalamineWorkbook
try:
    with open(sys.argv[1], "rb") as file:
        workbook = CalamineWorkbook.from_filelike(file)
    for name in workbook.sheet_names:
        workbook.get_sheet_by_name(name)
except CalamineError:
    sys.exit({_TOLD})
"""


def check_opens(path: Path) -> None:
    """Refuse a workbook that would take this process with it.

    Raises:
        InputError: so it would.
    """
    command = [sys.executable, "-I", "-c", _TRIAL, str(path.absolute())]
    quiet = subprocess.DEVNULL
    try:
        ended = subprocess.run(  # noqa: S603 - our own program, a path as its argument
            command, stdin=quiet, stdout=quiet, stderr=quiet, timeout=_SECONDS, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        ended = None
    if ended not in (0, _TOLD):
        raise InputError(
            f"{path.name} 已损坏，不能安全读取。请用 Excel 打开修复后另存为 .xlsx 再试，或重新导出。"
        )
