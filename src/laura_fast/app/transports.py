"""Transports by name. One is imported when it is chosen, so that the other's cost is not paid."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from laura_fast.transport.settings import TransportSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import grpc

    from laura_fast.config import Config
    from laura_fast.transport.settings import RpcObserver

MODULES: Final = {"grpcio": "laura_fast.transport.grpcio", "native": "laura_fast.transport.native"}


class Transport(Protocol):
    """The part of grpc.aio.Server's interface that the composition root uses."""

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Registers handlers; before `start` only."""

    def add_insecure_port(self, address: str) -> int:
        """Listens without TLS; returns the port."""

    def add_tls_port(self, address: str, tls: Any) -> int:
        """Listens with TLS only, from a `TlsMaterial` or, where the transport can, an `ssl.SSLContext`."""

    async def start(self) -> None:
        """Serves from now on."""

    async def stop(self, grace: float | None) -> None:
        """Refuses new calls and lets running ones finish for `grace` seconds; a later call may shorten that."""


def create_transport(config: Config, observer: RpcObserver) -> Transport:
    """The configured transport, not yet listening."""
    module: Any = importlib.import_module(MODULES[config.transport])
    return cast("Transport", module.create_server(_settings(config), observer))


def _settings(config: Config) -> TransportSettings:
    names = TransportSettings.__dataclass_fields__
    return TransportSettings(**{name: getattr(config, name) for name in names})
