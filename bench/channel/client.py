"""`python -m bench.channel.client CHANNEL PORT CONCURRENCY CALLS`: sends calls; prints what they cost as JSON."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc.aio
import orjson
import uvloop

from bench.channel.server import SERVICE
from laura_fast.transport.native.channel import insecure_channel

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANNELS: Final = {"native": insecure_channel, "grpc.aio": grpc.aio.insecure_channel}
WARM_UP_SHARE: Final = 5
TIMEOUT_S: Final = 10.0
SAMPLES: Final = 8
MESSAGE_BYTES: Final = 50


async def call(channel: grpc.aio.Channel, requests: Iterator[bytes]) -> None:
    """One call per request, one after the other.

    Raises:
        ValueError: An answer is another one's.
    """
    echo: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/{SERVICE}/Echo")
    for request in requests:
        if await echo(request, timeout=TIMEOUT_S) != request:
            raise ValueError("not the answer to this request")


async def run(channel: grpc.aio.Channel, concurrency: int, count: int) -> float:
    """CPU seconds of this process, all of its threads, for `count` calls."""
    requests = iter([b"%0*d" % (MESSAGE_BYTES, number) for number in range(count)])
    started = time.process_time()
    await asyncio.gather(*(call(channel, requests) for _ in range(concurrency)))
    return time.process_time() - started


async def main(name: str, port: str, concurrency: int, count: int) -> None:
    """Warms up, then sends `count` calls in `SAMPLES` parts and looks at the memory behind each."""
    async with CHANNELS[name](f"127.0.0.1:{port}") as channel:
        await run(channel, concurrency, max(concurrency, count // WARM_UP_SHARE))
        spent, memory = 0.0, [_rss_anon_kib()]
        for _ in range(SAMPLES):
            spent += await run(channel, concurrency, count // SAMPLES)
            memory.append(_rss_anon_kib())
    print(orjson.dumps({"cpu_us": spent / (count // SAMPLES * SAMPLES) * 1e6, "memory_kib": memory}).decode())


def _rss_anon_kib() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
