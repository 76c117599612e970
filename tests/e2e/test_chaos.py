"""A replica set of real servers keeps its promises through a fault of each main kind."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from tests.e2e.chaos.links import HOST, Links
from tests.e2e.chaos.running import make_faults

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("kill -9", "SIGSTOP", "isolated", "step-down")


@pytest.mark.timeout(240)
async def test_nothing_acknowledged_is_lost_or_counted_twice_or_read_stale(tmp_path: Path) -> None:
    outcome = await make_faults(tmp_path, "test", iter(KINDS))
    assert [fault.kind for fault in outcome.faults] == list(KINDS)
    assert any(fault.moved for fault in outcome.faults)
    assert len(outcome.tally.writes) > 100
    assert outcome.tally.reads


async def test_a_link_that_is_cut_one_way_holds_back_what_goes_that_way() -> None:
    server = await asyncio.start_server(echo, HOST, 0)
    links = Links(("here", "there"), lambda: {"here": os.getpid()})
    await links.start({"there": server.sockets[0].getsockname()[1]})
    reader, writer = await asyncio.open_connection(HOST, links.ports["there"])
    try:
        writer.write(b"1")
        assert await reader.read(1) == b"1"
        links.cut("there", "here")
        writer.write(b"2")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        links.mend()
        assert await reader.read(1) == b"2"
        links.reset("here", "there")
        with pytest.raises(ConnectionResetError):
            assert await reader.read(1)
    finally:
        writer.close()
        await links.stop()
        server.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()
