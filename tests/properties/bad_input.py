"""Bad messages for any method of the contract, made from its schema and a seed, and what a server answers to them.

As a program it attacks a server of its own with many messages per method and prints one JSON line::

    python -m tests.properties.bad_input --count 10000 --seed 1
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import tempfile
from collections import Counter
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import DecodeError

from laura_fast import __version__
from laura_fast.app import Server
from laura_fast.config import Config
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc
from laura_fast.services.contract import SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

METHODS = {f"{service.full_name}/{method.name}": method for service in SERVICES.values() for method in service.methods}
ANSWER_S = 10.0
"""A call without a status after this long hangs."""

WATCH_S = 0.05
"""A watch may well have nothing to say; it is cancelled after this long."""

IN_FLIGHT = 32
MOST_DEEP = 3
OUR_FAULT = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED}
"""Never an answer to a message, however bad: our bug, an unmapped error, a hang."""

IDS = tuple(f"n{number}" for number in range(8))
"""Few, so that calls meet each other's nodes."""

TEXTS = ("", *IDS, "127.0.0.1", "host", "\0", "\n", "\u202e", "\U0001f984", "a" * 255, "a" * 256, "é" * 5_000)
WHOLE = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(1 << 31), (1 << 31) - 1),
}
NUMBERS = (0, 1, -1, 2, 3, 99, 27018, 65535, 65536)
REALS = (0.0, -0.0, math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 50.0)


def random_message(kind: Descriptor, random: Random, depth: int = 0) -> Message:
    """A message whose every field is absent, usual or extreme."""
    message = message_factory.GetMessageClass(kind)()
    for field in kind.fields:
        if random.random() < 0.3:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _fill_map(getattr(message, field.name), field, random)
        elif field.is_repeated:
            _fill_repeated(getattr(message, field.name), field, random, depth)
        elif field.message_type is None:
            setattr(message, field.name, _scalar(field, random))
        elif depth < MOST_DEEP:
            getattr(message, field.name).CopyFrom(random_message(field.message_type, random, depth + 1))
    return message


def _fill_map(entries: Any, field: FieldDescriptor, random: Random) -> None:
    assert field.message_type is not None
    key, value = field.message_type.fields
    for _ in range(random.choice((0, 1, 3, 17))):
        entries[_scalar(key, random)] = _scalar(value, random)


def _fill_repeated(items: Any, field: FieldDescriptor, random: Random, depth: int) -> None:
    for _ in range(random.choice((0, 1, 3, 100))):
        if field.message_type is None:
            items.append(_scalar(field, random))
        elif depth < MOST_DEEP:
            items.append(random_message(field.message_type, random, depth + 1))


def _scalar(field: FieldDescriptor, random: Random) -> Any:
    if field.cpp_type in WHOLE:
        low, high = WHOLE[field.cpp_type]
        return min(max(random.choice((*NUMBERS, low, high, random.randint(low, high))), low), high)
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return random.choice(REALS)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return random.random() < 0.5
    text = random.choice(TEXTS)
    return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text


def _flip(raw: bytearray, random: Random) -> None:
    if raw:
        raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)


def _cut(raw: bytearray, random: Random) -> None:
    del raw[random.randrange(len(raw) + 1) :]


def _drop(raw: bytearray, random: Random) -> None:
    at = random.randrange(len(raw) + 1)
    del raw[at : at + random.randrange(4)]


def _insert(raw: bytearray, random: Random) -> None:
    at = random.randrange(len(raw) + 1)
    raw[at:at] = random.randbytes(random.randrange(1, 9))


def _repeat(raw: bytearray, random: Random) -> None:
    at = random.randrange(len(raw) + 1)
    raw[at:at] = raw[at : at + random.randrange(64)]


def _lie_about_length(raw: bytearray, random: Random) -> None:
    raw += bytes([random.randrange(1, 16) << 3 | 2]) + b"\xff" * random.randrange(1, 11) + b"\x01"


def _nest(raw: bytearray, random: Random) -> None:
    """Groups within groups, beyond what a parser should follow."""
    raw += bytes([random.randrange(1, 16) << 3 | 3]) * random.choice((50, 5_000))


def _bad_text(raw: bytearray, random: Random) -> None:
    raw += bytes([random.randrange(1, 8) << 3 | 2]) + b"\x02\xff\xfe"


MUTATIONS: tuple[Callable[[bytearray, Random], None], ...] = (
    *(_flip, _cut, _drop, _insert, _repeat, _lie_about_length, _nest, _bad_text),
)


def bad_messages(kind: Descriptor, random: Random) -> Iterator[bytes]:
    """Endlessly, in random order: random messages as they are, mutated ones, and plain noise."""
    while True:
        raw = bytearray(random_message(kind, random).SerializeToString())
        for _ in range(random.choice((0, 0, 1, 3))):
            random.choice(MUTATIONS)(raw, random)
        yield bytes(raw) if random.random() < 0.8 else random.randbytes(random.choice((1, 2, 16, 300)))


async def populate(channel: Any) -> None:
    """Registers the nodes that bad messages speak of, so that some of them are nearly good."""
    cluster = cluster_pb2_grpc.ClusterServiceStub(channel)
    for node_id in IDS:
        node = cluster_pb2.Node(id=node_id, host="127.0.0.1", port=1)
        await cluster.RegisterNode(cluster_pb2.NodeRegistrationRequest(node=node), timeout=ANSWER_S)


async def attack(channel: Any, name: str, count: int, seed: int) -> Counter[grpc.StatusCode]:
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
    """The first answer of a stream that may have none for now."""
    try:
        async with asyncio.timeout(WATCH_S):
            if (answer := await call.read()) is not grpc.aio.EOF:
                _check(method, answer)
    except TimeoutError:
        pass
    finally:
        call.cancel()


def _check(method: MethodDescriptor, answer: bytes) -> None:
    try:
        message_factory.GetMessageClass(method.output_type).FromString(answer)
    except DecodeError as error:
        raise AssertionError(f"{method.full_name} answered {answer[:100]!r}") from error


async def _attack_all(transport: Any, count: int, seed: int) -> dict[str, dict[str, int]]:
    with tempfile.TemporaryDirectory() as directory:
        server = Server(
            Config(host="127.0.0.1", port=0, data_dir=directory, transport=transport, request_timeout_ms=200)
        )
        await server.start()
        found = {}
        async with grpc.aio.insecure_channel(server.address) as channel:
            for name in METHODS:
                await populate(channel)
                codes = await attack(channel, name, count, seed)
                found[name] = {code.name: number for code, number in sorted(codes.items(), key=str)}
        await server.stop(grace_s=0)
    return found


def main() -> int:
    """Attacks every method; exit code 1 if a status was our fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--transport", default="grpcio")
    chosen = parser.parse_args()
    found = asyncio.run(_attack_all(chosen.transport, chosen.count, chosen.seed))
    bad = {name for name, codes in found.items() if codes.keys() & {code.name for code in OUR_FAULT}}
    print(json.dumps({**vars(chosen), "version": __version__, "failed": sorted(bad), "answers": found}))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
