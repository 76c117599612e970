"""Registrations at one size of the cluster."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from bench import data
from bench.cluster import Population, raw
from laura_fast.pb.lauradb.cluster import cluster_pb2
from laura_fast.report.raw.scaling import JoinPoint

if TYPE_CHECKING:
    import grpc

    from bench.processes import Process


async def measure(
    server: Process, channel: grpc.aio.Channel, population: Population, *, round_: int, joins: int, omit_members: bool
) -> JoinPoint:
    """Registers `joins` more nodes one after the other, then takes them out again."""
    register, size = raw(channel, "RegisterNode"), population.size
    newcomers = population.everyone[size : size + joins]
    requests = [data.registration(node, omit_members=omit_members).SerializeToString() for node in newcomers]
    times, answers, cpu_s = [], [], server.cpu_s()
    for request in requests:
        started = time.perf_counter()
        answers.append(await register(request))
        times.append(time.perf_counter() - started)
    cpu_s = server.cpu_s() - cpu_s
    _check(answers, size, omit_members=omit_members)
    await population.recount()
    await population.resize(size)
    return JoinPoint(
        nodes=size,
        round=round_,
        omit_members=omit_members,
        joins=joins,
        ms_per_join=statistics.median(times) * 1e3,
        server_cpu_us_per_join=cpu_s / joins * 1e6,
        answer_bytes=statistics.fmean(map(len, answers)),
    )


def _check(answers: list[bytes], size: int, *, omit_members: bool) -> None:
    """Every join succeeded, and its answer lists the members or leaves them out, as asked."""
    for number, answer in enumerate(answers, start=1):
        response = cluster_pb2.NodeRegistrationResponse.FromString(answer)
        assert response.success, response.message
        assert len(response.cluster_nodes) == (0 if omit_members else size + number)
