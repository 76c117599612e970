"""Answers are judged by what they say, and calls come in the mixture that was asked for."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from laura_fast.load.calls import METHODS, Workload
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.wire.grpc.framing import frame_message
from laura_fast.wire.grpc.request_blocks import Route

NODE = pb.Node(id="n")
RIGHT = {
    "heartbeat": pb.HeartbeatResponse(ack=True, timestamp=1),
    "register": pb.NodeRegistrationResponse(success=True),
    "topology": pb.ClusterTopology(version=1, nodes=[NODE]),
}
WRONG = {
    "heartbeat": pb.HeartbeatResponse(timestamp=1),
    "register": pb.NodeRegistrationResponse(message="taken"),
    "topology": pb.ClusterTopology(version=1),
}


def workload(kind: str) -> Workload:
    return Workload(kind, lambda path: Route(path, "localhost", "http", "test"), [NODE], 1)


@pytest.mark.parametrize("kind", RIGHT)
def test_an_answer_is_right_if_it_says_yes_and_is_one_whole_message(kind: str) -> None:
    (method,) = workload(kind).methods
    right = frame_message(RIGHT[kind].SerializeToString())
    for _ in range(2):  # judged, and remembered
        assert method.is_right(right)
        assert not method.is_right(frame_message(WRONG[kind].SerializeToString()))
        assert not method.is_right(right[:-1])
        assert not method.is_right(right + right)
        assert not method.is_right(frame_message(b"\xff\xff"))
        assert not method.is_right(b"")


def test_the_memory_of_judgements_is_bounded() -> None:
    (method,) = workload("heartbeat").methods
    for timestamp in range(3000):
        assert method.is_right(frame_message(pb.HeartbeatResponse(ack=True, timestamp=timestamp).SerializeToString()))
    assert len(method._verdicts) <= 1024


def test_a_mixed_run_is_mostly_beats() -> None:
    names = Counter(call.method.name for call in itertools.islice(workload("mixed").calls, 1000))
    assert names == {"heartbeat": 980, "register": 10, "topology": 10}


@pytest.mark.parametrize("kind", METHODS)
def test_calls_have_no_end(kind: str) -> None:
    assert len(list(itertools.islice(workload(kind).calls, 500))) == 500


def test_warm_up_is_answered_and_not_measured() -> None:
    (method,) = workload("heartbeat").methods
    method.measure_from = 10.0
    method.done += [9.0, 10.0, 10.5]
    method.take(11.0)
    method.flush()
    assert (method.answered, method.histogram.count, method.histogram.longest_us) == (3, 2, 1_000_000)
