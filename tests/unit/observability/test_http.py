"""The side port answers what it is asked, and nothing else."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from laura_fast.errors import AddressInUseError
from laura_fast.observability.http import SidePort
from laura_fast.observability.metrics import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Node:
    """What a side port shows."""

    live = True
    ready = True


def side_port(node: Node, listen: str = "127.0.0.1:0") -> SidePort:
    return SidePort(
        listen, registry(), live=lambda: node.live, ready=lambda: node.ready, status_json=lambda: b'{"version":7}'
    )


@asynccontextmanager
async def serving(node: Node) -> AsyncIterator[aiohttp.ClientSession]:
    port = side_port(node)
    address = await port.start()
    try:
        async with aiohttp.ClientSession(f"http://{address}") as session:
            yield session
    finally:
        await port.stop()


async def test_metrics_are_in_prometheus_form_with_its_content_type() -> None:
    async with serving(Node()) as session, session.get("/metrics") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert "process_resident_memory_bytes" in await answer.text()


@pytest.mark.parametrize("probe", ["live", "ready"])
async def test_probes_follow_the_state(probe: str) -> None:
    node = Node()
    async with serving(node) as session:
        async with session.get(f"/{probe}z") as answer:
            assert (answer.status, await answer.text()) == (200, "ok\n")
        setattr(node, probe, False)
        async with session.get(f"/{probe}z") as answer:
            assert answer.status == 503


async def test_the_status_is_json() -> None:
    async with serving(Node()) as session, session.get("/status.json") as answer:
        assert answer.content_type == "application/json"
        assert await answer.json() == {"version": 7}


async def test_other_paths_and_methods_are_refused() -> None:
    async with serving(Node()) as session:
        async with session.get("/") as answer:
            assert answer.status == 404
        async with session.post("/metrics", data=b"x") as answer:
            assert answer.status == 405


async def test_a_port_in_use_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(AddressInUseError, match=f"cannot listen on {listen} for metrics"):
            await side_port(Node(), listen).start()


async def test_the_port_is_free_after_stop() -> None:
    port = side_port(Node())
    address = await port.start()
    await port.stop()
    again = side_port(Node(), address)
    assert await again.start() == address
    await again.stop()
