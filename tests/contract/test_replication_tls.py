"""With mutual TLS the members of a replica set listen to members only, and to each only for itself."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import bson
import grpc
import pytest
import trustme
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from laura_fast.app import Server
from laura_fast.client.local.plan import free_ports
from laura_fast.config import Config
from laura_fast.pb.laura.fast.v1 import replica_set_pb2, replica_set_pb2_grpc
from laura_fast.pb.lauradb.cluster import common_pb2, replication_pb2, replication_pb2_grpc
from tests.contract.transport_kit import channel_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

IDS = ("n1", "n2", "n3")


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def credentials(ca: trustme.CA, *names: str) -> grpc.ChannelCredentials:
    identity = ca.issue_cert(*names)
    chain = b"".join(part.bytes() for part in identity.cert_chain_pems)
    return grpc.ssl_channel_credentials(ca.cert_pem.bytes(), identity.private_key_pem.bytes(), chain)


class Member:
    """What a caller with one certificate asks of one member."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.replication: Any = replication_pb2_grpc.ReplicationServiceStub(channel)
        self.set: Any = replica_set_pb2_grpc.ReplicaSetServiceStub(channel)

    async def state(self) -> replica_set_pb2.ReplicaSetState:
        state: replica_set_pb2.ReplicaSetState = await self.set.GetReplicaSet(replica_set_pb2.GetReplicaSetRequest())
        return state


class Secured:
    """Servers with mutual TLS, each with a certificate for its own id."""

    def __init__(self, directory: Path, ca: trustme.CA, transport: str, ids: tuple[str, ...]) -> None:
        self._ca = ca
        self._undo = AsyncExitStack()
        self._members = dict(zip(ids, free_ports("localhost", len(ids)), strict=True))
        self._servers = {each: Server(self._config(directory, each, transport)) for each in ids}

    def _config(self, directory: Path, member_id: str, transport: str) -> Config:
        identity = self._ca.issue_cert("localhost", member_id)
        files = {name: directory / f"{member_id}.{name}" for name in ("key", "cert", "ca")}
        files["key"].touch(mode=0o600)
        files["key"].write_bytes(identity.private_key_pem.bytes())
        files["cert"].write_bytes(b"".join(part.bytes() for part in identity.cert_chain_pems))
        files["ca"].write_bytes(self._ca.cert_pem.bytes())
        return Config(
            host="127.0.0.1",
            port=self._members[member_id],
            data_dir=str(directory / member_id),
            transport=transport,  # type: ignore[arg-type]  # one of the names
            node_id=member_id,
            replica_set="rs0",
            members=",".join(f"{each}=localhost:{port}" for each, port in self._members.items()),
            election_timeout_ms=300,
            tls_cert_file=str(files["cert"]),
            tls_key_file=str(files["key"]),
            tls_client_ca_file=str(files["ca"]),
        )

    async def start(self) -> None:
        for server in self._servers.values():
            await server.start()
            self._undo.push_async_callback(server.stop, 0)

    async def stop(self) -> None:
        await self._undo.aclose()

    async def caller(self, member_id: str, *names: str) -> Member:
        """Somebody with a certificate for these names, connected to a member."""
        where = f"localhost:{self._members[member_id]}"
        channel = grpc.aio.secure_channel(where, credentials(self._ca, *names), options=channel_options())
        return Member(await self._undo.enter_async_context(channel))

    async def primary(self) -> str:
        async with asyncio.timeout(10):
            caller = await self.caller(next(iter(self._members)), "somebody")
            while not (state := await caller.state()).commit_op_id:  # noqa: ASYNC110 - it is asked over the wire
                await asyncio.sleep(0.02)
        return state.primary_id


@pytest.fixture
async def alone(transport_name: str, tmp_path: Path, ca: trustme.CA) -> AsyncIterator[Secured]:
    """n1, the only member of its set, in office."""
    secured = Secured(tmp_path, ca, transport_name, IDS[:1])
    await secured.start()
    await secured.primary()
    yield secured
    await secured.stop()


async def reason(call: Awaitable[Any]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as denied:
        await call
    assert denied.value.code() is grpc.StatusCode.PERMISSION_DENIED
    info = error_details_pb2.ErrorInfo()
    assert rpc_status.from_call(denied.value).details[0].Unpack(info)
    return str(info.reason)


def beat(who: str) -> replica_set_pb2.BeatRequest:
    return replica_set_pb2.BeatRequest(replica_set="rs0", primary_id=who, term=99)


def acks(who: str) -> replication_pb2.WriteAcknowledgmentRequest:
    ack = replication_pb2.WriteAcknowledgment(node_id=who, oplog_id=1, success=True)
    return replication_pb2.WriteAcknowledgmentRequest(acks=[ack])


def vote(who: str) -> replication_pb2.VoteRequest:
    return replication_pb2.VoteRequest(candidate_id=who, term=99, replica_set="rs0", last_term=98, last_oplog_id=99)


def hand_off() -> replica_set_pb2.HandOffRequest:
    return replica_set_pb2.HandOffRequest(replica_set="rs0", term=1)


def successor(who: str) -> replica_set_pb2.RequestHandOffRequest:
    return replica_set_pb2.RequestHandOffRequest(replica_set="rs0", successor_id=who)


def entry(identifier: int = 1) -> replication_pb2.OplogEntry:
    document = bson.encode({"_id": identifier})
    return replication_pb2.OplogEntry(namespace="shop.orders", op_type=common_pb2.INSERT, document=document)


def stream(who: str) -> replication_pb2.ReplicationStreamRequest:
    return replication_pb2.ReplicationStreamRequest(replica_id=who, start_oplog_id=1)


NAMED: dict[str, Callable[[Member, str], Awaitable[Any]]] = {
    "RequestVote": lambda member, who: member.replication.RequestVote(vote(who)),
    "AcknowledgeWrite": lambda member, who: member.replication.AcknowledgeWrite(acks(who)),
    "StreamOplog": lambda member, who: member.replication.StreamOplog(stream(who)).read(),
    "Beat": lambda member, who: member.set.Beat(beat(who)),
    "RequestHandOff": lambda member, who: member.set.RequestHandOff(successor(who)),
}
CALLS = NAMED | {
    "AppendOplog": lambda member, _: member.replication.AppendOplog(entry()),
    "HandOff": lambda member, _: member.set.HandOff(hand_off()),
}


async def test_who_is_no_member_is_refused_whatever_it_calls_itself_and_changes_nothing(alone: Secured) -> None:
    stranger = await alone.caller("n1", "n9")
    before = await stranger.state()
    for call in CALLS.values():
        assert await reason(call(stranger, "n9")) == "NOT_A_MEMBER"
    for call in NAMED.values():
        assert await reason(call(stranger, "n1")) == "NODE_ID_MISMATCH"
        assert await reason(call(stranger, "")) == "NODE_ID_MISMATCH"
    after = await stranger.state()
    assert (after.term, after.commit_op_id) == (before.term, before.commit_op_id)


async def test_a_member_may_speak_for_itself_only(alone: Secured) -> None:
    member = await alone.caller("n1", "n1")
    assert (await member.replication.AcknowledgeWrite(acks("n1"))).all_acknowledged
    assert (await member.replication.StreamOplog(stream("n1")).read()).entries
    assert (await member.replication.AppendOplog(entry())).success
    for call in NAMED.values():
        assert await reason(call(member, "n2")) == "NODE_ID_MISMATCH"


async def check_pushes_to_a_secondary(secondary: Member, op_id: int, primary_id: str) -> None:
    """It writes nothing: it says whether it has pulled the same."""

    async def push(at: int, identifier: int) -> str:
        pushed = entry(identifier)
        pushed.op_id = at
        answer = await secondary.replication.AppendOplog(pushed)
        return "" if answer.success else str(answer.error)

    async with asyncio.timeout(5):
        while told := await push(op_id, 1):
            assert told.startswith("gap: ") or told == f"op {op_id} has not come from the primary yet"
    assert await push(op_id, 2) == f"conflict at op {op_id}"
    assert await push(op_id + 1, 2) == f"op {op_id + 1} has not come from the primary yet"
    assert await push(op_id + 9, 2) == f"gap: expected {op_id + 1}"
    assert (await push(0, 2)).startswith(f"not primary: the primary is {primary_id} at localhost:")


async def test_three_members_replicate_with_their_certificates(
    transport_name: str, tmp_path: Path, ca: trustme.CA
) -> None:
    secured = Secured(tmp_path, ca, transport_name, IDS)
    await secured.start()
    try:
        member = await secured.caller(await secured.primary(), "n1")
        answer = await member.replication.AppendOplog(entry())
        assert answer.success, answer.error
        state = await member.state()
        assert state.commit_op_id >= answer.oplog_id, "a majority has it"
        assert min(each.state for each in state.members) == "primary"
        secondary = await secured.caller(next(each for each in IDS if each != state.observer_id), "n1")
        await check_pushes_to_a_secondary(secondary, answer.oplog_id, state.observer_id)
    finally:
        await secured.stop()
