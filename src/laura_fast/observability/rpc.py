"""Counts and times of RPCs: plain integers on the hot path, Prometheus families made when somebody asks.

The names are those of go-grpc-prometheus, so that existing boards work. prometheus_client's own counters take a lock
and a label lookup per call, several microseconds for the three families; this costs well under one.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from laura_fast.errors import Code
from laura_fast.limits.rpc import MAX_OBSERVED_METHODS
from laura_fast.observability import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
    from prometheus_client.core import Metric

BUCKETS_S: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025),
    *(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
"""Upper bounds in seconds: heartbeats take tens of microseconds, the longest unary call the request timeout."""

_LABELS = ("grpc_type", "grpc_service", "grpc_method")
_OVERFLOW = "other"
_NAMES = tuple(code.name for code in Code)
_BOUNDS = (*(repr(bound) for bound in BUCKETS_S), "+Inf")
_stdlib_log = logging.getLogger("laura_fast.rpc")
_log = log.get("laura_fast.rpc")


class MethodStats:
    """Everything known of one method since the start."""

    __slots__ = ("buckets", "codes", "kind", "path", "seconds", "started")

    def __init__(self, path: str, kind: str = "unknown") -> None:
        self.path = path
        self.kind = kind
        self.started = 0
        self.codes = [0] * len(_NAMES)
        """Finished calls by canonical code."""
        self.buckets = [0] * len(_BOUNDS)
        """Finished calls by `BUCKETS_S`, each in one bucket; the last is what took longer."""
        self.seconds = 0.0

    @property
    def handled(self) -> int:
        """Finished calls."""
        return sum(self.codes)

    @property
    def labels(self) -> tuple[str, str, str]:
        """Values of grpc_type, grpc_service and grpc_method."""
        service, _, method = self.path.removeprefix("/").rpartition("/")
        return (self.kind, service, method)


class _Methods(dict[str, MethodStats]):
    """Makes a method's entry when it is first called; beyond the bound all share one."""

    def __missing__(self, path: str) -> MethodStats:
        if len(self) >= MAX_OBSERVED_METHODS:
            path = _OVERFLOW
        return self.setdefault(path, MethodStats(path))


class RpcStats:
    """An `RpcObserver` that counts. Single-threaded: calls and reads happen on the event loop."""

    def __init__(self) -> None:
        self._methods = _Methods()

    def add_service(self, service: ServiceDescriptor) -> None:
        """Makes each method known with its type, so that it is shown with zeros before its first call."""
        for method in service.methods:
            path = f"/{service.full_name}/{method.name}"
            self._methods[path] = MethodStats(path, _kind(method))

    def rpc_started(self, method: str) -> None:
        self._methods[method].started += 1

    def rpc_handled(self, method: str, code: int, seconds: float, peer: str) -> None:
        stats = self._methods[method]
        stats.codes[code] += 1
        stats.buckets[bisect_left(BUCKETS_S, seconds)] += 1
        stats.seconds += seconds
        if _stdlib_log.isEnabledFor(logging.DEBUG):
            _log.debug("rpc", method=method, code=_NAMES[code], ms=round(seconds * 1000, 3), peer=peer)

    def recorder(self, method: str) -> Callable[[int, float, str], None]:
        """Counts calls that were answered well one by one, all of them at once (paid for by bench.compare)."""
        stats = self._methods[method]
        codes, buckets, logs = stats.codes, stats.buckets, _stdlib_log.isEnabledFor

        def record(calls: int, seconds: float, peer: str) -> None:
            share = seconds / calls
            stats.started += calls
            codes[0] += calls
            buckets[bisect_left(BUCKETS_S, share)] += calls
            stats.seconds += seconds
            if logs(logging.DEBUG):
                for _ in range(calls):
                    _log.debug("rpc", method=method, code=_NAMES[0], ms=round(share * 1000, 3), peer=peer)

        return record

    @property
    def methods(self) -> list[MethodStats]:
        """Each known method's record, live."""
        return list(self._methods.values())

    @property
    def in_flight(self) -> int:
        """Calls started and not finished."""
        return sum(stats.started - stats.handled for stats in self._methods.values())

    def collect(self) -> Iterator[Metric]:
        """Prometheus families: this object is a collector."""
        started = CounterMetricFamily("grpc_server_started", "RPCs started on the server.", labels=_LABELS)
        handled = CounterMetricFamily(
            "grpc_server_handled", "RPCs completed on the server, by status code.", labels=(*_LABELS, "grpc_code")
        )
        times = HistogramMetricFamily(
            "grpc_server_handling_seconds", "Time from the call's start to its status.", labels=_LABELS
        )
        for stats in self.methods:
            _add(stats, started, handled, times)
        yield from (started, handled, times)


def _add(
    stats: MethodStats, started: CounterMetricFamily, handled: CounterMetricFamily, times: HistogramMetricFamily
) -> None:
    labels = stats.labels
    started.add_metric(labels, stats.started)
    for name, count in zip(_NAMES, stats.codes, strict=True):
        if count or name == "OK":
            handled.add_metric((*labels, _go_name(name)), count)
    cumulative = list(zip(_BOUNDS, accumulate(stats.buckets), strict=True))
    times.add_metric(labels, cumulative, stats.seconds)


def _kind(method: MethodDescriptor) -> str:
    if method.client_streaming:
        return "bidi_stream" if method.server_streaming else "client_stream"
    return "server_stream" if method.server_streaming else "unary"


def _go_name(name: str) -> str:
    """grpc-go's spelling of a code, which the boards expect: `DeadlineExceeded`, but `OK`. It writes `Canceled`."""
    if name == "CANCELLED":
        return "Canceled"
    return name if name == "OK" else name.title().replace("_", "")
