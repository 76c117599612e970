"""What the connections of one server share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.transport.native.admission import Admission
from laura_fast.transport.native.answers import WholeAnswers
from laura_fast.transport.native.descriptors import Descriptors
from laura_fast.transport.native.methods import Methods
from laura_fast.transport.native.requests import Preparer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    import grpc

    from laura_fast.transport.native.newcomers import Newcomer
    from laura_fast.transport.native.protocol import ServerProtocol
    from laura_fast.transport.settings import RpcObserver, TransportSettings


class ServerState:
    """Settings, methods and counts of one server.

    Attributes:
        admission: Counts connections from accept to close.
        descriptors: Pauses accepting.
        newcomers: Those who wait their turn or are in their TLS handshake.
        connections: Those whose handshake (TLS) is done.
        most_rpcs: More calls than these are refused.
        rpcs: Calls in progress, except unary ones that are answered where they are read: one of those at a time.
    """

    def __init__(
        self,
        settings: TransportSettings,
        observer: RpcObserver,
        interceptors: Sequence[grpc.aio.ServerInterceptor],
        executor: Executor | None,
        compression: grpc.Compression | None,
    ) -> None:
        self.settings = settings
        self.observer = observer
        self.interceptors = interceptors
        self.executor = executor
        self.compression = compression
        self.methods = Methods()
        self.preparer = Preparer(self.methods, by_call=bool(interceptors), plain=not compression)
        self.answers = WholeAnswers(settings.max_message_bytes)
        self.admission = Admission(settings.max_connections, settings.max_unauthenticated_per_address)
        self.descriptors = Descriptors()
        self.newcomers: set[Newcomer] = set()
        self.connections: set[ServerProtocol] = set()
        self.rpcs = 0
        self.most_rpcs = settings.max_total_rpcs or float("inf")
