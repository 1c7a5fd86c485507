"""Whether the ledger can be reached, is this program's, and takes writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from classifier.errors import HotlineError, LedgerUnavailable

from ..ledger.ledger import Ledger
from .finding import Finding, broken, fine, warning


class Examined:
    """The ledger as the doctor meets it; `findings` is to be read first."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.seconds_ahead: float | None = None
        """By how much its server's clock is ahead, where it has one that answered."""

    @property
    def folder(self) -> Path | None:
        """Where its file is, or would be."""
        return self.ledger.file.resolve().parent if self.ledger.file else None

    def findings(self) -> Iterator[Finding]:
        """Reach it, compare its revision, and write."""
        file = self.ledger.file
        if file and not file.exists():
            if not file.resolve().parent.is_dir():
                todo = "请先建立文件夹，或改设置 database_url"
                yield broken("台账", f"所在的文件夹 {file.resolve().parent} 不存在", todo)
            else:
                yield warning("台账", f"{file.resolve()} 还没有", "首次记录工单时自动建立，不必处理")
            return
        try:
            current, needed = self.ledger.revision()
            if current != needed:
                told = f"{self.ledger.name} 的表结构是 {current or '空的'}，本程序需要 {needed}"
                make = warning if file else broken  # SQLite's are brought up to date when first used
                yield make("台账", told, "请运行 hotline db upgrade")
                return
            self.ledger.check_writable()
            self.seconds_ahead = self.ledger.seconds_ahead()
        except LedgerUnavailable as error:
            yield broken("台账", str(error), "请检查数据库是否启动、地址和口令是否正确、网络是否通")
            return
        except HotlineError as error:
            yield broken("台账", str(error), "请按上述说明处理")
            return
        yield fine("台账", f"{self.ledger.name}，表结构 {current}，读写正常")
