"""A grpc.aio server that keeps every limit of `TransportSettings` and reports its calls."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc

from laura_fast.errors import AddressInUseError
from laura_fast.transport.grpcio.credentials import server_credentials
from laura_fast.transport.grpcio.observed import ObservedHandlers
from laura_fast.transport.grpcio.options import channel_arguments
from laura_fast.transport.grpcio.ports import check_bindable
from laura_fast.transport.tls import TlsMaterial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from laura_fast.transport.settings import RpcObserver, TlsFiles, TransportSettings


def create_server(settings: TransportSettings, observer: RpcObserver) -> GrpcioServer:
    """A server that is not started yet. Call from within the event loop that is to run it."""
    return GrpcioServer(settings, observer)


class GrpcioServer:
    """The interface of grpc.aio.Server."""

    def __init__(self, settings: TransportSettings, observer: RpcObserver) -> None:
        self._observer = observer
        self._timeout_s = settings.request_timeout_ms / 1000
        self._stopping: asyncio.Future[None] | None = None
        self._stop_lock = asyncio.Lock()
        self._server = grpc.aio.server(
            options=channel_arguments(settings), maximum_concurrent_rpcs=settings.max_total_rpcs or None
        )

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Registers handlers; before `start` only."""
        self._server.add_generic_rpc_handlers(
            [ObservedHandlers(handler, self._observer, self._timeout_s) for handler in generic_rpc_handlers]
        )

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        """Does nothing: generated `add_…Servicer_to_server` code calls it after `add_generic_rpc_handlers`."""

    def add_insecure_port(self, address: str) -> int:
        """Listens without TLS.

        Args:
            address: `host:port`, port 0 for a free one, or `unix:path`.

        Returns:
            The port; 1 for a Unix socket.

        Raises:
            AddressInUseError: The address can't be bound; the message says why.
        """
        return self._add_port(address, self._server.add_insecure_port)

    def add_tls_port(self, address: str, tls: TlsFiles | TlsMaterial) -> int:
        """Listens with TLS only.

        Args:
            address: As for `add_insecure_port`.
            tls: The files; or material already loaded, where somebody else reloads and counts.

        Raises:
            AddressInUseError: The address can't be bound.
            TlsMaterialError: The files can't be used.
        """
        material = tls if isinstance(tls, TlsMaterial) else TlsMaterial(tls)
        credentials = server_credentials(material)
        return self._add_port(address, lambda where: self._server.add_secure_port(where, credentials))

    def _add_port(self, address: str, add: Callable[[str], int]) -> int:
        check_bindable(address)
        try:
            return add(address)
        except RuntimeError as error:  # taken in between, or by a limit only C-core knows
            raise AddressInUseError(f"cannot listen on {address}: {error}") from None

    async def start(self) -> None:
        """Serves from now on."""
        await self._server.start()

    async def stop(self, grace: float | None) -> None:
        """Refuses new calls, lets running ones finish for `grace` seconds, then cancels them. None: at once.

        A later call may cut the grace time of an earlier one. C-core's binding never sees two at a time: it would
        cancel the calls of a server that the other has just destroyed, and the process would die of it.
        """
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(self._server.stop(grace))
            await asyncio.wait({self._stopping})
        else:
            await asyncio.wait({self._stopping}, timeout=grace or 0)
            self._stopping.cancel()
            await asyncio.wait({self._stopping})
        async with self._stop_lock:
            await self._server.stop(None)  # returns at once when all is over

    async def wait_for_termination(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109  # grpc.aio's name
        """True if the server still runs after `timeout` seconds."""
        return await self._server.wait_for_termination(timeout)
