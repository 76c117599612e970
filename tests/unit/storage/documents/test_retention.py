"""What nobody needs goes in slices, and nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.errors import OutOfRangeError
from laura_fast.limits.storage import COLLECT_SLICE, LEDGER_WINDOW_MS
from laura_fast.storage.documents.layout import Tables
from laura_fast.storage.documents.retention import Retention
from tests.unit.storage.documents.kit import NS, START_MS

if TYPE_CHECKING:
    from tests.unit.storage.documents.kit import Kit

BY_N = {"key": {"n": 1}, "name": "n_1"}
WINDOW_MS = Retention().window_ms


async def collect(kit: Kit) -> int:
    """Runs until nothing is left to do; returns the number of slices."""
    slices = 1
    while await kit.store.collect():
        slices += 1
    return slices


def sizes(kit: Kit) -> dict[str, int]:
    tables = Tables.of(kit.engine)
    with kit.engine.read() as reader:
        counts = {name: reader.entries(table) for name, table in zip(Tables._fields, tables, strict=True)}
    return {name: count for name, count in counts.items() if name != "state"}


def oplog_ids(kit: Kit) -> list[int]:
    with kit.engine.read() as reader:
        return [int.from_bytes(key) for key, _ in reader.scan(Tables.of(kit.engine).oplog)]


async def test_images_stay_for_the_window_and_go_then(kit: Kit) -> None:
    await kit.index(BY_N)
    first = await kit.insert({"_id": 1, "n": 1})
    second = await kit.replace({"_id": 1, "n": 2})
    kit.now = START_MS + WINDOW_MS - 1
    third = await kit.replace({"_id": 1, "n": 3})
    await collect(kit)
    assert kit.documents(first) == [{"_id": 1, "n": 1}]
    kit.now = START_MS + WINDOW_MS + 1
    await collect(kit)
    with pytest.raises(OutOfRangeError):
        kit.documents(first)
    assert (kit.documents(second), kit.documents(third)) == ([{"_id": 1, "n": 2}], [{"_id": 1, "n": 3}])
    assert (kit.by_index("n_1", second), kit.by_index("n_1", third)) == ([1], [1])
    kit.now += WINDOW_MS
    await collect(kit)
    left = sizes(kit)
    assert (left["versions"], left["removed"], left["expiry"], left["records"], left["entries"]) == (0, 0, 0, 1, 1)


async def test_images_above_the_commit_point_stay(kit: Kit) -> None:
    first = await kit.insert({"_id": 1, "n": 1})
    kit.store.commit_point = kit.store.head.op_id
    await kit.replace({"_id": 1, "n": 2})
    kit.now += 10 * WINDOW_MS
    await collect(kit)
    assert kit.documents(first) == [{"_id": 1, "n": 1}]
    kit.store.commit_point = kit.store.head.op_id
    await collect(kit)
    assert sizes(kit)["versions"] == 0


async def test_a_dropped_collection_goes_in_slices_and_leaves_nothing(kit: Kit) -> None:
    await kit.index(BY_N)
    await kit.insert(*({"_id": number, "n": number} for number in range(COLLECT_SLICE + 1)))
    await kit.replace({"_id": 0, "n": -1})
    await kit.insert({"_id": 1}, namespace="db.other")
    await kit.store.write(lambda session: session.drop_collection(NS))
    assert await collect(kit) == 1
    kit.now += WINDOW_MS + 1
    assert await collect(kit) > 2
    left = sizes(kit)
    assert (left["catalog"], left["records"], left["versions"], left["entries"], left["removed"]) == (1, 1, 0, 0, 0)
    kit.reopen()
    assert not kit.store.catalog.dropped


async def test_a_dropped_index_goes_and_its_collection_stays(kit: Kit) -> None:
    await kit.index(BY_N)
    await kit.insert({"_id": 1, "n": 1})
    assert await kit.store.write(lambda session: session.drop_index(NS, "n_1"))
    kit.now += WINDOW_MS + 1
    await collect(kit)
    left = sizes(kit)
    assert (left["catalog"], left["records"], left["entries"]) == (1, 1, 0)
    await kit.index(BY_N)
    assert kit.by_index("n_1") == [1]


async def test_outcomes_go_after_half_an_hour(kit: Kit) -> None:
    await kit.store.write(lambda session: session.ledger_put(b"old", b"1"))
    kit.now += LEDGER_WINDOW_MS
    await kit.store.write(lambda session: session.ledger_put(b"new", b"2"))
    kit.now += 1
    await collect(kit)
    assert await kit.store.write(lambda session: (session.ledger_get(b"old"), session.ledger_get(b"new"))) == (
        None,
        b"2",
    )
    assert sizes(kit)["outcomes"] == 1


async def test_the_oplog_is_cut_to_its_size(kit: Kit) -> None:
    for number in range(100):
        await kit.insert({"_id": number, "filler": "x" * 4000})
    kit.store.retention = Retention(oplog_bytes=100_000)
    await collect(kit)
    kept = oplog_ids(kit)
    assert 10 <= len(kept) <= 25
    assert kept == list(range(kept[0], kit.store.head.op_id + 1))
    kit.store.retention = Retention(oplog_bytes=1)
    await collect(kit)
    assert oplog_ids(kit) == [kit.store.head.op_id]


async def test_the_oplog_is_cut_by_age_down_to_what_is_pinned_or_not_committed(kit: Kit) -> None:
    for number in range(10):
        await kit.insert({"_id": number})
        kit.now += 1000
    kit.store.retention = Retention(oplog_ms=5001)
    await collect(kit)
    assert oplog_ids(kit) == [7, 8, 9, 10, 11]
    kit.store.retention = Retention(oplog_ms=1)
    kit.store.pins = {"replica": 8, "other": 10}
    await collect(kit)
    assert oplog_ids(kit) == [8, 9, 10, 11]
    kit.store.pins, kit.store.commit_point = {}, 9
    await collect(kit)
    assert oplog_ids(kit) == [9, 10, 11]
