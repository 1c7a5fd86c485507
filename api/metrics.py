"""What Prometheus is told: counts and times, by labels that are few and hold nothing of a citizen.

With several worker processes each writes its numbers to files of one folder (`PROMETHEUS_MULTIPROC_DIR`,
which `hotline serve` makes), and whichever is asked answers for all of them.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from importlib.metadata import version as installed
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from .observed import Observed

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds
_LIVE = re.compile(r"gauge_live[a-z]*_(\d+)\.db")


class Metrics:
    """The metrics of one service, on a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        one = self.registry
        self.requests = Counter(
            "hotline_requests", "Requests answered", ["route", "method", "status"], registry=one
        )
        self.seconds = Histogram(
            "hotline_request_seconds",
            "Time from a request's arrival to the end of its answer",
            ["route", "method"],
            buckets=_BUCKETS,
            registry=one,
        )
        self.in_flight = Gauge(
            "hotline_requests_in_flight",
            "Requests being answered",
            multiprocess_mode="livesum",
            registry=one,
        )
        self.tagging = Histogram(
            "hotline_tagging_seconds", "Time in the model, a call", buckets=_BUCKETS, registry=one
        )
        self.tagged = Counter(
            "hotline_work_orders_tagged",
            "Work orders tagged, by first-level category and decision",
            ["first", "decision"],
            registry=one,
        )
        self.ledger_errors = Counter(
            "hotline_ledger_errors", "Requests that the ledger could not serve", ["kind"], registry=one
        )
        self.model = Gauge(
            "hotline_model_info",
            "Worker processes that answer with this version of the model",
            ["version"],
            multiprocess_mode="livesum",
            registry=one,
        )
        self.loads = Counter(
            "hotline_model_loads", "Models loaded while serving, by outcome", ["outcome"], registry=one
        )
        self.build = Gauge(
            "hotline_build_info", "The program's version", ["version"], multiprocess_mode="max", registry=one
        )
        self.build.labels(installed("hotline-classifier")).set(1)
        for outcome in ("ok", "failed"):
            self.loads.labels(outcome)
        self._version: str | None = None
        if not os.environ.get(FOLDER):  # they speak of one process
            for collector in (ProcessCollector, PlatformCollector, GCCollector):
                collector(registry=one)

    def see(self, route: str, method: str, status: int, seconds: float, seen: Observed) -> None:
        """Count one request."""
        self.requests.labels(route, method, str(status)).inc()
        self.seconds.labels(route, method).observe(seconds)
        for call in seen.tagging_seconds:
            self.tagging.observe(call)
        for (first, decision), count in seen.tagged.items():
            self.tagged.labels(first, decision).inc(count)
        if seen.model_version:
            self.answering(seen.model_version)
        if seen.is_ledger_error and seen.error:
            self.ledger_errors.labels(seen.error).inc()

    def loaded(self, version: str, fine: bool) -> None:
        """Count a load of a model; a good one answers from now on."""
        self.loads.labels("ok" if fine else "failed").inc()
        if fine:
            self.answering(version)

    def answering(self, version: str) -> None:
        """Say which version of the model this process answers with."""
        if version != self._version:
            if self._version:
                self.model.labels(self._version).set(0)
            self.model.labels(version).set(1)
            self._version = version

    def text(self) -> bytes:
        """All of them, in Prometheus' text format."""
        folder = os.environ.get(FOLDER)
        if not folder:
            return generate_latest(self.registry)
        _forget_dead(Path(folder))
        together = CollectorRegistry()
        MultiProcessCollector(together, folder)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def _forget_dead(folder: Path) -> None:
    """Take away what processes that are gone, perhaps killed, were doing; what they counted stays."""
    for path in folder.glob("gauge_live*.db"):
        found = _LIVE.fullmatch(path.name)
        if found and not Path(f"/proc/{found[1]}").exists():
            with suppress(FileNotFoundError):  # another worker was asked at the same time
                mark_process_dead(int(found[1]), str(folder))  # type: ignore[no-untyped-call]
