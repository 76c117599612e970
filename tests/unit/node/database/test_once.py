"""A request that comes twice: joined while it runs, answered from the ledger later, refused with other content."""

from __future__ import annotations

import asyncio

import pytest

from laura_fast.errors import AlreadyExistsError, OverloadedError
from laura_fast.limits import database as limits
from laura_fast.node.database.commands import DeleteCommand, Origin
from laura_fast.node.database.once import Record, Writes, recall, record_progress, record_response, ticket

COMMAND = DeleteCommand("shop.orders", b"query")
ORIGIN = Origin("client", "r1")


class DictLedger(dict[bytes, bytes]):
    """A ledger for one test."""

    def ledger_get(self, key: bytes) -> bytes | None:
        return self.get(key)

    def ledger_put(self, key: bytes, value: bytes) -> None:
        self[key] = value


def test_a_request_without_an_id_is_always_new() -> None:
    assert ticket(Origin("client", ""), "shop.orders", "Delete", COMMAND) is None
    ledger = DictLedger()
    record_response(ledger, None, b"answer")
    assert not ledger
    assert recall(ledger, None) is None


def test_the_key_has_client_namespace_method_and_id_apart() -> None:
    keys = {
        made.key
        for client, place, method, request_id in (
            ("client", "shop.orders", "Delete", "r1"),
            ("other", "shop.orders", "Delete", "r1"),
            ("client", "shop.others", "Delete", "r1"),
            ("client", "shop.orders", "Update", "r1"),
            ("client", "shop.orders", "Delete", "r2"),
            ("clientshop.orders", "", "Delete", "r1"),
        )
        if (made := ticket(Origin(client, request_id), place, method, COMMAND))
    }
    assert len(keys) == 6


def test_the_ledger_gives_the_answer_back() -> None:
    ledger, request = DictLedger(), ticket(ORIGIN, "shop.orders", "Delete", COMMAND)
    assert request
    record_progress(ledger, request, b"half")
    assert recall(ledger, request) == Record(request.digest, None, b"half")
    record_response(ledger, request, b"answer")
    assert recall(ledger, request) == Record(request.digest, b"answer")


def test_other_content_under_a_known_id_is_refused() -> None:
    ledger = DictLedger()
    record_response(ledger, ticket(ORIGIN, "shop.orders", "Delete", COMMAND), b"answer")
    other = ticket(ORIGIN, "shop.orders", "Delete", DeleteCommand("shop.orders", b"query", multi=True))
    with pytest.raises(AlreadyExistsError, match="'r1' was used") as caught:
        recall(ledger, other)
    assert caught.value.reason == "REQUEST_ID_REUSED"


class Work:
    """Counts how often it runs; ends when told."""

    def __init__(self) -> None:
        self.runs = 0
        self.gate = asyncio.Event()

    async def __call__(self) -> bytes:
        self.runs += 1
        await self.gate.wait()
        return b"answer"


async def test_a_duplicate_joins_the_one_that_runs() -> None:
    writes, work = Writes(), Work()
    request = ticket(ORIGIN, "shop.orders", "Delete", COMMAND)
    both = asyncio.gather(writes.run(request, 10, work), writes.run(request, 10, work))
    await asyncio.sleep(0)
    work.gate.set()
    assert list(await both) == [b"answer"] * 2
    assert work.runs == 1
    await writes.run(request, 10, work)
    assert work.runs == 2  # the ledger's part begins where this one ends


async def test_a_running_request_with_other_content_is_refused() -> None:
    writes, work = Writes(), Work()
    first = asyncio.create_task(writes.run(ticket(ORIGIN, "shop.orders", "Delete", COMMAND), 10, work))
    await asyncio.sleep(0)
    other = ticket(ORIGIN, "shop.orders", "Delete", DeleteCommand("shop.orders", b"other"))
    with pytest.raises(AlreadyExistsError):
        await writes.run(other, 10, work)
    work.gate.set()
    assert await first == b"answer"


async def test_work_goes_on_when_its_caller_is_gone() -> None:
    writes, work = Writes(), Work()
    caller = asyncio.create_task(writes.run(ticket(ORIGIN, "shop.orders", "Delete", COMMAND), 10, work))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    draining = asyncio.create_task(writes.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    work.gate.set()
    await draining


async def test_writes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RUNNING_WRITES", 1)
    writes, work = Writes(), Work()
    first = asyncio.create_task(writes.run(None, 10, work))
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        await writes.run(None, 10, work)
    work.gate.set()
    await first


async def test_the_bytes_of_writes_are_bounded_but_one_always_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RUNNING_WRITE_BYTES", 100)
    writes, work = Writes(), Work()
    first = asyncio.create_task(writes.run(None, 1_000, work))
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        await writes.run(None, 1, work)
    work.gate.set()
    await first
    assert await writes.run(None, 100, work) == b"answer"
