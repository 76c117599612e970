"""A data directory is checked while its server is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.app.verifying import verify_directory
from laura_fast.errors import DataDirectoryError
from laura_fast.storage.documents.layout import Tables
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.embedded import EmbeddedStore
from laura_fast.storage.environment import Environment

if TYPE_CHECKING:
    from pathlib import Path

    from laura_fast.client.documents import Verification
    from laura_fast.storage.documents.session import WriteSession


def fill(session: WriteSession) -> None:
    for number in range(20):
        session.insert("d.c", {"_id": number})


@pytest.fixture
async def directory(tmp_path: Path) -> Path:
    store = DocumentStore(EmbeddedStore(Environment.open(tmp_path / "data")))
    await store.write(fill)
    store.close()
    return tmp_path / "data"


async def last(path: Path, *, replay: bool = False) -> Verification:
    steps = [step async for step in verify_directory(path, replay=replay)]
    assert not any(step.complete or step.problems for step in steps[:-1])
    return steps[-1]


@pytest.mark.parametrize("replay", [False, True])
async def test_what_was_written_agrees(directory: Path, replay: bool) -> None:
    found = await last(directory, replay=replay)
    assert (found.complete, found.documents, found.problems) == (True, 20, ())
    assert found.oplog_entries >= 20


async def test_damage_is_found(directory: Path) -> None:
    environment = Environment.open(directory)
    engine = EmbeddedStore(environment)
    records = Tables.of(engine).records
    with engine.read() as reader:
        key = next(iter(reader.scan(records)))[0]
    await engine.write(lambda writer: writer.delete(records, key))
    environment.close()
    assert (await last(directory, replay=True)).problems


async def test_a_directory_in_use_or_of_something_else_is_refused(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(DataDirectoryError, match="is not the data directory of a server"):
        await last(tmp_path)
    assert not (tmp_path / "FORMAT").exists()
    environment = Environment.open(directory)
    with pytest.raises(DataDirectoryError, match="in use by another process"):
        await last(directory)
    environment.close()
