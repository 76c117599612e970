"""One job of a write on the storage's writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.node.database.once import Ticket
    from laura_fast.storage.documents.session import WriteSession
    from laura_fast.storage.documents.store import DocumentStore

Value = TypeVar("Value")


async def write(store: DocumentStore, request: Ticket | None, job: Callable[[WriteSession], Value]) -> Value:
    """Runs a job whose oplog entries name the client's request; raises what the job raises."""
    return await store.write(job, request_id=request.request_id if request else "")
