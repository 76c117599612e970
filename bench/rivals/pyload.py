"""Load from a Python client in a process of its own, for what h2load can't send.

It is slower than some of the servers: read the server's CPU time per call and the client's own load before the
requests per second.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import grpc
import grpc.aio
import msgspec
import uvloop

from bench.rivals.build import ROOT
from bench.rivals.load import Load, LoadResult, Target, WrongAnswersError, percentiles

TIMEOUT_S = 300
CHANNEL_OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),  # or equal channels would share one connection
    ("grpc.max_receive_message_length", -1),  # ten thousand members are more than the default of 4 MiB
)

Work = Callable[[grpc.aio.Channel, Iterator[int], argparse.Namespace], Awaitable[list[float]]]
"""Takes numbers until there are none left, makes one call for each and returns each call's time in µs."""


def run(module: str, target: Target, load: Load, *options: str) -> LoadResult:
    """Runs a module that ends in `main` on the load's core.

    Raises:
        WrongAnswersError: A call failed, or its answer was wrong.
    """
    sizes = [f"--requests={load.requests}", f"--connections={load.connections}", f"--streams={load.streams}"]
    trusted = [f"--authority={target.authority}"] if target.authority else []
    command = [sys.executable, "-m", module, f"--address={target.address}", *trusted, *sizes, *options]
    pinned = ["taskset", "--cpu-list", str(load.core), *command]
    done = subprocess.run(pinned, cwd=ROOT, capture_output=True, check=False, timeout=TIMEOUT_S)
    if done.returncode:
        raise WrongAnswersError(f"{module} failed:\n{done.stderr.decode(errors='replace')[-2000:]}")
    return msgspec.json.decode(done.stdout, type=LoadResult)


def parser(description: str | None) -> argparse.ArgumentParser:
    """The arguments that `run` passes; a module may add its own."""
    common = argparse.ArgumentParser(description=description)
    common.add_argument("--address", required=True)
    common.add_argument("--authority", type=Path, help="PEM file; without it the channel is plain text")
    for name in ("requests", "connections", "streams"):
        common.add_argument(f"--{name}", type=int, required=True)
    return common


def main(work: Work, arguments: argparse.Namespace) -> None:
    """Runs `work` `streams` times on each of `connections` channels and prints the result as JSON."""
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_drive(work, arguments))))


def credentials(authority: Path) -> grpc.ChannelCredentials:
    """Trusts what `authority` signed."""
    return grpc.ssl_channel_credentials(authority.read_bytes())


def _channel(arguments: argparse.Namespace) -> grpc.aio.Channel:
    if arguments.authority is None:
        return grpc.aio.insecure_channel(arguments.address, CHANNEL_OPTIONS)
    return grpc.aio.secure_channel(arguments.address, credentials(arguments.authority), CHANNEL_OPTIONS)


async def _drive(work: Work, arguments: argparse.Namespace) -> LoadResult:
    numbers = iter(range(arguments.requests))
    channels = [_channel(arguments) for _ in range(arguments.connections)]
    await asyncio.gather(*(channel.channel_ready() for channel in channels))
    started, started_cpu = time.perf_counter(), time.process_time()
    workers = [work(channel, numbers, arguments) for channel in channels for _ in range(arguments.streams)]
    times_us = [single for times in await asyncio.gather(*workers) for single in times]
    seconds, spent = time.perf_counter() - started, time.process_time() - started_cpu
    await asyncio.gather(*(channel.close() for channel in channels))
    return LoadResult(len(times_us), seconds, percentiles(times_us), spent)
