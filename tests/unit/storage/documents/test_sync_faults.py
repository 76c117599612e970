"""A failed sync ends all writing: the kernel may have dropped what it could not write, and a retry would hide that."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import lmdb
import pytest

from laura_fast.errors import StorageFailedError
from laura_fast.storage.embedded import EmbeddedStore
from laura_fast.storage.environment import Environment
from laura_fast.storage.memory import MemoryStore
from tests.contract.stores import open_store
from tests.unit.storage.documents.kit import Kit

if TYPE_CHECKING:
    from pathlib import Path

FAILING_SYNC = """
#include <errno.h>
#include <unistd.h>
#include <stdlib.h>
static int fails(void) { return access(getenv("SYNC_FAILS"), F_OK) == 0; }
int fdatasync(int descriptor) { if (fails()) { errno = EIO; return -1; } return fsync(descriptor); }
"""

VICTIM = """
import asyncio, sys
from pathlib import Path
from laura_fast.errors import StorageFailedError
from tests.contract.stores import open_store
from tests.unit.storage.documents.kit import Kit

async def main():
    kit = Kit(lambda: open_store("embedded", Path(sys.argv[1])), durable=True)
    told = []
    kit.engine._environment.on_failure = told.append
    await kit.insert({"_id": 1})
    Path(sys.argv[2]).touch()
    for number in (2, 3):
        try:
            await kit.insert({"_id": number})
        except StorageFailedError as error:
            print(error)
    Path(sys.argv[2]).unlink()
    try:
        await kit.insert({"_id": 4})
    except StorageFailedError as error:
        print(error)
    print(len(told), kit.documents())

asyncio.run(main())
"""


async def sound(kit: Kit) -> bool:
    async for report in kit.store.verify(MemoryStore()):
        last = report
    return last.sound


def test_nothing_is_acknowledged_after_a_failed_sync_and_nothing_before_it_is_lost(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: the sync call can't be replaced here")
    source, library, data = tmp_path / "sync.c", tmp_path / "sync.so", tmp_path / "data"
    source.write_text(FAILING_SYNC)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    flag = tmp_path / "fails"
    environment = os.environ | {"LD_PRELOAD": str(library), "SYNC_FAILS": str(flag)}
    command = [sys.executable, "-c", VICTIM, str(data), str(flag)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        *(["the disk failed: mdb_txn_commit: Input/output error"] * 3),
        "1 [{'_id': 1}]",
    ]
    kit = Kit(lambda: open_store("embedded", data), durable=True)
    assert kit.documents() == [{"_id": 1}]
    kit.close()


class FailingHandle:
    """An environment's handle whose commits fail when told so."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.fails = False

    def begin(self, **options: Any) -> Any:
        transaction = self._handle.begin(**options)
        return FailingTransaction(transaction) if self.fails else transaction

    def path(self) -> str:
        return str(self._handle.path())


class FailingTransaction:
    def __init__(self, transaction: Any) -> None:
        self._transaction = transaction

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)

    def commit(self) -> None:
        self._transaction.abort()
        raise lmdb.Error("mdb_txn_commit: Input/output error")


async def test_a_store_whose_commit_failed_reads_on_and_is_sound_when_reopened(tmp_path: Path) -> None:
    environment = Environment.open(tmp_path)
    kit = Kit(lambda: EmbeddedStore(environment), durable=True)
    handle = environment._writer._handle = FailingHandle(environment._handle)  # type: ignore[assignment]  # stands in
    await kit.insert({"_id": 1})
    handle.fails = True
    for _ in range(2):
        with pytest.raises(StorageFailedError, match="the disk failed"):
            await kit.insert({"_id": 2})
    assert kit.documents() == [{"_id": 1}]
    assert kit.store.head.op_id == 2
    kit.close()
    again = Kit(lambda: open_store("embedded", tmp_path), durable=True)
    await again.insert({"_id": 2})
    assert await sound(again)
    again.close()
