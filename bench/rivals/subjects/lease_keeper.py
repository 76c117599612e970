"""Keeps an etcd lease alive as etcd's own clients do: on streams that stay open, one beat after the other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.rivals import pyload
from bench.rivals.load import WrongAnswersError
from bench.rivals.subjects import etcd

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    import grpc.aio


async def keep(channel: grpc.aio.Channel, beats: Iterator[int], _arguments: Namespace) -> list[float]:
    """Sends a keep-alive for each beat and waits for its answer."""
    method: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(etcd.KEEP_ALIVE)
    stream, request, times_us = method(), etcd.keep_alive_request(), []
    for _ in beats:
        started = time.perf_counter()
        await stream.write(request)
        answer = await stream.read()
        times_us.append((time.perf_counter() - started) * 1e6)
        if not isinstance(answer, bytes) or not etcd.kept_alive(answer):
            raise WrongAnswersError(f"etcd answers a keep-alive with {answer!r}")
    await stream.done_writing()
    return times_us


if __name__ == "__main__":
    pyload.main(keep, pyload.parser(__doc__).parse_args())
