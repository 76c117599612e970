"""`InitialSync` of `lauradb.cluster.ReplicationService`, both ways: parts, each read when there is room for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import grpc

from laura_fast.errors import Code, RemoteError
from laura_fast.pb.lauradb.cluster import replication_pb2
from laura_fast.services.replication import conversions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from laura_fast.node.replication.driver import ReplicaSet
    from laura_fast.node.replication.messages import Copied, Copy

SILENCE_S: Final = 30.0
"""How long a part may take: thousands of times what its read does."""


async def served(member: ReplicaSet, copy: Copy) -> AsyncIterator[replication_pb2.InitialSyncResponse]:
    """All parts of a copy from its token on. Raises as `ReplicaSet.copy`."""
    while True:
        part = await member.copy(copy)
        yield conversions.copied_message(part)
        if part.complete:
            return
        copy = replace(copy, token=part.token)


class CopyStream:
    """One `InitialSync` of another member, read part by part."""

    def __init__(self, stub: Any, address: str, copy: Copy) -> None:
        request = replication_pb2.InitialSyncRequest(
            replica_id=copy.member, collections=copy.collections, resume_after=copy.token
        )
        self._call = stub.InitialSync(request)
        self._address = address
        self._token: bytes | None = copy.token

    def continues(self, token: bytes) -> bool:
        """Whether the next part is the one behind this token."""
        return self._token == token

    async def part(self) -> Copied:
        """The next one.

        Raises:
            RemoteError: The stream ended, or brought nothing for too long.
        """
        self._token = None  # whoever is interrupted here must not go on with this stream
        try:
            async with asyncio.timeout(SILENCE_S):
                message = await self._call.read()
        except TimeoutError:
            self.cancel()
            raise RemoteError(self._address, Code.UNAVAILABLE, "it brought nothing for too long") from None
        if message is grpc.aio.EOF:
            raise RemoteError(self._address, Code.UNAVAILABLE, "it ended the stream")
        part = conversions.copied(message)
        self._token = part.token or None
        return part

    def cancel(self) -> None:
        """Gives the stream up."""
        self._call.cancel()
