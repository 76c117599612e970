"""The other members over gRPC: `Peers` on channels of ours."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import grpc

from laura_fast.client.retry import to_remote_error
from laura_fast.errors import Code, RemoteError
from laura_fast.pb.laura.fast.v1 import replica_set_pb2, replica_set_pb2_grpc
from laura_fast.pb.lauradb.cluster import replication_pb2, replication_pb2_grpc
from laura_fast.services.replication import conversions
from laura_fast.services.replication.copies import CopyStream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from laura_fast.domain.replication.members import Position, ReplicaMember
    from laura_fast.node.replication.messages import Batch, Beat, Copied, Copy, Fetch, Question, Reply, Report

OPEN_ENDED_S: Final = 30.0
"""How long a stream may bring nothing at all; keep-alives come many times as often."""


class GrpcPeers:
    """Channels to the other members, opened when they are first needed."""

    def __init__(self, replica_set: str, open_channel: Callable[[str], grpc.aio.Channel], timeout_s: float) -> None:
        """Prepares.

        Args:
            replica_set: Its name.
            open_channel: To `host:port`.
            timeout_s: Of a call; a member that takes longer is as good as dead.
        """
        self._replica_set = replica_set
        self._open_channel = open_channel
        self._timeout_s = timeout_s
        self._opened: dict[str, _Opened] = {}
        self._streams: dict[str, _Stream] = {}
        self._copies: dict[str, CopyStream] = {}

    async def close(self) -> None:
        """Ends every call."""
        await asyncio.gather(*(opened.channel.close() for opened in self._opened.values()))

    async def ask_vote(self, member: ReplicaMember, question: Question) -> Reply:
        request = conversions.vote_request(question)
        return conversions.reply(await self._ask(member, self._replication(member).RequestVote, request))

    async def beat(self, member: ReplicaMember, beat: Beat) -> Report:
        request = conversions.beat_message(self._replica_set, beat)
        return conversions.report(await self._ask(member, self._set(member).Beat, request))

    async def fetch(self, member: ReplicaMember, fetch: Fetch) -> Batch:
        stream = self._streams.get(member.id)
        if stream is None or not stream.continues(fetch.last):
            if stream:
                stream.cancel()
            stream = self._streams[member.id] = _Stream(self._replication(member), member.address, fetch)
        try:
            return await stream.batch()
        except grpc.aio.AioRpcError as error:
            self._streams.pop(member.id, None)
            raise to_remote_error(member.address, error) from None

    async def report(self, member: ReplicaMember, report: Report) -> None:
        request = replication_pb2.WriteAcknowledgmentRequest(acks=[conversions.acknowledgment(report)])
        await self._ask(member, self._replication(member).AcknowledgeWrite, request)

    async def greet(self, member: ReplicaMember) -> Report:
        request = replica_set_pb2.GreetRequest(replica_set=self._replica_set)
        return conversions.report(await self._ask(member, self._set(member).Greet, request))

    async def copy(self, member: ReplicaMember, copy: Copy) -> Copied:
        stream = self._copies.get(member.id)
        if stream is None or not stream.continues(copy.token):
            if stream:
                stream.cancel()
            stream = self._copies[member.id] = CopyStream(self._replication(member), member.address, copy)
        try:
            return await stream.part()
        except grpc.aio.AioRpcError as error:
            self._copies.pop(member.id, None)
            raise to_remote_error(member.address, error) from None

    async def hand_off(self, member: ReplicaMember, term: int, reason: str) -> None:
        request = replica_set_pb2.HandOffRequest(replica_set=self._replica_set, term=term, reason=reason)
        await self._ask(member, self._set(member).HandOff, request)

    async def ask_hand_off(self, member: ReplicaMember, successor: str) -> None:
        request = replica_set_pb2.RequestHandOffRequest(replica_set=self._replica_set, successor_id=successor)
        await self._ask(member, self._set(member).RequestHandOff, request)

    async def _ask(self, member: ReplicaMember, method: Callable[..., Awaitable[Any]], request: Any) -> Any:
        try:
            return await method(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise to_remote_error(member.address, error) from None

    def _replication(self, member: ReplicaMember) -> Any:
        return self._reached(member).replication

    def _set(self, member: ReplicaMember) -> Any:
        return self._reached(member).replica_set

    def _reached(self, member: ReplicaMember) -> _Opened:
        if member.address not in self._opened:
            self._opened[member.address] = _Opened(self._open_channel(member.address))
        return self._opened[member.address]


class _Opened:
    """A channel with its stubs: making one takes as long as a call."""

    __slots__ = ("channel", "replica_set", "replication")

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.replication: Any = replication_pb2_grpc.ReplicationServiceStub(channel)
        self.replica_set: Any = replica_set_pb2_grpc.ReplicaSetServiceStub(channel)


class _Stream:
    """One `StreamOplog` that follows the primary, read batch by batch."""

    def __init__(self, stub: Any, address: str, fetch: Fetch) -> None:
        request = replication_pb2.ReplicationStreamRequest(
            replica_id=fetch.member,
            start_oplog_id=fetch.last.op_id + 1,
            last_term=fetch.last.term,
            follow=bool(fetch.wait_s),
        )
        self._call = stub.StreamOplog(request)
        self._address = address
        self._last: Position | None = fetch.last

    def continues(self, last: Position) -> bool:
        """Whether the next batch begins behind this entry."""
        return self._last == last

    async def batch(self) -> Batch:
        """The next one."""
        position, self._last = self._last, None  # whoever is interrupted here must not go on with this stream
        try:
            async with asyncio.timeout(OPEN_ENDED_S):
                message = await self._call.read()
        except TimeoutError:
            self.cancel()
            raise self._broken("brought nothing for too long") from None
        if message is grpc.aio.EOF:
            with suppress(grpc.aio.AioRpcError):
                await self._call.code()
            raise self._broken("ended the stream")
        batch = conversions.batch(message)
        self._last = conversions.end_of(batch) or position
        return batch

    def _broken(self, what: str) -> RemoteError:
        return RemoteError(self._address, Code.UNAVAILABLE, f"it {what}")

    def cancel(self) -> None:
        """Gives the stream up."""
        self._call.cancel()
