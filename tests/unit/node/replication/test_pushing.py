"""An entry that is brought twice is as safe the second time as the first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from laura_fast.domain.documents.codec import encode
from laura_fast.node.replication.pushing import Pushes
from laura_fast.storage.documents.oplog import Operation, OplogEntry
from tests.unit.node.database.kit import PLACE, MortalStore

if TYPE_CHECKING:
    from laura_fast.domain.replication.progress import WriteConcern


async def test_a_primary_waits_for_a_majority_of_what_it_has_already() -> None:
    waited = []

    async def wait(op_id: int, _concern: WriteConcern) -> None:
        waited.append(op_id)

    store = MortalStore()
    pushes = Pushes(SimpleNamespace(leads=True, lead=lambda: None, wait=wait), store)  # type: ignore[arg-type]  # what it needs of one
    op_id = await pushes.take(OplogEntry(0, 0, 0, Operation.INSERT, PLACE, encode({"_id": 1})), 1.0)
    [entry] = store.read_oplog(op_id, 1, 1)
    assert await pushes.take(entry, 1.0) == op_id
    assert waited == [op_id, op_id]
