"""Which servicer answers which service, and what health says of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.services import health, reflection
from laura_fast.services.admin import AdminService
from laura_fast.services.binding import bind
from laura_fast.services.contract import SERVICES
from laura_fast.services.health import HealthService
from laura_fast.services.unimplemented import Completed

if TYPE_CHECKING:
    import grpc

    from laura_fast.config import Config
    from laura_fast.observability.rpc import RpcStats


class Services:
    """All handlers of one server."""

    def __init__(self, config: Config, node_id: str, statistics: RpcStats) -> None:
        self._servicers: dict[str, object] = {"laura.fast.v1.AdminService": AdminService(node_id, statistics)}
        self._health = HealthService()
        self._health.set(health.SERVER, health.READINESS, *SERVICES, serving=False)
        self.handlers = [
            bind(service, Completed(service, self._servicers.get(name))) for name, service in SERVICES.items()
        ]
        self.handlers.append(bind(health.SERVICE, self._health))
        if config.reflection:
            self.handlers += _reflection()
        for service in (*SERVICES.values(), health.SERVICE):
            statistics.add_service(service)

    def serve(self) -> None:
        """Health says SERVING of everything that is built."""
        own = (health.SERVER, health.LIVENESS, health.READINESS, health.SERVICE.full_name)
        self._health.set(*own, *self._servicers, serving=True)

    def shut_down(self) -> None:
        """Health says NOT_SERVING, and what waits for news ends."""
        self._health.shut_down()


def _reflection() -> list[grpc.GenericRpcHandler]:
    names = (health.SERVICE.full_name, reflection.V1.full_name, reflection.V1ALPHA.full_name)
    return reflection.handlers((*SERVICES, *names))
