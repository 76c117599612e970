"""WatchTopology as an endless sequence of topologies: resumed by version, over whichever server answers."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import grpc

from laura_fast.client.retry import is_tried_elsewhere, to_remote_error
from laura_fast.client.topology import Topology
from laura_fast.errors import Code, RemoteError, UnreachableError
from laura_fast.pb.laura.fast.v1.membership_pb2 import TopologyEvent, WatchTopologyRequest
from laura_fast.pb.laura.fast.v1.membership_pb2_grpc import MembershipServiceStub

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from laura_fast.client.cluster import ClusterClient
    from laura_fast.client.link import Link

POLL_S: Final = 20.0
"""Length of one long-poll at a server without WatchTopology; below its 30 s limit of a unary call."""


async def watch_topology(client: ClusterClient, known: Topology) -> AsyncGenerator[Topology]:
    """Each version after `known`. Ends only by an error that another server would repeat.

    A server without `MembershipService` is polled instead.
    """
    try:
        async with aclosing(_streamed(client, known)) as topologies:
            async for known in topologies:  # noqa: PLR1704 - polling goes on where the stream stopped
                yield known
    except RemoteError as error:
        if error.code is not Code.UNIMPLEMENTED:
            raise
    async for newer in _polled(client, known):
        yield newer


async def _polled(client: ClusterClient, known: Topology) -> AsyncGenerator[Topology]:
    failed = 0
    while True:
        try:
            newer = await client.wait_newer(known.version, POLL_S)
        except UnreachableError as error:
            failed += 1
            await client.caller.pause_and_rotate(error.failures[-1], failed)
            continue
        failed = 0
        if newer:
            known = newer
            yield known


async def _streamed(client: ClusterClient, known: Topology) -> AsyncGenerator[Topology]:
    failed = 0
    while True:
        try:
            async with aclosing(_events(client.caller.link, known.version)) as events:
                async for event in events:
                    known = _next(known, event)
                    failed = 0
                    yield known
            error = RemoteError(client.address, Code.UNAVAILABLE, "the server ended the watch")
        except RemoteError as caught:
            if not is_tried_elsewhere(caught):
                raise
            error = caught
        except _GapError:
            known = Topology()
            error = RemoteError(client.address, Code.DATA_LOSS, "the watch skipped a version")
        failed += 1
        await client.caller.pause_and_rotate(error, failed)


class _GapError(Exception):
    """A delta that does not begin where we are."""


async def _events(link: Link, version: int) -> AsyncGenerator[TopologyEvent]:
    call = MembershipServiceStub(link.channel).WatchTopology(WatchTopologyRequest(from_version=version))
    try:
        async for event in call:
            yield event
    except grpc.aio.AioRpcError as error:
        raise to_remote_error(link.address, error) from error
    finally:
        call.cancel()


def _next(known: Topology, event: TopologyEvent) -> Topology:
    if event.HasField("snapshot"):
        return Topology.from_message(event.snapshot)
    if event.delta.from_version != known.version:
        raise _GapError
    return known.applied(event.version, event.delta)
