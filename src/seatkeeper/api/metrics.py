"""Metrics: how often each operation was asked, with what outcome, and how long it took."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_LABELS: Final = (*(repr(bound) for bound in BOUNDS), "+Inf")


class Metrics(Collector):
    """Counts of one process. They are plain numbers until someone asks for them.

    Cost: below a microsecond a request; the client library's own counters take locks.
    """

    def __init__(self) -> None:
        self._requests: dict[tuple[str, int], int] = {}
        self._durations: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def observe(self, operation: str, status: int, seconds: float) -> None:
        """Counts one answered request."""
        key = (operation, status)
        self._requests[key] = self._requests.get(key, 0) + 1
        durations = self._durations.get(operation)
        if durations is None:
            durations = self._durations[operation] = [0] * len(_LABELS)
            self._seconds[operation] = 0.0
        durations[bisect_left(BOUNDS, seconds)] += 1
        self._seconds[operation] += seconds

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """The counts as Prometheus wants them: buckets hold all below their bound."""
        requests = CounterMetricFamily(
            "seatkeeper_requests", "Requests answered.", labels=("operation", "status")
        )
        for (operation, status), count in self._requests.items():
            requests.add_metric((operation, str(status)), count)
        yield requests
        durations = HistogramMetricFamily(
            "seatkeeper_request_duration_seconds", "Time to an answer.", labels=("operation",)
        )
        for operation, counts in self._durations.items():
            below = 0
            buckets: list[tuple[str, float]] = []
            for label, count in zip(_LABELS, counts, strict=True):
                below += count
                buckets.append((label, below))
            durations.add_metric((operation,), buckets, self._seconds[operation])
        yield durations

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)
