"""What a member answers over the wire about its set, and to entries and acknowledgements that are brought to it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import bson
import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from laura_fast.app import Server
from laura_fast.config import Config
from laura_fast.pb.laura.fast.v1 import admin_pb2, admin_pb2_grpc, replica_set_pb2, replica_set_pb2_grpc
from laura_fast.pb.lauradb.cluster import common_pb2, replication_pb2, replication_pb2_grpc
from tests.contract.transport_kit import channel_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable
    from pathlib import Path

ORDERS = "shop.orders"


class Alone:
    """The only member of a set, in office."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.replication: Any = replication_pb2_grpc.ReplicationServiceStub(channel)
        self.set: Any = replica_set_pb2_grpc.ReplicaSetServiceStub(channel)
        self.admin: Any = admin_pb2_grpc.AdminServiceStub(channel)

    async def state(self) -> replica_set_pb2.ReplicaSetState:
        state: replica_set_pb2.ReplicaSetState = await self.set.GetReplicaSet(replica_set_pb2.GetReplicaSetRequest())
        return state

    async def change(self, **change: Any) -> replica_set_pb2.ReplicaSetConfiguration:
        request = replica_set_pb2.ChangeReplicaSetRequest(replica_set="rs0", **change)
        return (await self.set.ChangeReplicaSet(request)).configuration  # type: ignore[no-any-return]

    async def append(self, op_id: int = 0, **fields: Any) -> replication_pb2.AppendOplogResponse:
        whole: dict[str, Any] = {"namespace": ORDERS, "op_type": common_pb2.INSERT} | fields
        answer: replication_pb2.AppendOplogResponse = await self.replication.AppendOplog(
            replication_pb2.OplogEntry(op_id=op_id, **whole)
        )
        return answer


@pytest.fixture
async def alone(transport_name: str, tmp_path: Path) -> AsyncIterator[Alone]:
    config = Config(
        host="127.0.0.1",
        port=0,
        data_dir=str(tmp_path / "data"),
        transport=transport_name,  # type: ignore[arg-type]  # one of the names
        node_id="n1",
        replica_set="rs0",
        members="n1=127.0.0.1:7001",
        election_timeout_ms=400,  # a busy machine takes 100 to sync, and a primary whose disk is silent steps down
    )
    server = Server(config)
    await server.start()
    async with grpc.aio.insecure_channel(server.address, options=channel_options()) as channel:
        member = Alone(channel)
        async with asyncio.timeout(5):
            while not (await member.state()).configuration_committed:  # noqa: ASYNC110 - it is asked over the wire
                await asyncio.sleep(0.01)
        yield member
    await server.stop(grace_s=0)


async def reason(call: Awaitable[Any]) -> str:
    """Why the call was refused."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    info, status = error_details_pb2.ErrorInfo(), rpc_status.from_call(refused.value)
    assert any(detail.Unpack(info) for detail in status.details)
    return str(info.reason)


def order(identifier: int) -> bytes:
    return bytes(bson.encode({"_id": identifier}))


async def test_the_state_says_who_leads_since_when_and_why(alone: Alone) -> None:
    state = await alone.state()
    [member] = state.members
    assert (state.observer_id, state.primary_id, member.state, member.lag_entries) == ("n1", "n1", "primary", 0)
    assert member.durable.op_id == member.applied.op_id == state.commit_op_id == 1, "the no-op of its term"
    [election] = state.elections
    assert (election.term, election.primary_id) == (state.term, "n1")
    assert election.reason.startswith("no primary was heard for 0.")
    assert election.reason.endswith("votes of n1")
    assert 0 <= state.observed_at_ms - election.at_ms < 10_000


async def test_a_change_makes_the_next_version_and_the_same_again_makes_none(alone: Alone) -> None:
    wanted = replica_set_pb2.ReplicaMember(id="n1", address="127.0.0.1:7001", priority=7, votes=True)
    for _ in range(2):
        after = await alone.change(put=wanted)
        assert (after.version, after.members[0].priority) == (2, 7)
    assert (await alone.state()).configuration == after


async def test_changes_that_must_not_be_made_say_why(alone: Alone) -> None:
    def put(**fields: Any) -> Awaitable[Any]:
        member: dict[str, Any] = {"id": "n2", "address": "127.0.0.1:7002", "priority": 1}
        return alone.change(put=replica_set_pb2.ReplicaMember(**member | fields))

    assert await reason(alone.change(remove="n1")) == "BAD_REPLICA_SET"
    assert await reason(alone.change(remove="n9")) == "NO_SUCH_MEMBER"
    assert await reason(put(votes=True)) == "NOT_CAUGHT_UP"
    assert await reason(put(address="nowhere")) == "BAD_REPLICA_SET"
    assert await reason(put(address="127.0.0.1:7001")) == "BAD_REPLICA_SET"
    assert await reason(put(id="a,b=c")) == "BAD_REPLICA_SET"
    assert await reason(put(id="n1", priority=0, votes=True)) == "BAD_REPLICA_SET"
    assert await reason(alone.change(expected_version=9, remove="n1")) == "VERSION_MISMATCH"
    other = replica_set_pb2.ChangeReplicaSetRequest(replica_set="rs9", remove="n1")
    assert await reason(alone.set.ChangeReplicaSet(other)) == "OTHER_REPLICA_SET"
    assert (await alone.state()).configuration.version == 1


async def test_a_primary_without_a_successor_does_not_step_down_and_writes_go_on(alone: Alone) -> None:
    assert await reason(alone.admin.StepDown(admin_pb2.StepDownRequest(catch_up_ms=50))) == "NO_SUCCESSOR"
    assert (await alone.append(document=order(1))).success


async def test_a_forced_step_down_ends_a_term(alone: Alone) -> None:
    before = (await alone.state()).term
    answer = await alone.admin.StepDown(admin_pb2.StepDownRequest(catch_up_ms=50, force=True))
    assert answer.new_primary_id == "n1"
    assert answer.term > before


async def test_an_entry_without_an_id_gets_the_next_and_may_be_brought_again(alone: Alone) -> None:
    first = await alone.append(document=order(1))
    assert first.success, first.error
    assert first.oplog_id == 3, "behind the no-op and the creation of the collection"
    again = await alone.append(3, document=order(1))
    assert (again.success, again.oplog_id) == (True, 3)
    assert (await alone.append(4, document=order(2))).oplog_id == 4
    update, query = bson.encode({"$set": {"total": 5}}), order(1)
    assert (await alone.append(op_type=common_pb2.UPDATE, query=query, update=update)).oplog_id == 5
    assert (await alone.append(op_type=common_pb2.DELETE, query=order(2))).oplog_id == 6
    assert (await alone.state()).commit_op_id == 6


@pytest.mark.parametrize(
    ("op_id", "fields", "error"),
    [
        (1, {"document": order(1)}, "conflict at op 1"),
        (9, {"document": order(1)}, "gap: expected 2"),
        (0, {"document": order(1), "namespace": "orders"}, "collection's name is empty"),
        (0, {"document": order(1), "namespace": ""}, "name is empty"),
        (0, {"document": b"\x05"}, "BSON"),
        (0, {"document": bson.encode({"total": 1})}, "_id"),
        (0, {"op_type": common_pb2.DELETE, "query": order(9)}, "no document with _id 9"),
        (0, {"op_type": common_pb2.UNKNOWN_OP}, "operation 0"),
        (0, {"document": order(1), "txn_id": 4}, "transactions"),
        (2, {"document": order(1)}, "its creation comes first"),
    ],
)
async def test_an_entry_that_does_not_fit_is_refused_with_its_reason(
    alone: Alone, op_id: int, fields: dict[str, Any], error: str
) -> None:
    answer = await alone.append(op_id, **fields)
    assert not answer.success
    assert error in answer.error
    assert (await alone.state()).commit_op_id == 1, "and changes nothing"


async def test_acknowledgements_are_counted_when_they_can_be_true(alone: Alone) -> None:
    async def count(*acks: replication_pb2.WriteAcknowledgment) -> tuple[bool, int]:
        request = replication_pb2.WriteAcknowledgmentRequest(acks=acks)
        answer = await alone.replication.AcknowledgeWrite(request)
        return answer.all_acknowledged, answer.ack_count

    ack = replication_pb2.WriteAcknowledgment
    assert await count() == (True, 0)
    assert await count(ack(node_id="n1", oplog_id=1, success=True)) == (True, 1)
    assert await count(ack(node_id="n1", oplog_id=0, success=True)) == (True, 1), "an older one changes nothing"
    assert await count(ack(node_id="n9", oplog_id=1, success=True)) == (False, 0), "a stranger"
    assert await count(ack(node_id="n1", oplog_id=99, success=True)) == (False, 0), "ahead of us"
    failed = ack(node_id="n1", oplog_id=1, success=False, error="disk")
    assert await count(failed, ack(node_id="n1", oplog_id=1, success=True)) == (False, 1)


async def parts(alone: Alone, **asked: Any) -> list[replication_pb2.InitialSyncResponse]:
    return [part async for part in alone.replication.InitialSync(replication_pb2.InitialSyncRequest(**asked))]


async def test_a_copy_tells_its_sync_point_first_and_where_it_is_consistent_last(alone: Alone) -> None:
    for number in range(3):
        assert (await alone.append(document=bson.encode({"_id": number, "text": "x" * 600_000}))).success
    latest = (await alone.state()).commit_op_id
    whole = await parts(alone, replica_id="n1")
    assert [part.complete for part in whole] == [False] * (len(whole) - 1) + [True]
    assert len(whole) > 1
    assert {part.sync_point_oplog_id for part in whole} == {whole[0].sync_point.op_id} == {latest}
    assert whole[-1].consistent_at == latest
    resumed = await parts(alone, replica_id="n1", resume_after=whole[0].resume_token)
    assert [part.data_chunk for part in resumed] == [part.data_chunk for part in whole[1:]]


async def test_an_empty_set_is_copied_in_one_part(alone: Alone) -> None:
    [part] = await parts(alone, replica_id="n1")
    assert part.complete


async def test_only_collections_that_are_there_are_copied(alone: Alone) -> None:
    assert (await alone.append(document=bson.encode({"_id": 1}))).success
    assert len(await parts(alone, replica_id="n1", collections=[ORDERS])) == 1
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await parts(alone, replica_id="n1", collections=[ORDERS, "shop.absent"])
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.aio.AioRpcError) as foreign:
        await parts(alone, replica_id="n1", resume_after=b"of another server")
    assert foreign.value.code() is grpc.StatusCode.INVALID_ARGUMENT
