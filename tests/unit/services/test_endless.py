"""Endless streams end when the server stops, and only then."""

from __future__ import annotations

import asyncio

import pytest

from laura_fast.errors import UnavailableError
from laura_fast.services.endless import EndlessStreams


async def _handler(streams: EndlessStreams) -> None:
    with streams.running():
        await asyncio.Event().wait()


async def _started(streams: EndlessStreams) -> asyncio.Task[None]:
    call = asyncio.create_task(_handler(streams))
    await asyncio.sleep(0)
    return call


async def test_a_waiting_stream_ends_with_unavailable() -> None:
    streams = EndlessStreams()
    call = await _started(streams)
    streams.end_all()
    with pytest.raises(UnavailableError, match="stopping"):
        await call
    assert not call.cancelled()
    assert not streams._tasks


async def test_a_stream_that_comes_late_ends_at_once() -> None:
    streams = EndlessStreams()
    streams.end_all()
    with pytest.raises(UnavailableError, match="stopping"):
        await _handler(streams)


async def test_a_client_that_cancels_is_no_stop() -> None:
    streams = EndlessStreams()
    call = await _started(streams)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not streams._tasks
