"""The server: the interface of `grpc.aio.Server` over the parts of this package."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import grpc

from laura_fast.errors import Code
from laura_fast.limits import transport as limits
from laura_fast.transport.native import sockets
from laura_fast.transport.native.accepting import Acceptor
from laura_fast.transport.native.state import ServerState
from laura_fast.transport.native.sweeping import Sweeper
from laura_fast.transport.settings import RpcObserver, TlsFiles, TransportSettings
from laura_fast.transport.tls import TlsMaterial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Executor


def create_server(
    settings: TransportSettings | None = None,
    observer: RpcObserver | None = None,
    *,
    interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
    migration_thread_pool: Executor | None = None,
    max_connection_age_s: float | None = None,
    compression: grpc.Compression | None = None,
) -> NativeServer:
    """A server that is not started yet.

    Args:
        settings: Limits and times; the defaults are those of the configuration.
        observer: Hears of every call.
        interceptors: As for `grpc.aio.server`; with any, every call takes a task.
        migration_thread_pool: Where synchronous handlers run; None for the loop's default.
        max_connection_age_s: Connections older than this are ended gracefully; None for no limit.
        compression: Of all answers to clients that take it, unless a handler decides otherwise.
    """
    state = ServerState(
        settings or TransportSettings(), observer or _Silent(), tuple(interceptors), migration_thread_pool, compression
    )
    return NativeServer(state, max_connection_age_s)


class NativeServer(grpc.aio.Server):
    """See `create_server`."""

    def __init__(self, state: ServerState, max_connection_age_s: float | None) -> None:
        self._state = state
        self._acceptors: list[Acceptor] = []
        self._sweeper = Sweeper(state, max_connection_age_s)
        self._started = False
        self._stopping: asyncio.Task[None] | None = None
        self._stop_by: float | None = None
        self._stopped = asyncio.Event()

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        self._state.methods.add_generic(generic_rpc_handlers)

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        self._state.methods.add_registered(service_name, method_handlers)

    def add_insecure_port(self, address: str) -> int:
        """Listens without TLS.

        Args:
            address: `host:port`, port 0 for a free one, or `unix:path`.

        Returns:
            The port; 1 for a Unix socket.

        Raises:
            AddressInUseError: The address can't be bound; the message says why.
        """
        return self._add_port(address, None)

    def add_secure_port(self, address: str, server_credentials: Any) -> int:
        """Listens with TLS; takes an `ssl.SSLContext`.

        Raises:
            TypeError: `grpc.ServerCredentials` can't be opened, so nothing but a context or `TlsFiles` will do.
            AddressInUseError: The address can't be bound.
        """
        if isinstance(server_credentials, grpc.ServerCredentials):
            raise TypeError("grpc.ServerCredentials are opaque: pass an ssl.SSLContext to the native transport")
        return self.add_tls_port(address, server_credentials)

    def add_tls_port(self, address: str, tls: TlsFiles | TlsMaterial | ssl.SSLContext) -> int:
        """Listens with TLS only.

        Args:
            address: As for `add_insecure_port`.
            tls: Files, which are read again when they change; material that somebody else loaded; or a context, whose
                later changes hold for new connections.

        Raises:
            TypeError: Something else.
            TlsMaterialError: The files can't be used.
            AddressInUseError: The address can't be bound.
        """
        if isinstance(tls, ssl.SSLContext):
            tls.set_alpn_protocols(["h2"])
            return self._add_port(address, lambda: tls)
        if not isinstance(tls, TlsFiles | TlsMaterial):
            raise TypeError(f"TLS needs an ssl.SSLContext or TlsFiles, not {type(tls).__name__}")
        material = tls if isinstance(tls, TlsMaterial) else TlsMaterial(tls)
        return self._add_port(address, lambda: material.current().context)

    def _add_port(self, address: str, ssl_context: Callable[[], ssl.SSLContext] | None) -> int:
        if self._started:
            raise RuntimeError("ports are added before the start")
        listeners = sockets.bind(address)
        self._acceptors += [Acceptor(self._state, listener, ssl_context) for listener in listeners]
        return sockets.port_of(listeners)

    async def start(self) -> None:
        if self._started:
            raise grpc.aio.UsageError("the server was started before")
        self._started = True
        for acceptor in self._acceptors:
            acceptor.start()
        self._sweeper.start()

    async def stop(self, grace: float | None) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (grace or 0.0)
        self._stop_by = deadline if self._stop_by is None else min(self._stop_by, deadline)
        if self._stopping is None:
            self._stopping = loop.create_task(self._stop())
        await asyncio.shield(self._stopping)

    async def wait_for_termination(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109  # grpc.aio's name
        """True if the server still runs after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._stopped.wait()
        except TimeoutError:
            return True
        return False

    async def _stop(self) -> None:
        """Drains until the deadline, which a later `stop` may have brought forward; then cancels what is left."""
        loop, state = asyncio.get_running_loop(), self._state
        for acceptor in self._acceptors:
            acceptor.close()
        for newcomer in tuple(state.newcomers):
            newcomer.turn_away()
        for connection in tuple(state.connections):
            connection.drain()
        while state.connections and self._stop_by is not None and loop.time() < self._stop_by:  # noqa: ASYNC110  # the deadline moves
            await asyncio.sleep(min(_POLL_S, max(0.0, self._stop_by - loop.time())))
        for connection in tuple(state.connections):
            connection.stop(Code.UNAVAILABLE, "the server is shutting down")
        given_up = loop.time() + limits.HANDLER_EXIT_S
        while state.rpcs and loop.time() < given_up:  # noqa: ASYNC110  # once per server
            await asyncio.sleep(_POLL_S)
        self._sweeper.stop()
        for connection in tuple(state.connections):
            connection.close()
        given_up = loop.time() + limits.LINGER_S
        while state.connections and loop.time() < given_up:  # noqa: ASYNC110  # once per server
            await asyncio.sleep(_POLL_S)
        for connection in tuple(state.connections):
            connection.kill()
        self._stopped.set()


_POLL_S = 0.01
"""How often a stopping server looks whether it is done."""


class _Silent(RpcObserver):
    """The observer of a server that has none."""

    def rpc_started(self, method: str) -> None:
        """Nobody listens."""

    def rpc_handled(self, method: str, code: int, seconds: float, peer: str) -> None:
        """Nobody listens."""
