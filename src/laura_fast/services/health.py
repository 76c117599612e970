"""grpc.health.v1: the whole server (""), each service by its full name, `liveness` and `readiness`.

The stock servicer holds a lock while it writes to a watcher, so one client that stops reading would hold up every
change of status, the one at shutdown included. Here a watcher only waits for the next change.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from grpc_health.v1 import health_pb2

from laura_fast.errors import NotFoundError
from laura_fast.services.binding import inline

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVICE: Final = health_pb2.DESCRIPTOR.services_by_name["Health"]
SERVER: Final = ""
LIVENESS: Final = "liveness"
READINESS: Final = "readiness"

_Response = health_pb2.HealthCheckResponse


class HealthService:
    """Serving status by name. Starts empty; unknown names are NOT_FOUND, as the health protocol asks."""

    def __init__(self) -> None:
        self._answers: dict[str, Any] = {}
        self._changed = asyncio.Event()
        self._closing = False

    def set(self, *names: str, serving: bool) -> None:
        """Sets the status of `names`; ignored once the server shuts down."""
        if self._closing:
            return
        status = _Response.SERVING if serving else _Response.NOT_SERVING
        self._answers |= dict.fromkeys(names, _Response(status=status))
        self._wake()

    def shut_down(self) -> None:
        """Everything is NOT_SERVING for good, but `liveness`: a server that finishes its calls must not be killed.

        Watches hear of it and end, so that they don't use up the grace time.
        """
        self.set(*(name for name in self._answers if name != LIVENESS), serving=False)
        self._closing = True
        self._wake()

    def is_serving(self, name: str) -> bool:
        """Whether `name` is known and SERVING."""
        answer = self._answers.get(name)
        return answer is not None and bool(answer.status == _Response.SERVING)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    @inline
    def Check(self, request: Any, _context: Any) -> Any:  # noqa: N802 - named like the RPC
        answer = self._answers.get(request.service)
        if answer is None:
            raise NotFoundError(f"unknown service {request.service[:100]!r}", "UNKNOWN_SERVICE")
        return answer

    @inline
    def List(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - named like the RPC
        return health_pb2.HealthListResponse(statuses=self._answers)

    async def Watch(self, request: Any, _context: Any) -> AsyncIterator[Any]:  # noqa: N802 - named like the RPC
        unknown, last = _Response(status=_Response.SERVICE_UNKNOWN), None
        while True:
            changed, closing = self._changed, self._closing
            answer = self._answers.get(request.service, unknown)
            if answer != last:
                last = answer
                yield answer
            if closing:
                return
            await changed.wait()
