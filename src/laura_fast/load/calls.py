"""What is called: prepared requests, and the judgement of their answers."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from laura_fast.load.measuring import Histogram
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.wire.grpc.framing import PREFIX_BYTES, frame_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from laura_fast.wire.grpc.request_blocks import Route

METHODS: Final = ("heartbeat", "register", "topology", "mixed")

MIXED_PERIOD: Final = 100
"""Of so many calls of a mixed run one registers, one asks for the topology, and the others are beats."""

WRONG_ANSWER: Final = "WRONG_ANSWER"
"""Stands beside gRPC's statuses."""

_SERVICE: Final = "/lauradb.cluster.ClusterService/"
_MAX_VERDICTS: Final = 1024
"""Answers whose judgement is remembered: those of one millisecond are mostly equal."""

_FLUSH: Final = 4_096
"""Latencies gathered before they are counted: few enough to stay in the processor's cache."""


class Method:
    """One method under load.

    Attributes:
        name: Its short name.
        route: Its header fields.
        done: Intended times of the calls answered in this read, seconds of the monotonic clock.
        failures: Calls that were not answered OK, by status; `WRONG_ANSWER` for those that were, and wrongly.
        answered: Calls answered rightly, the warm-up's too.
        measure_from: Calls intended earlier are warm-up: not in `histogram`.
        histogram: Latencies.
    """

    def __init__(self, name: str, route: Route, judge: Callable[[bytes], bool]) -> None:
        self.name = name
        self.route = route
        self.done: list[float] = []
        self.failures: Counter[str] = Counter()
        self.answered = 0
        self.measure_from = 0.0
        self.histogram = Histogram()
        self._judge = judge
        self._verdicts: dict[bytes, bool] = {}
        self._latencies_us: list[int] = []

    def is_right(self, framed: bytes) -> bool:
        """Whether an answer's body is one message, and the one that the method must answer."""
        verdict = self._verdicts.get(framed)
        if verdict is None:
            if len(self._verdicts) >= _MAX_VERDICTS:
                self._verdicts.clear()
            message = framed[PREFIX_BYTES:]
            verdict = self._verdicts[framed] = framed == frame_message(message) and self._judge(message)
        return verdict

    def wrong(self) -> None:
        """A call was answered OK, and wrongly."""
        self.failures[WRONG_ANSWER] += 1

    def take(self, now: float) -> None:
        """Counts the calls in `done`, whose answers came now."""
        done, start = self.done, self.measure_from
        self.answered += len(done)
        self._latencies_us += [int((now - intended) * 1e6) for intended in done if intended >= start]
        done.clear()
        if len(self._latencies_us) >= _FLUSH:
            self.flush()

    def flush(self) -> None:
        """Brings `histogram` up to date."""
        self.histogram.record(self._latencies_us)
        self._latencies_us.clear()

    @property
    def finished(self) -> int:
        """Calls that are over."""
        return self.answered + self.failures.total()


class Call:
    """A prepared request.

    Attributes:
        method: Its method.
        body: The message behind its prefix.
    """

    __slots__ = ("body", "method")

    def __init__(self, method: Method, message: bytes) -> None:
        self.method = method
        self.body = frame_message(message)


class Workload:
    """The calls of a run.

    Attributes:
        methods: Their methods.
        calls: Endless.
    """

    def __init__(self, kind: str, route: Callable[[str], Route], nodes: Sequence[pb.Node], version: int) -> None:
        make = {"heartbeat": _heartbeats, "register": _registrations, "topology": _topologies}
        kinds = ("heartbeat", "register", "topology") if kind == "mixed" else (kind,)
        made = {name: make[name](route, nodes, version) for name in kinds}
        self.methods = [calls[0].method for calls in made.values()]
        endless = {name: itertools.cycle(calls) for name, calls in made.items()}
        self.calls: Iterator[Call] = _mixed(**endless) if kind == "mixed" else endless[kind]


def _mixed(heartbeat: Iterator[Call], register: Iterator[Call], topology: Iterator[Call]) -> Iterator[Call]:
    while True:
        yield from itertools.islice(heartbeat, MIXED_PERIOD - 2)
        yield next(register)
        yield next(topology)


def _heartbeats(route: Callable[[str], Route], nodes: Sequence[pb.Node], version: int) -> list[Call]:
    """Beats that know the version of the start: what LauraDB's own clients do not send, so that answers stay small."""
    method = Method("heartbeat", route(_SERVICE + "Heartbeat"), _judge_by(pb.HeartbeatResponse, "ack"))
    resources = pb.ResourceStats(
        cpu_percent=12.5, memory_bytes=1 << 30, disk_bytes_used=1 << 33, disk_bytes_total=1 << 38
    )
    status = pb.NodeStatus(role=pb.SECONDARY, last_oplog_id=123_456, resources=resources)
    beats = (pb.HeartbeatRequest(node_id=node.id, status=status, known_topology_version=version) for node in nodes)
    return [Call(method, beat.SerializeToString()) for beat in beats]


def _registrations(route: Callable[[str], Route], nodes: Sequence[pb.Node], _version: int) -> list[Call]:
    """The same nodes again and again, each taking itself over: the registry does not grow with the run."""
    method = Method("register", route(_SERVICE + "RegisterNode"), _judge_by(pb.NodeRegistrationResponse, "success"))
    return [Call(method, registration(node).SerializeToString()) for node in nodes]


def _topologies(route: Callable[[str], Route], _nodes: Sequence[pb.Node], _version: int) -> list[Call]:
    method = Method("topology", route(_SERVICE + "GetTopology"), _judge_by(pb.ClusterTopology, "nodes"))
    return [Call(method, b"")]


def registration(node: pb.Node) -> pb.NodeRegistrationRequest:
    """A request to join, answered without the other members."""
    return pb.NodeRegistrationRequest(node=node, take_over=True, omit_members=True)


def _judge_by(kind: Any, field: str) -> Callable[[bytes], bool]:
    """An answer is right if it can be parsed and this field of it is set."""

    def judge(message: bytes) -> bool:
        try:
            return bool(getattr(kind.FromString(message), field))
        except Exception:  # noqa: BLE001  # protobuf's implementations raise errors of their own
            return False

    return judge
