"""The agent: keeps one LauraDB node a member of its cluster for as long as the process runs."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from laura_fast.client.cluster import ClusterClient
from laura_fast.client.explain import explain
from laura_fast.client.machine import Machine
from laura_fast.client.retry import RetryPolicy, RetryScheduled
from laura_fast.observability import log
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from laura_fast.client.channel import ClientTls
    from laura_fast.client.session import MemberOptions

_log = log.get("laura_fast.agent")

POLICY: Final = RetryPolicy(max_overloads=None)
"""An agent has nothing else to do than to wait for its turn."""


async def run_agent(
    node: pb.Node, seeds: Sequence[str], *, tls: ClientTls | None, options: MemberOptions, data_dir: Path
) -> None:
    """Registers `node`, beats with the machine's figures, and deregisters on SIGTERM or SIGINT.

    A server that is away, at the start or later, is waited for. A second signal ends the process at once.

    Raises:
        RefusedError: The node's id belongs to somebody else.
        ConfigError: Wrong seeds or no such data directory.
        TlsMaterialError: TLS files that can't be used.
    """
    machine = Machine(data_dir)

    def status() -> pb.NodeStatus:
        return pb.NodeStatus(role=node.role, resources=machine.resources())

    async def hold() -> None:
        async with (
            ClusterClient(seeds, tls=tls, policy=POLICY, on_retry=_log_retry) as client,
            client.member(node, status=status, options=options) as member,
        ):
            await member.wait_lost()

    await _until_signalled(asyncio.create_task(hold()))


async def _until_signalled(work: asyncio.Task[None]) -> None:
    stopped = asyncio.Event()
    with _signals(stopped):
        stop = asyncio.create_task(stopped.wait())
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if work.done():
        return work.result()
    work.cancel()  # the membership deregisters on its way out
    await asyncio.wait({work})
    return None


@contextmanager
def _signals(stopped: asyncio.Event) -> Iterator[None]:
    """Sets the event at the first signal; afterwards the signals have their usual effect again."""
    loop, caught = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)
    for number in caught:
        loop.add_signal_handler(number, stopped.set)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


def _log_retry(scheduled: RetryScheduled) -> None:
    if scheduled.attempt & (scheduled.attempt - 1) == 0:  # 1st, 2nd, 4th, 8th …: an outage of hours stays readable
        _log.warning("cluster_unreachable", error=explain(scheduled.error), attempt=scheduled.attempt)
