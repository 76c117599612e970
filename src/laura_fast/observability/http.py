"""The HTTP side port: `/metrics`, `/livez`, `/readyz`, `/status.json`. Off unless an address is configured.

It runs in the server's own event loop, so an answer from `/livez` proves that the loop turns. It has no TLS and no
login: bind it to loopback or to a network of the operators.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client.exposition import choose_encoder

from laura_fast.errors import AddressInUseError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from prometheus_client import CollectorRegistry

_KEEPALIVE_S = 30.0
"""Idle connections are closed after this: longer than a usual scrape interval, so that scrapers keep theirs."""
_STOP_S = 1.0
"""Answers take milliseconds; a scraper that stalls must not delay the server's stop."""


class SidePort:
    """Answers operators and scrapers beside the gRPC port.

    Args:
        listen: `host:port`; port 0 takes a free one.
        registry: What `/metrics` shows.
        live: Whether the process should be left alone (`/livez`: 200 or 503).
        ready: Whether it may get traffic (`/readyz`: 200 or 503).
        status_json: Body of `/status.json`; called in a thread.
    """

    def __init__(
        self,
        listen: str,
        registry: CollectorRegistry,
        *,
        live: Callable[[], bool],
        ready: Callable[[], bool],
        status_json: Callable[[], bytes],
    ) -> None:
        self._host, _, port = listen.rpartition(":")
        self._port = int(port)
        self._registry = registry
        self._status_json = status_json
        application = web.Application(client_max_size=0)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/livez", _answering(live))
        application.router.add_get("/readyz", _answering(ready))
        application.router.add_get("/status.json", self._status)
        self._runner = web.AppRunner(
            application,
            access_log=None,
            keepalive_timeout=_KEEPALIVE_S,
            shutdown_timeout=_STOP_S,
        )

    async def start(self) -> str:
        """Listens; returns `host:port` as bound.

        Raises:
            AddressInUseError: The address can't be bound.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host.strip("[]"), self._port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise AddressInUseError(
                f"cannot listen on {self._host}:{self._port} for metrics: {error.strerror or error}"
            ) from None
        return f"{self._host}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Closes the port and its connections."""
        await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})

    async def _status(self, _request: web.Request) -> web.Response:
        # In a thread: with thousands of members it takes longer than the server's own calls may wait.
        body = await asyncio.to_thread(self._status_json)
        return web.Response(body=body, content_type="application/json")


def _answering(probe: Callable[[], bool]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="ok\n") if probe() else web.Response(text="no\n", status=503)

    return answer
