"""Calls about documents, and what they tell of the cluster's time: a client sees again what it saw before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import grpc

from laura_fast.client.documents.members import Members
from laura_fast.client.documents.presence import answer_of
from laura_fast.client.documents.reading import Mode
from laura_fast.pb.lauradb.cluster import routing_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from laura_fast.client.cluster import ClusterClient
    from laura_fast.client.documents.reading import Reading

Request = TypeVar("Request")
Answer = TypeVar("Answer")
ReadRequest = TypeVar("ReadRequest", pb.QueryRequest, pb.AggregationRequest)
Method = Callable[[grpc.aio.Channel], "grpc.aio.UnaryUnaryMultiCallable[Request, Answer]"]

CLUSTER_TIME: Final = "laura-cluster-time"
"""Trailer of members of a replica set: the commit time of what was read or written."""
_LONGEST_ATTEMPT_S: Final = 3600.0


class Calls:
    """An attempt may take all the time there is: a long query that is cut off and asked again is only longer.

    Servers that are away are noticed by the connection, or by their silence (`presence`), not by this clock.
    """

    def __init__(self, cluster: ClusterClient, timeout_s: float | None, reading: Reading) -> None:
        self._cluster = cluster
        self._timeout_s = timeout_s
        self._reading = reading
        self._members = Members(cluster)
        self._seen = 0

    async def ask(self, method: Method[Request, Answer], request: Request) -> Answer:
        """Asks the primary, or whoever answers where there is none."""
        return await self._call(method, request, None)

    async def read(self, method: Method[ReadRequest, Answer], request: ReadRequest) -> Answer:
        """Asks whoever may answer, for what it may see."""
        reading = self._reading
        request.read_concern = reading.read_concern()
        request.read_preference.CopyFrom(reading.preference())
        request.after_time = self._seen if reading.causal else 0
        if reading.mode is Mode.PRIMARY:
            return await self._call(method, request, None)
        return await self._call(method, request, lambda: self._members.suitable(reading))

    async def _call(
        self,
        method: Method[Request, Answer],
        request: Request,
        suitable: Callable[[], Awaitable[Sequence[str]]] | None,
    ) -> Answer:
        async def call(channel: grpc.aio.Channel, seconds: float) -> Answer:
            running = method(channel)(request, timeout=seconds)
            try:
                answer = await answer_of(running, channel)
            except grpc.aio.AioRpcError:
                self._members.doubt()
                raise
            self._note_time(await running.trailing_metadata())
            return answer

        attempt_s = self._timeout_s or _LONGEST_ATTEMPT_S
        return await self._cluster.caller.until(call, self._timeout_s, attempt_s, suitable)

    def _note_time(self, trailers: Iterable[tuple[str, str | bytes]]) -> None:
        for key, value in trailers:
            if key == CLUSTER_TIME:
                self._seen = max(self._seen, int(value))
