"""One job of a write on the storage's writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from laura_fast.errors import RpcError

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.node.database.once import Ticket
    from laura_fast.storage.documents.session import WriteSession
    from laura_fast.storage.documents.store import DocumentStore

Value = TypeVar("Value")


class _Refused(NamedTuple):
    error: RpcError


async def write(store: DocumentStore, request: Ticket | None, job: Callable[[WriteSession], Value]) -> Value:
    """Runs a job of a request; raises what it raises.

    A job that raises makes the storage run its whole group of jobs again without it: a client could make others pay
    for its bad requests. So an error that came before any change leaves the transaction as a value.
    """

    def careful(session: WriteSession) -> Value | _Refused:
        before = session.changes.op_id
        try:
            return job(session)
        except RpcError as error:
            if session.changes.op_id != before:
                raise
            return _Refused(error)

    outcome = await store.write(careful, request_id=request.request_id if request else "")
    if isinstance(outcome, _Refused):
        raise outcome.error
    return outcome
