"""Sends bad messages to a method, and tells what a server answers to them."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import message_factory
from google.protobuf.message import DecodeError

from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc
from laura_fast.services.contract import SERVICES
from tests.properties.bad_messages import IDS, bad_messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.descriptor import MethodDescriptor

METHODS = {f"{service.full_name}/{method.name}": method for service in SERVICES.values() for method in service.methods}
ANSWER_S = 10.0
"""A call without a status after this long hangs."""

IN_FLIGHT = 32
OUR_FAULT = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED}
"""Never an answer to a message, however bad: our bug, an unmapped error, a hang."""


async def populate(channel: Any) -> None:
    """Registers the nodes that bad messages speak of, so that some of them are nearly good."""
    cluster = cluster_pb2_grpc.ClusterServiceStub(channel)
    for node_id in IDS:
        node = cluster_pb2.Node(id=node_id, host="127.0.0.1", port=1)
        await cluster.RegisterNode(cluster_pb2.NodeRegistrationRequest(node=node), timeout=ANSWER_S)


async def attack(channel: Any, name: str, count: int, seed: object) -> Counter[grpc.StatusCode]:
    """Sends `count` bad messages to a method; how often it answered which status.

    Raises:
        AssertionError: An answer is not of the method's type.
    """
    method = METHODS[name]
    messages = list(islice(bad_messages(method.input_type, Random(f"{seed} {name}")), count))  # noqa: S311 - test data
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def one(burst: Sequence[bytes]) -> grpc.StatusCode:
        async with gate:
            return await _send(channel, name, method, burst)

    size = 3 if method.client_streaming else 1
    bursts = [messages[at : at + size] for at in range(0, count, size)]
    return Counter(await asyncio.gather(*map(one, bursts)))


async def _send(channel: Any, name: str, method: MethodDescriptor, burst: Sequence[bytes]) -> grpc.StatusCode:
    try:
        if method.client_streaming:
            return await _converse(method, channel.stream_stream(f"/{name}")(timeout=ANSWER_S), burst)
        if method.server_streaming:
            await _peek(method, channel.unary_stream(f"/{name}")(burst[0], timeout=ANSWER_S))
        else:
            _check(method, await channel.unary_unary(f"/{name}")(burst[0], timeout=ANSWER_S))
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def _converse(method: MethodDescriptor, call: Any, burst: Sequence[bytes]) -> grpc.StatusCode:
    """One answer per message. Never writes to a call that has ended: grpcio's client would call that INTERNAL."""
    for raw in burst:
        await call.write(raw)
        if (answer := await call.read()) is grpc.aio.EOF:
            break
        _check(method, answer)
    else:
        await call.done_writing()
    code: grpc.StatusCode = await call.code()
    return code


async def _peek(method: MethodDescriptor, call: Any) -> None:
    """The first answer of a stream that would go on for ever."""
    try:
        if (answer := await call.read()) is not grpc.aio.EOF:
            _check(method, answer)
    finally:
        call.cancel()


def _check(method: MethodDescriptor, answer: bytes) -> None:
    try:
        message_factory.GetMessageClass(method.output_type).FromString(answer)
    except DecodeError as error:
        raise AssertionError(f"{method.full_name} answered {answer[:100]!r}") from error
