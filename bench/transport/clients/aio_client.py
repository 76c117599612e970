"""Load from grpc.aio, each call with another deadline."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.rivals import pyload
from bench.rivals.load import Load, LoadResult, Target, WrongAnswersError
from bench.transport.clients.message import message_options

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    import grpc.aio

SHORTEST_S = 5.0
DEADLINES = 1000
DEADLINE_STEP_S = 0.01
"""The coarsest that gRPC's core still writes into the header for times of this length."""


def run(target: Target, load: Load) -> LoadResult:
    """Sends `load.requests` unary calls.

    Raises:
        WrongAnswersError: A call failed, or an answer had another length.
    """
    return pyload.run("bench.transport.clients.aio_client", target, load, *message_options(target, load))


def add_message(options: ArgumentParser) -> ArgumentParser:
    """The other side of `message_options`."""
    options.add_argument("--path", required=True)
    options.add_argument("--body", type=Path, required=True)
    options.add_argument("--answer-bytes", type=int, required=True)
    return options


async def beat(channel: grpc.aio.Channel, numbers: Iterator[int], arguments: Namespace) -> list[float]:
    """One call per number, one after the other, on bytes: the client's protobuf is not what is measured."""
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(arguments.path)
    message, times_us = arguments.body.read_bytes(), []
    for number in numbers:
        started = time.perf_counter()
        answer = await call(message, timeout=SHORTEST_S + number % DEADLINES * DEADLINE_STEP_S)
        times_us.append((time.perf_counter() - started) * 1e6)
        if len(answer) != arguments.answer_bytes:
            raise WrongAnswersError(f"an answer of {len(answer)} bytes, not {arguments.answer_bytes}")
    return times_us


if __name__ == "__main__":
    pyload.main(beat, add_message(pyload.parser(__doc__)).parse_args())
