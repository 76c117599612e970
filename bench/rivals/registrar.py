"""Registers many nodes over the public contract: h2load repeats one request and can't register anybody twice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.rivals import pyload
from bench.rivals.load import Load, LoadResult, Target, WrongAnswersError
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.pb.lauradb.cluster import cluster_pb2_grpc as rpc

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    import grpc.aio

CALL_TIMEOUT_S = 60


def node(index: int) -> pb.Node:
    """The same node for the same index, about as large as a real one."""
    return pb.Node(
        id=f"node-{index:05}", host="10.0.0.1", port=50051, role=pb.SECONDARY, priority=1, tags={"zone": "a"}
    )


def run(target: Target, load: Load, *, omit_members: bool = False) -> LoadResult:
    """Registers `load.requests` nodes; every answer must be a success and, unless omitted, list the members.

    Raises:
        WrongAnswersError: A registration failed or was refused.
    """
    return pyload.run("bench.rivals.registrar", target, load, *(["--omit-members"] if omit_members else []))


async def register(channel: grpc.aio.Channel, indices: Iterator[int], arguments: Namespace) -> list[float]:
    """Registers the node of each index, one after the other."""
    stub, times_us = rpc.ClusterServiceStub(channel), []
    for index in indices:
        request = pb.NodeRegistrationRequest(node=node(index), omit_members=arguments.omit_members)
        started = time.perf_counter()
        answer = await stub.RegisterNode(request, timeout=CALL_TIMEOUT_S)
        times_us.append((time.perf_counter() - started) * 1e6)
        _check(answer, request)
    return times_us


def _check(answer: pb.NodeRegistrationResponse, request: pb.NodeRegistrationRequest) -> None:
    if not answer.success:
        raise WrongAnswersError(f"{request.node.id}: {answer.message}")
    if bool(answer.cluster_nodes) == request.omit_members or answer.HasField("topology") == request.omit_members:
        raise WrongAnswersError(f"{request.node.id}: members omitted must be {request.omit_members}")


if __name__ == "__main__":
    options = pyload.parser(__doc__)
    options.add_argument("--omit-members", action="store_true")
    pyload.main(register, options.parse_args())
