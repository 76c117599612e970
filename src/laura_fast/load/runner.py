"""One run from the first connection to the report."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from laura_fast import __version__
from laura_fast.errors import Code, RemoteError
from laura_fast.load import report, server
from laura_fast.load.calls import Workload
from laura_fast.load.driving import ClosedLoop, OpenLoop
from laura_fast.load.link import Link
from laura_fast.load.measuring import Histogram
from laura_fast.load.members import joined
from laura_fast.load.plan import Schedule
from laura_fast.load.saturation import Saturation
from laura_fast.transport.native.channel.target import parse_target
from laura_fast.wire.grpc.request_blocks import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.client import ClientTls

_HEAD_START_NS: Final = 20_000_000
"""From the last preparation to the first call."""

_PROGRESS_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Options:
    """What to do.

    Attributes:
        address: `host:port` of the server.
        tls: How to trust it; None = plain text.
        method: One of `calls.METHODS`.
        rps: Calls per second; None = closed loop.
        connections: TCP connections.
        streams: Most calls at once on each.
        nodes: How many nodes of its own the calls speak of.
        warmup_s: Calls intended in the first seconds are not measured.
        duration_s: The seconds that are.
        timeout_s: Longest wait for a connection, and for the last answers.
        pid: The server's process; None = whoever listens on the port, if that is on this machine.
    """

    address: str
    tls: ClientTls | None = None
    method: str = "heartbeat"
    rps: int | None = 1000
    connections: int = 10
    streams: int = 100
    nodes: int = 10
    warmup_s: float = 1.0
    duration_s: float = 10.0
    timeout_s: float = 5.0
    pid: int | None = None


class _Gauge(NamedTuple):
    """What had been used at one time."""

    at_s: float
    cpu_s: float
    finished: int
    server: server.Usage | None


async def run(
    options: Options, on_progress: Callable[[float, int], None] = lambda _share, _calls: None
) -> report.LoadReport:
    """Makes the calls and measures them.

    Args:
        options: What to do.
        on_progress: Hears several times a second which share of the time is over, and how many calls.

    Raises:
        ClientError: The server can't be reached, or does not take the generator's nodes.
    """
    tls = options.tls
    context = tls.context() if tls else None
    name = tls.server_name if tls else ""
    async with joined(options.address, context, name, options.nodes, options.timeout_s) as members:
        authority = name or options.address
        scheme = "https" if tls else "http"
        workload = Workload(options.method, lambda path: _route(path, authority, scheme), *members)
        made = _Run(options, workload)
        try:
            await made.connect()
            await made.measure(on_progress)
        finally:
            made.close()
    return made.result()


def _route(path: str, authority: str, scheme: str) -> Route:
    """Without the offer to inflate answers: the time to do so would be the generator's."""
    route = Route(path, authority, scheme, f"laura-fast-load/{__version__}")
    route.fields = tuple(field for field in route.fields if field[0] != b"grpc-accept-encoding")
    return route


class _Run:
    """A run in progress."""

    def __init__(self, options: Options, workload: Workload) -> None:
        self._options = options
        self._workload = workload
        self._saturation = Saturation()
        self._links: list[Link] = []
        self._pids: list[int] = []
        self._lost_connections = 0
        self._before = self._after = _Gauge(0.0, 0.0, 0, None)

    async def connect(self) -> None:
        """Opens all connections."""
        try:
            async with asyncio.timeout(self._options.timeout_s):
                await asyncio.gather(*(self._open() for _ in range(self._options.connections)))
        except (OSError, TimeoutError) as error:
            text = f"failed to connect: {str(error) or type(error).__name__}"
            raise RemoteError(self._options.address, Code.UNAVAILABLE, text) from error
        pid, port = self._options.pid, parse_target(self._options.address).port
        self._pids = [pid] if pid else server.listeners(port) if self._links[0].is_local else []

    async def measure(self, on_progress: Callable[[float, int], None]) -> None:
        """Warms up, measures, and waits for the last answers."""
        options = self._options
        whole_s = options.warmup_s + options.duration_s
        start_ns = time.monotonic_ns() + _HEAD_START_NS
        start_s = start_ns / 1e9
        for method in self._workload.methods:
            method.measure_from = start_s + options.warmup_s
        loop = self._start(start_ns, whole_s)

        async def until(time_s: float) -> None:
            while not loop.done.is_set() and (left_s := start_s + time_s - time.monotonic()) > 0:
                await asyncio.sleep(min(left_s, _PROGRESS_S))
                on_progress(min(1.0, (time.monotonic() - start_s) / whole_s), self._finished())

        await until(options.warmup_s)
        self._before = self._gauge()
        await until(whole_s)
        self._after = self._gauge()
        loop.end_sending()
        await until(whole_s + options.timeout_s)
        loop.give_up()
        self._lost_connections = loop.lost_connections

    def close(self) -> None:
        """Closes all connections; calls that are not over have failed."""
        for link in self._links:
            link.owner = None
            link.close()

    def result(self) -> report.LoadReport:
        """What was found out."""
        options, methods, whole = self._options, self._workload.methods, Histogram()
        for method in methods:
            method.flush()
            whole.merge(method.histogram)
        failures = sum((method.failures for method in methods), start=type(methods[0].failures)())
        wall_s = self._after.at_s - self._before.at_s
        loop: Literal["open", "closed"] = "closed" if options.rps is None else "open"
        return report.LoadReport(
            loop=loop,
            label=report.LABELS[loop],
            address=options.address,
            method=options.method,
            connections=options.connections,
            streams=options.streams,
            rps=options.rps,
            warmup_s=options.warmup_s,
            duration_s=options.duration_s,
            calls_per_s=(self._after.finished - self._before.finished) / wall_s,
            answered=sum(method.answered for method in methods),
            failures=dict(failures),
            lost_connections=self._lost_connections,
            latency=report.latency_of(whole),
            methods={method.name: report.latency_of(method.histogram) for method in methods},
            generator=self._generator(),
            server=self._server(),
            saturated=self._saturation.reasons(self._after.cpu_s - self._before.cpu_s, wall_s),
        )

    async def _open(self) -> None:
        target, tls = parse_target(self._options.address), self._options.tls
        link = Link(self._workload.methods, self._options.streams)
        await asyncio.get_running_loop().create_connection(
            lambda: link,
            target.host,
            target.port,
            ssl=tls.context() if tls else None,
            server_hostname=(tls.server_name or target.host) if tls else None,
        )
        await link.ready
        self._links.append(link)

    def _start(self, start_ns: int, whole_s: float) -> OpenLoop | ClosedLoop:
        if self._options.rps is None:
            closed = ClosedLoop(self._links, self._workload)
            closed.start()
            return closed
        loop = OpenLoop(self._links, self._workload, Schedule(self._options.rps, whole_s), self._saturation)
        loop.start(start_ns)
        return loop

    def _finished(self) -> int:
        return sum(method.finished for method in self._workload.methods)

    def _gauge(self) -> _Gauge:
        return _Gauge(time.monotonic(), time.process_time(), self._finished(), server.usage(self._pids))

    def _generator(self) -> report.Generator:
        late = self._saturation.lateness
        late_p99_us = late.percentiles_us((0.99,))[0]
        return report.Generator(
            *self._shares(self._after.cpu_s - self._before.cpu_s),
            late_p99_ms=late_p99_us / 1000 if late.count else None,
            late_max_ms=late.longest_us / 1000 if late.count else None,
        )

    def _server(self) -> report.Server | None:
        before, after = self._before.server, self._after.server
        if before is None or after is None:
            return None
        return report.Server(self._pids, *self._shares(after.cpu_s - before.cpu_s), after.memory_bytes)

    def _shares(self, cpu_s: float) -> tuple[float, float]:
        """CPU time as a share of one core, and as microseconds per call."""
        calls = self._after.finished - self._before.finished
        return cpu_s / (self._after.at_s - self._before.at_s), cpu_s / max(1, calls) * 1e6
