"""A snapshot holds no state of the store for long, and reads one time all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.errors import OutOfRangeError
from laura_fast.storage.documents import reading
from laura_fast.storage.documents.layout import record_key
from tests.unit.storage.documents.kit import NS

if TYPE_CHECKING:
    from laura_fast.storage.documents.session import WriteSession
    from tests.unit.storage.documents.kit import Kit

COUNT = 200


@pytest.fixture
async def filled(kit: Kit) -> Kit:
    await kit.index({"key": {"n": 1}, "name": "n_1"})
    await kit.insert(*({"_id": number, "n": number} for number in range(COUNT)))
    return kit


def count_states(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    opened: list[Any] = []
    read = kit.engine.read

    def counted() -> Any:
        opened.append(None)
        return read()

    monkeypatch.setattr(kit.engine, "read", counted)
    return opened


@pytest.mark.parametrize(("limit", "value", "states"), [("MAX_READ_BYTES", 1000, 11), ("MAX_READ_S", -1.0, 5)])
async def test_a_long_scan_goes_on_in_new_states(
    filled: Kit, monkeypatch: pytest.MonkeyPatch, limit: str, value: float, states: int
) -> None:
    monkeypatch.setattr(reading, limit, value)
    opened = count_states(filled, monkeypatch)
    assert [document["_id"] for document in filled.documents()] == list(range(COUNT))
    assert len(opened) == states
    assert [document["_id"] for document in filled.documents(reverse=True)] == list(range(COUNT))[::-1]
    assert filled.by_index("n_1") == list(range(COUNT))
    assert filled.by_index("n_1", reverse=True) == list(range(COUNT))[::-1]


async def test_a_state_is_let_go_when_a_scan_pauses_and_the_scan_sees_its_time(filled: Kit) -> None:
    with filled.store.reading() as snapshot:
        scan = snapshot.documents(NS)
        first = next(scan)[0]
        snapshot.close()
        for number in range(20):
            await filled.remove(number)
        await filled.insert({"_id": 0.5, "n": 0.5}, {"_id": 150.5, "n": 150.5})
        assert [first, *(key for key, _ in scan)] == [record_key(number) for number in range(COUNT)]
        assert snapshot.get(NS, record_key(0)) is not None
        assert snapshot.get(NS, record_key(150.5)) is None


async def test_a_paused_snapshot_that_is_out_of_the_window_says_so(filled: Kit) -> None:
    with filled.store.reading() as snapshot:
        scan = snapshot.documents(NS)
        next(scan)
        snapshot.close()
        await filled.remove(100)
        filled.now += 10**6
        await filled.store.collect()
        with pytest.raises(OutOfRangeError) as caught:
            list(scan)
    assert caught.value.reason == "SNAPSHOT_TOO_OLD"


async def test_a_paused_snapshot_of_a_time_that_was_rolled_back_says_so(filled: Kit) -> None:
    op_id = filled.store.head.op_id
    await filled.remove(100)
    with filled.store.reading() as snapshot:
        snapshot.close()
        await filled.store.write(lambda session: session.roll_back(op_id, 10))
        with pytest.raises(OutOfRangeError) as caught:
            snapshot.get(NS, record_key(1))
    assert caught.value.reason == "TIME_AHEAD"


async def test_a_snapshot_knows_its_time_and_the_end_of_its_log(filled: Kit) -> None:
    head = filled.store.head
    with filled.store.reading() as snapshot:
        assert (snapshot.at, snapshot.op_id) == (head.time, head.op_id)

    def job(session: WriteSession) -> tuple[bytes | None, int]:
        session.insert(NS, {"_id": -1})
        return session.get(NS, record_key(-1)), len(list(session.documents(NS)))

    assert (await filled.store.write(job))[1] == COUNT + 1
