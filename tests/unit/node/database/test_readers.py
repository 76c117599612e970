"""The reader thread: slices in turn, errors to their caller, nothing runs on for nobody."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from laura_fast.domain.documents.expressions import compile_expression
from laura_fast.errors import OverloadedError, UnavailableError
from laura_fast.limits import database as limits
from laura_fast.node.database.readers import Readers

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


@pytest.fixture
async def readers() -> Iterator[Readers]:  # type: ignore[misc]  # an async generator, as the fixture's form is
    running = Readers()
    yield running
    running.stop()


def _counting(slices: int, log: list[str], name: str) -> Generator[None, None, str]:
    for _ in range(slices):
        log.append(name)
        yield
    return name


async def test_reads_take_turns_off_the_loop(readers: Readers) -> None:
    log: list[str] = []
    gate = threading.Event()

    def held() -> Generator[None, None, str]:
        gate.wait()
        assert threading.current_thread() is not threading.main_thread()
        return (yield from _counting(3, log, "a"))

    both = asyncio.gather(readers.run(held), readers.run(lambda: _counting(3, log, "b")))
    await asyncio.sleep(0)
    gate.set()
    assert list(await both) == ["a", "b"]
    assert sorted(log) == ["a"] * 3 + ["b"] * 3
    assert log != ["a"] * 3 + ["b"] * 3


async def test_an_error_reaches_its_caller_alone(readers: Readers) -> None:
    def broken() -> Generator[None, None, None]:
        yield
        raise ValueError("broken")

    log: list[str] = []
    first, second = await asyncio.gather(
        readers.run(broken), readers.run(lambda: _counting(5, log, "b")), return_exceptions=True
    )
    assert isinstance(first, ValueError)
    assert second == "b"


async def test_a_read_that_nobody_waits_for_is_closed(readers: Readers) -> None:
    closed, begun = threading.Event(), threading.Event()

    def endless() -> Generator[None, None, None]:
        try:
            while True:
                begun.set()
                yield
        finally:
            closed.set()

    task = asyncio.create_task(readers.run(endless))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(closed.wait, 5)


async def test_a_stop_ends_what_runs_and_what_waits() -> None:
    readers = Readers()
    closed = threading.Event()

    def endless() -> Generator[None, None, None]:
        try:
            while True:
                yield
        finally:
            closed.set()

    tasks = [asyncio.create_task(readers.run(endless)) for _ in range(limits.RUNNING_READS + 2)]
    await asyncio.sleep(0)
    await asyncio.to_thread(readers.stop)
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, UnavailableError) for end in ends)
    assert closed.is_set()
    with pytest.raises(UnavailableError, match="stopping"):
        await readers.run(endless)


async def test_too_many_waiting_reads_are_refused(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAITING_READS", 0)
    with pytest.raises(OverloadedError, match="too many reads"):
        await readers.run(lambda: _counting(1, [], "a"))


async def test_the_loops_of_one_slice_end(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of an `$expr`: nothing can take turns with them."""
    monkeypatch.setattr(limits, "SLICE_LOOP_S", -1.0)
    loop = compile_expression({"$map": {"input": "$many", "in": 1}})

    def endless() -> Generator[None, None, list[int]]:
        yield
        return list(loop({"many": [1, 2]}))

    with pytest.raises(OverloadedError, match="loops"):
        await readers.run(endless)
