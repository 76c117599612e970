"""What a request would do, as a document for a person: the plan, why, and what of the work it leaves to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.filters import compile_filter
from laura_fast.node.database.access import Planned
from laura_fast.node.database.aggregates import asked_of_pipeline, compile_command
from laura_fast.node.database.choosing import make_plan
from laura_fast.node.database.queries import asked_of, compile_query, mode_of
from laura_fast.node.database.searching import Mode

if TYPE_CHECKING:
    from collections.abc import Generator

    from laura_fast.domain.documents.planning.plan import Plan
    from laura_fast.node.database.commands import AggregateCommand, QueryCommand
    from laura_fast.storage.documents.store import DocumentStore

_PAGES: Final = {
    Mode.STREAM: "read in order until they are full",
    Mode.TIES: "read in order; equal documents are put in the order of _id",
    Mode.RANK: "the first documents of all are kept in memory, for each page anew",
}


def explain_query(store: DocumentStore, command: QueryCommand, now_ms: int) -> Generator[None, None, dict[str, Any]]:
    """Explains a query without running it; on the reader thread, as planning reads the indexes."""
    query = compile_query(command, now_ms)
    with store.reading() as state:
        filter_ = query.filter or compile_filter({"_id": query.id_value})
        made = make_plan(state, asked_of(command, query, filter_))
    mode = mode_of(Planned(command.namespace, made, ""))
    return {"namespace": command.namespace, **made.explain(), "pages": _PAGES[mode]}
    yield  # makes this a generator, as the reader thread expects


def explain_aggregate(
    store: DocumentStore, command: AggregateCommand, now_ms: int
) -> Generator[None, None, dict[str, Any]]:
    """Explains how a pipeline gets its documents."""
    pipeline = compile_command(command, now_ms)
    with store.reading() as state:
        made: Plan = make_plan(state, asked_of_pipeline(command.namespace, pipeline))
    return {"namespace": command.namespace, **made.explain()}
    yield  # makes this a generator, as the reader thread expects
