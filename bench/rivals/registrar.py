"""Registers many nodes over the public contract, from a process of its own.

h2load repeats one request and can't register anybody twice, so this Python client does. It is slower than some of the
servers: read the server's CPU time per call and the client's own load before its requests per second.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import grpc.aio
import msgspec
import uvloop

from bench.rivals.build import ROOT
from bench.rivals.load import Load, LoadResult, Target, WrongAnswersError, percentiles
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.pb.lauradb.cluster import cluster_pb2_grpc as rpc

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = 300
CALL_TIMEOUT_S = 60
CHANNEL_OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),  # or equal channels would share one connection
    ("grpc.max_receive_message_length", -1),  # ten thousand members are more than the default of 4 MiB
)


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
    sizes = [f"--nodes={load.requests}", f"--connections={load.connections}", f"--streams={load.streams}"]
    shape = [*sizes, *(["--omit-members"] if omit_members else [])]
    module = [sys.executable, "-m", "bench.rivals.registrar", f"--address={target.address}", *shape]
    pinned = ["taskset", "--cpu-list", str(load.core), *module]
    done = subprocess.run(pinned, cwd=ROOT, capture_output=True, check=False, timeout=TIMEOUT_S)
    if done.returncode:
        raise WrongAnswersError(f"registration failed:\n{done.stderr.decode(errors='replace')[-2000:]}")
    return msgspec.json.decode(done.stdout, type=LoadResult)


async def register(arguments: argparse.Namespace) -> LoadResult:
    """Registers all nodes over `connections` channels with `streams` calls in flight on each."""
    indices = iter(range(arguments.nodes))
    channels = [grpc.aio.insecure_channel(arguments.address, CHANNEL_OPTIONS) for _ in range(arguments.connections)]
    await asyncio.gather(*(channel.channel_ready() for channel in channels))
    started, started_cpu = time.perf_counter(), time.process_time()
    workers = [_work(channel, indices, arguments) for channel in channels for _ in range(arguments.streams)]
    times_us = [single for times in await asyncio.gather(*workers) for single in times]
    seconds, spent = time.perf_counter() - started, time.process_time() - started_cpu
    await asyncio.gather(*(channel.close() for channel in channels))
    return LoadResult(len(times_us), seconds, percentiles(times_us), spent)


async def _work(channel: grpc.aio.Channel, indices: Iterator[int], arguments: argparse.Namespace) -> list[float]:
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


def main() -> None:
    """Prints the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    for name in ("nodes", "connections", "streams"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--omit-members", action="store_true")
    result = uvloop.run(register(parser.parse_args()))
    sys.stdout.buffer.write(msgspec.json.encode(result))


if __name__ == "__main__":
    main()
