"""Every storage engine keeps the same contract."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from laura_fast.errors import StorageFailedError
from laura_fast.limits.storage import STORAGE_KEY_BYTES
from tests.contract.stores import ENGINES, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from laura_fast.storage.ordered import Reader, Store, Table, Writer

PAIRS = [(b"a", b"1"), (b"b", b"2"), (b"ba", b"3"), (b"c", b"4")]


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = open_store(request.param, tmp_path)
    yield store
    store.close()


@pytest.fixture
def table(store: Store) -> Table:
    return store.table(b"t")


async def fill(store: Store, table: Table) -> None:
    await store.write(lambda writer: writer.put_many(table, PAIRS))


def content(reader: Reader, table: Table) -> list[tuple[bytes, bytes]]:
    with reader:
        return list(reader.scan(table))


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        (b"", None, [b"a", b"b", b"ba", b"c"]),
        (b"b", None, [b"b", b"ba", b"c"]),
        (b"b", b"c", [b"b", b"ba"]),
        (b"aa", b"bb", [b"b", b"ba"]),
        (b"d", None, []),
        (b"", b"a", []),
        (b"", b"z", [b"a", b"b", b"ba", b"c"]),
        (b"c", b"b", []),
    ],
)
async def test_scans_a_range_in_both_directions(
    store: Store, table: Table, start: bytes, stop: bytes | None, expected: list[bytes]
) -> None:
    await fill(store, table)
    with store.read() as reader:
        assert [key for key, _ in reader.scan(table, start, stop)] == expected
        assert [key for key, _ in reader.scan(table, start, stop, reverse=True)] == expected[::-1]
        assert list(reader.keys(table, start, stop)) == expected
        assert list(reader.keys(table, start, stop, reverse=True)) == expected[::-1]


async def test_an_empty_table_scans_to_nothing(store: Store, table: Table) -> None:
    with store.read() as reader:
        assert not list(reader.scan(table))
        assert not list(reader.scan(table, reverse=True))


async def test_a_reader_keeps_its_state(store: Store, table: Table) -> None:
    await fill(store, table)

    def change(writer: Writer) -> None:
        writer.put(table, b"a", b"new")
        writer.delete(table, b"c")

    with store.read() as before:
        await store.write(change)
        assert before.get(table, b"a") == b"1"
        assert [key for key, _ in before.scan(table)] == [b"a", b"b", b"ba", b"c"]
    assert content(store.read(), table) == [(b"a", b"new"), (b"b", b"2"), (b"ba", b"3")]


async def test_a_job_sees_its_own_changes(store: Store, table: Table) -> None:
    await fill(store, table)

    def job(writer: Writer) -> list[bytes]:
        assert writer.delete(table, b"b")
        assert not writer.delete(table, b"b")
        assert writer.insert(table, b"bb", b"5")
        assert not writer.insert(table, b"c", b"6")
        assert (writer.get(table, b"bb"), writer.get(table, b"c"), writer.get(table, b"b")) == (b"5", b"4", None)
        return [key for key, _ in writer.scan(table)]

    assert await store.write(job) == [b"a", b"ba", b"bb", b"c"]


async def test_a_job_that_raises_leaves_nothing(store: Store, table: Table) -> None:
    await fill(store, table)

    def bad(writer: Writer) -> None:
        writer.put(table, b"a", b"9")
        writer.put_many(table, [(b"x", b"9")])
        writer.delete(table, b"b")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(bad)
    assert content(store.read(), table) == PAIRS


async def test_a_job_that_raises_before_it_changes_anything_harms_no_other(store: Store, table: Table) -> None:
    ran: list[bytes] = []

    def good(writer: Writer) -> None:
        ran.append(b"good")
        writer.put(table, b"good", b"")

    def refused(writer: Writer) -> None:
        ran.append(b"refused")
        assert writer.get(table, b"good") == b""
        raise ZeroDivisionError

    results = await asyncio.gather(store.write(good), store.write(refused), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), ZeroDivisionError]
    assert ran == [b"good", b"refused"]
    assert content(store.read(), table) == [(b"good", b"")]


async def test_jobs_apply_in_the_order_of_their_calls(store: Store, table: Table) -> None:
    def append(digit: bytes) -> Callable[[Writer], None]:
        return lambda writer: writer.put(table, b"k", (writer.get(table, b"k") or b"") + digit)

    await asyncio.gather(*(store.write(append(digit)) for digit in (b"1", b"2", b"3")))
    assert content(store.read(), table) == [(b"k", b"123")]


async def test_commits_are_told_in_order_and_only_when_they_happened(store: Store, table: Table) -> None:
    told: list[int] = []

    def bad(_: Writer) -> int:
        raise ZeroDivisionError

    await asyncio.gather(
        store.write(lambda _: 1, committed=told.append),
        store.write(bad, committed=told.append),
        store.write(lambda _: 2, committed=told.append),
        return_exceptions=True,
    )
    assert told == [1, 2]


async def test_counts_entries_and_bytes(store: Store, table: Table) -> None:
    with store.read() as reader:
        assert (reader.entries(table), reader.used_bytes()) == (0, 0)
    await store.write(lambda writer: writer.put(table, b"k", bytes(100_000)))
    with store.read() as reader:
        assert reader.entries(table) == 1
        assert 100_000 < reader.used_bytes() < 120_000
    await store.write(lambda writer: writer.delete(table, b"k"))
    with store.read() as reader:
        assert (reader.entries(table), reader.used_bytes()) == (0, 0)


@pytest.mark.parametrize("length", [0, STORAGE_KEY_BYTES + 1])
async def test_a_key_of_a_length_that_no_engine_holds_is_refused(store: Store, table: Table, length: int) -> None:
    with pytest.raises(Exception, match=r"(?i)key|BAD_VALSIZE"):
        await store.write(lambda writer: writer.put(table, bytes(length), b""))
    await store.write(lambda writer: writer.put(table, bytes(STORAGE_KEY_BYTES), b""))


async def test_tables_do_not_mix(store: Store, table: Table) -> None:
    other = store.table(b"other")
    await fill(store, table)
    with store.read() as reader:
        assert not list(reader.scan(other))


async def test_a_closed_store_refuses(store: Store) -> None:
    store.close()
    with pytest.raises(StorageFailedError):
        await store.write(lambda _: None)


async def test_a_table_is_emptied_in_one_job_and_can_be_filled_again_in_it(store: Store, table: Table) -> None:
    other = store.table(b"other")
    await fill(store, table)
    await fill(store, other)

    def job(writer: Writer) -> None:
        writer.clear(table)
        writer.put(table, b"z", b"9")

    with store.read() as before:
        await store.write(job)
        assert list(before.scan(table)) == PAIRS
    assert content(store.read(), table) == [(b"z", b"9")]
    assert content(store.read(), other) == PAIRS
