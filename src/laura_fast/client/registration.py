"""RegisterNode as a call, and what its answer means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.client.addresses import join
from laura_fast.client.names import state_name
from laura_fast.errors import RefusedError
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.pb.lauradb.cluster.cluster_pb2_grpc import ClusterServiceStub

if TYPE_CHECKING:
    from collections.abc import Sequence

    import grpc

    from laura_fast.client.retry import Call


def registration(node: pb.Node, seeds: Sequence[str], *, take_over: bool) -> Call[pb.NodeRegistrationResponse]:
    """One attempt to register `node`."""
    request = pb.NodeRegistrationRequest(node=node, seed_nodes=seeds, take_over=take_over)

    async def call(channel: grpc.aio.Channel, seconds: float) -> pb.NodeRegistrationResponse:
        return await ClusterServiceStub(channel).RegisterNode(request, timeout=seconds)

    return call


def accepted(node: pb.Node, answer: pb.NodeRegistrationResponse, *, take_over: bool) -> pb.NodeRegistrationResponse:
    """The answer, where it makes `node` a member.

    A server without the `take_over` extension refuses a restarted node as a duplicate of itself. It is a member all the
    same: its beats renew the entry that is there.

    Raises:
        RefusedError: The node is not a member; the text says who holds its id.
    """
    holder = next((existing for existing in answer.cluster_nodes if existing.id == node.id), None)
    if answer.success or (take_over and holder and (holder.host, holder.port) == (node.host, node.port)):
        return answer
    if holder is None:
        raise RefusedError(answer.message)
    held = f"at {join(holder.host, holder.port)} ({state_name(holder.state)})"
    raise RefusedError(f"{answer.message} {held}; an id is free when its node is down or was deregistered")
