"""Pipelines over one collection.

A stage such as `$group` takes all its input before it gives anything, so that a pipeline can't stop between slices as
a query does. Each runs on a thread of its own; a few at a time, as they share one interpreter.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING, Final

from laura_fast.domain.documents.codec import decode, decode_stored, encode
from laura_fast.domain.documents.expressions.watching import watched
from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.pipeline import Context, Pipeline, compile_pipeline
from laura_fast.domain.documents.planning.ordering import Order
from laura_fast.errors import OverloadedError, UnavailableError
from laura_fast.limits import database as limits
from laura_fast.node.database.choosing import Asked, choose
from laura_fast.node.database.names import namespace, parts
from laura_fast.node.database.variables import variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from laura_fast.domain.documents.budget import Budget
    from laura_fast.domain.documents.codec import Document
    from laura_fast.node.database.access import Access
    from laura_fast.node.database.commands import AggregateCommand
    from laura_fast.storage.documents.snapshot import Snapshot
    from laura_fast.storage.documents.store import DocumentStore


class Aggregates:
    """Runs pipelines, `limits.RUNNING_AGGREGATES` at a time."""

    def __init__(self, store: DocumentStore, now_ms: Callable[[], int], max_answer_bytes: int) -> None:
        """Prepares; call `stop` in the end.

        Args:
            store: Has the documents.
            now_ms: Milliseconds since 1970, for `$$NOW`.
            max_answer_bytes: What all results together may have.
        """
        self._store = store
        self._now_ms = now_ms
        self._max_answer_bytes = max_answer_bytes
        self._pool = ThreadPoolExecutor(limits.RUNNING_AGGREGATES, thread_name_prefix="database-aggregate")
        self._calls = 0
        self._stopping = threading.Event()

    async def run(self, command: AggregateCommand, budget: Budget) -> list[bytes]:
        """The results, as BSON.

        Raises:
            InvalidArgumentError: The pipeline is malformed; it names the stage.
            OverloadedError: ANSWER_TOO_LARGE; or the budget is used up, or too many pipelines wait.
            DeadlineError: The budget's time is over.
        """
        if self._calls >= limits.WAITING_AGGREGATES:
            raise OverloadedError("too many pipelines wait", "OVERLOADED", retry_after_ms=1_000)
        gone = threading.Event()
        self._calls += 1
        try:
            work = asyncio.get_running_loop().run_in_executor(self._pool, self._results, command, budget, gone)
            return await work
        finally:
            gone.set()
            self._calls -= 1

    def stop(self) -> None:
        """Ends what runs, and the threads."""
        self._stopping.set()
        self._pool.shutdown(cancel_futures=True)

    def _results(self, command: AggregateCommand, budget: Budget, gone: threading.Event) -> list[bytes]:
        pipeline = compile_command(command, self._now_ms())
        database, _ = parts(command.namespace)
        results: list[bytes] = []
        left = self._max_answer_bytes
        with self._store.reading(command.at) as state:
            source = _Source(state, budget, lambda: gone.is_set() or self._stopping.is_set())

            def foreign(collection: str) -> Iterator[Document]:
                return source.all(namespace(database, collection))

            context = Context(budget, Random(), foreign)  # noqa: S311 - a sample of documents, not a secret
            documents, rest = source.leading(command.namespace, pipeline)
            with watched(source.look):
                for document in rest.run(documents, context):
                    data = encode(document)
                    left -= len(data) + limits.FIELD_BYTES
                    if left < 0:
                        raise _too_large(self._max_answer_bytes)
                    results.append(data)
        return results


def compile_command(command: AggregateCommand, now_ms: int) -> Pipeline:
    """The pipeline of a command; raises InvalidArgumentError that names the stage."""
    return compile_pipeline([decode(stage) for stage in command.pipeline], variables(now_ms))


def asked_of_pipeline(place: str, pipeline: Pipeline) -> Asked:
    """What the planner is asked for a pipeline over a collection."""
    counting = pipeline.rest.needed == frozenset()
    filter_ = pipeline.leading or _EVERYTHING
    return Asked(place, filter_, pipeline.order, pipeline.wanted, counting=counting, decoding=True)


class _Source:
    """Documents for one pipeline."""

    def __init__(self, state: Snapshot, budget: Budget, abandoned: Callable[[], bool]) -> None:
        self._state = state
        self._budget = budget
        self._abandoned = abandoned

    def leading(self, place: str, pipeline: Pipeline) -> tuple[Iterator[Document], Pipeline]:
        """What the pipeline begins with, and what is left of it then: what the index did is not done again."""
        asked = asked_of_pipeline(place, pipeline)
        access, rest = choose(self._state, asked), pipeline.rest
        if asked.sort and access.order is Order.FULL and not access.several:
            rest = Pipeline(rest.stages[1:])
        if access.exact and not access.several and rest.needed == frozenset():
            return self._counted(access), rest
        return self._matching(access, decode_stored if access.exact else asked.filter.find), rest

    def all(self, place: str) -> Iterator[Document]:
        """Every document of a collection."""
        return self._matching(choose(self._state, Asked(place, _EVERYTHING)), decode_stored)

    def _matching(self, access: Access, find: Callable[[bytes], Document | None]) -> Iterator[Document]:
        seen: set[bytes] | None = set() if access.several else None
        for candidate in access.candidates(self._state):
            self._examine()
            if seen is not None:
                if candidate.id_key in seen:
                    continue
                self._budget.hold(len(candidate.id_key))
                seen.add(candidate.id_key)
            document = find(candidate.data)
            if document is not None:
                yield document

    def _counted(self, access: Access) -> Iterator[Document]:
        """One empty document for each, where no field matters: a count needs no documents."""
        nothing: Document = {}
        for _ in access.record_keys(self._state):
            self._examine()
            yield nothing

    def look(self) -> None:
        """Whether to go on, for what takes long between two documents."""
        self._check_wanted()
        self._budget.check_deadline()

    def _examine(self) -> None:
        self._check_wanted()
        self._budget.examine()

    def _check_wanted(self) -> None:
        if self._abandoned():
            raise UnavailableError("nobody waits for this pipeline any more", "SHUTTING_DOWN")


_EVERYTHING: Final = compile_filter({})


def _too_large(max_bytes: int) -> OverloadedError:
    text = f"the results have more than {max_bytes:,} bytes; narrow them with $match, $project, $group or $limit"
    return OverloadedError(text, "ANSWER_TOO_LARGE")
