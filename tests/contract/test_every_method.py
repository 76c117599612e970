"""Every method of every service is there: built, or UNIMPLEMENTED with a text that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from laura_fast.services.contract import SERVICES

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor

BUILT = {
    *(
        f"lauradb.cluster.ClusterService/{name}"
        for name in ("RegisterNode", "DeregisterNode", "Heartbeat", "GetTopology")
    ),
    *(
        f"lauradb.cluster.RouterService/{name}"
        for name in ("Query", "Insert", "Update", "Delete", "Aggregate", "GetShardMap")
    ),
    *(
        f"laura.fast.v1.DocumentService/{name}"
        for name in (
            "ListCollections",
            "CreateCollection",
            "DropCollection",
            "ListIndexes",
            "CreateIndex",
            "DropIndex",
            "Explain",
            "Verify",
        )
    ),
    *(f"laura.fast.v1.MembershipService/{name}" for name in ("HeartbeatStream", "WatchTopology")),
    *(f"laura.fast.v1.AdminService/{name}" for name in ("GetClusterStatus", "GetNodeStatistics", "StepDown")),
}
METHODS = {f"{service.full_name}/{method.name}": method for service in SERVICES.values() for method in service.methods}


def _call(channel: Any, name: str, method: MethodDescriptor) -> Any:
    if method.server_streaming:
        return channel.unary_stream(f"/{name}")(b"").read()
    return channel.unary_unary(f"/{name}")(b"")


@pytest.mark.parametrize("name", sorted(METHODS.keys() - BUILT))
async def test_what_is_not_built_says_so(channel: grpc.aio.Channel, name: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _call(channel, name, METHODS[name])
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert caught.value.details() == f"{name} is in the contract, but this server does not have it yet"
    status, info = rpc_status.from_call(caught.value), error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.domain, info.reason) == ("laura-fast", "NOT_BUILT")


async def test_a_method_outside_the_contract_is_unimplemented(channel: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary("/lauradb.cluster.ClusterService/Reboot")(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
