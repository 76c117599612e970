"""One server: storage, services and transport, started in order and stopped in reverse."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

from laura_fast.app.data import open_data
from laura_fast.app.database import open_database
from laura_fast.app.identity import own_id
from laura_fast.app.listening import listen
from laura_fast.app.observing import log_change, make_side_port
from laura_fast.app.ready_file import ReadyFile
from laura_fast.app.replication import join_replica_set
from laura_fast.app.transports import create_transport
from laura_fast.app.wiring import Node, Services
from laura_fast.errors import StartupError, StorageFailedError
from laura_fast.node.clock import SystemClock
from laura_fast.node.membership import Membership
from laura_fast.node.settings import MembershipSettings
from laura_fast.observability import log
from laura_fast.observability.rpc import RpcStats
from laura_fast.services.nodes import encode_node

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from laura_fast.app.transports import Transport
    from laura_fast.config import Config
    from laura_fast.metadata.store import MetadataStore
    from laura_fast.transport.tls import TlsMaterial

_log = log.get("laura_fast.server")


class Server:
    """A LauraDB cluster node in this program's event loop.

    ::

        server = Server(Config(port=0, data_dir="data"))
        await server.start()
        print(server.address)
        await server.stop(grace_s=5)

    Args:
        config: Every setting.
        ssl_context: Used instead of the key material that `config` names; the native transport only.

    Attributes:
        metrics_address: `host:port` of the side port; empty when it is off.
    """

    def __init__(self, config: Config, *, ssl_context: ssl.SSLContext | None = None) -> None:
        self._config = config
        self._ssl_context = ssl_context
        self._ready_file = ReadyFile(config.ready_file)
        self._undo = AsyncExitStack()
        self._closing = asyncio.Lock()
        self._stopped = asyncio.Event()
        self._transport: Transport | None = None
        self._services: Services | None = None
        self._material: TlsMaterial | None = None
        self._clock = SystemClock()
        self.metrics_address = ""
        self._address = self._bound = ""
        self._failure: StorageFailedError | None = None
        self._last_stop: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """`host:port` that the server listens on; empty before `start`."""
        return self._address

    async def start(self) -> None:
        """Serves when it returns. After an error nothing is left behind: no port, no lock, no file.

        Raises:
            StartupError: Started before, or the machine's state forbids it: port, data directory, key material.
        """
        if self._address or self._stopped.is_set():
            raise StartupError("this server was started before; make a new one")
        async with AsyncExitStack() as undo:
            await self._start(undo)
            self._undo = undo.pop_all()

    async def _start(self, undo: AsyncExitStack) -> None:
        loop = asyncio.get_running_loop()
        data = open_data(self._config, lambda error: _hand_over(loop, self._give_up, error))
        undo.push_async_callback(asyncio.to_thread, data.store.close)
        self._ready_file.remove()  # a killed predecessor's; a running one's data directory was refused above
        node_id = await own_id(data.metadata, self._config.node_id)
        membership = await self._start_membership(undo, data.metadata)
        statistics = RpcStats()
        database = await open_database(self._config, data, self._clock)
        undo.push_async_callback(database.close)
        member = await join_replica_set(
            undo, self._config, node_id, database=database, membership=membership, clock=self._clock
        )
        node = Node(node_id, membership, database, self._clock, lambda: self._bound, member)
        self._services = services = Services(self._config, node, statistics)
        transport = create_transport(self._config, statistics)
        transport.add_generic_rpc_handlers(services.handlers)
        undo.push_async_callback(transport.stop, 0)
        address, self._material = listen(transport, self._config, self._ssl_context)
        self._bound = address
        if self._config.metrics_listen:
            side_port = make_side_port(self._config.metrics_listen, services, membership, statistics, self._material)
            undo.push_async_callback(side_port.stop)
            self.metrics_address = await side_port.start()
        await transport.start()
        if member:
            await member.start()
        services.serve()
        self._ready_file.write(address)
        self._address, self._transport = address, transport
        _log.info(
            "server_ready",
            address=address,
            node_id=node_id,
            transport=self._config.transport,
            tls=self._material is not None or self._ssl_context is not None,
            metrics=self.metrics_address,
        )

    async def _start_membership(self, undo: AsyncExitStack, store: MetadataStore) -> Membership:
        settings = MembershipSettings(
            heartbeat_interval_ms=self._config.heartbeat_interval_ms,
            suspect_after_ms=self._config.suspect_after_ms,
            down_after_ms=self._config.down_after_ms,
            heartbeat_topology=self._config.heartbeat_topology,
            stripes=self._config.stripes,
        )
        membership = Membership(store, self._clock, settings, encode_node)
        membership.observers.append(log_change)
        await membership.start()
        undo.push_async_callback(membership.stop)
        return membership

    async def stop(self, grace_s: float | None = None) -> None:
        """Stops in order: health NOT_SERVING, no new calls, running ones finish, then a hard end.

        Calling again while it runs may shorten the grace time. Stopping a server that does not run does nothing.

        Args:
            grace_s: Seconds that running calls get; None takes the configured time.
        """
        if self._transport is None or self._services is None:
            return
        grace = self._config.grace_ms / 1000 if grace_s is None else grace_s
        _log.info("server_stopping", grace_s=grace)
        self._services.shut_down()
        with suppress(StartupError):  # a file that can't be removed must not keep a server from stopping
            self._ready_file.remove()
        await self._transport.stop(grace)
        async with self._closing:
            await self._undo.aclose()
        if not self._stopped.is_set():
            self._stopped.set()
            _log.info("server_stopped")

    def reload_certificates(self) -> None:
        """Reads the key files again, changed or not. Bad ones are logged and counted; the old stay in use."""
        if self._material is not None:
            self._material.reload()

    async def wait(self) -> None:
        """Returns once the server has stopped.

        Raises:
            StorageFailedError: It stopped itself, because nothing can be made durable any more.
        """
        await self._stopped.wait()
        if self._failure is not None:
            raise self._failure

    def _give_up(self, error: StorageFailedError) -> None:
        """A failed disk is not retried: what the kernel dropped is gone, and only a fresh start reads what is there."""
        self._failure = error
        _log.error("storage_failed", error=str(error))
        self._last_stop = asyncio.create_task(self.stop())


def _hand_over(
    loop: asyncio.AbstractEventLoop, act: Callable[[StorageFailedError], None], error: StorageFailedError
) -> None:
    """From the storage's thread to the event loop."""
    loop.call_soon_threadsafe(act, error)
