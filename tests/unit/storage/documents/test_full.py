"""A full disk or quota refuses what adds, and nothing else; what was freed can be used again."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from laura_fast.domain.documents import codec
from laura_fast.errors import OverloadedError
from laura_fast.limits.units import KIB, MIB
from laura_fast.storage import environment
from laura_fast.storage.documents.retention import Retention
from laura_fast.storage.memory import MemoryStore
from tests.contract.stores import open_store
from tests.unit.storage.documents.kit import NS, Kit, remove, replace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from laura_fast.storage.documents.session import WriteSession

FILLER = os.urandom(10 * KIB)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(path)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small file system can't be mounted here: {mounted.stderr.decode().strip()}")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


async def fill(kit: Kit, start: int = 0) -> int:
    """Inserts until it is refused; returns how many documents that were."""
    added = 0
    while True:
        try:
            await kit.insert({"_id": start + added, "filler": FILLER})
        except OverloadedError:
            return added
        added += 1


async def empty(kit: Kit, count: int) -> None:
    """Removes `count` documents and lets their past go."""
    for number in range(count):
        await kit.remove(number)
    kit.store.retention = Retention(oplog_bytes=1)
    kit.now += 10**6
    while await kit.store.collect():
        pass


def replace_all(session: WriteSession, count: int) -> None:
    for number in range(count):
        replace(session, NS, {"_id": number, "filler": FILLER})


def grow(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)


async def verify(kit: Kit) -> list[str]:
    async for report in kit.store.verify(MemoryStore()):
        last = report
    return last.findings


async def test_the_quota_refuses_what_adds_and_takes_deletes(kit: Kit) -> None:
    kit.store.max_bytes = 2 * MIB
    count = await fill(kit)
    assert 10 < count < 200
    with pytest.raises(OverloadedError, match="quota of 2,097,152 bytes"):
        await kit.replace({"_id": 1, "filler": FILLER})
    await kit.store.write(lambda session: session.set_state(b"small", b"state"))
    assert len(kit.documents()) == count
    await empty(kit, count - 5)
    assert await fill(kit, 1000) > 10
    assert await verify(kit) == []


async def test_a_refused_document_leaves_its_job_alone(kit: Kit) -> None:
    kit.store.max_bytes = 2 * MIB

    def job(session: WriteSession) -> int:
        for number in range(1000):
            try:
                session.insert(NS, {"_id": number, "filler": FILLER})
            except OverloadedError:
                remove(session, NS, 0)
                return number
        return 0

    count = await kit.store.write(job)
    assert [document["_id"] for document in kit.documents()] == list(range(1, count))


async def test_a_nearly_full_disk_refuses_what_adds_and_lets_free(small_disk: Path) -> None:
    kit = Kit(lambda: open_store("embedded", small_disk), durable=True)
    count = await fill(kit)
    assert count > 100
    kit.reopen()
    assert len(kit.documents()) == count
    await empty(kit, count - 5)
    assert await fill(kit, 1000) > count // 4
    assert await verify(kit) == []
    kit.close()


async def test_a_disk_that_is_full_to_the_last_byte_loses_nothing(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others filled it: the engine itself gets no pages. What was committed stays, and with room it works again."""
    monkeypatch.setattr(environment, "DISK_RESERVE_BYTES", -64 * MIB)
    kit = Kit(lambda: open_store("embedded", small_disk), durable=True)
    count = await fill(kit)
    with pytest.raises(OverloadedError, match="disk is full"):
        await kit.store.write(lambda session: replace_all(session, count))
    assert len(kit.documents()) == count
    assert await verify(kit) == []
    kit.reopen()
    assert [codec.encode(document) for document in kit.documents()] == [
        codec.encode({"_id": number, "filler": FILLER}) for number in range(count)
    ]
    grow(small_disk)
    await kit.replace({"_id": 0, "n": 1})
    assert await verify(kit) == []
    kit.close()
