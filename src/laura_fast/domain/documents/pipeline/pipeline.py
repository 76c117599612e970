"""A compiled pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from laura_fast.domain.documents.expressions.sizes import checked
from laura_fast.domain.documents.pipeline.matching import Match
from laura_fast.domain.documents.pipeline.ordering import SortStage
from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from laura_fast.domain.documents.filters import Filter
    from laura_fast.domain.documents.pipeline.stage import Context, Document, Stage
    from laura_fast.domain.documents.sorting import Sort


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages in the order in which they run. It has no state: it may run any number of times, also at once."""

    stages: tuple[Stage, ...]

    @property
    def leading(self) -> Filter | None:
        """What documents are filtered by before all else, for the planner; None = by nothing."""
        return self.stages[0].filter if self.stages and isinstance(self.stages[0], Match) else None

    @property
    def rest(self) -> Pipeline:
        """The pipeline for documents that `leading` has let through."""
        return Pipeline(self.stages[1:]) if self.leading else self

    @property
    def order(self) -> Sort | None:
        """The order that documents are brought into directly behind `leading`; None = none."""
        first = self.rest.stages[:1]
        return first[0].sort if first and isinstance(first[0], SortStage) else None

    @property
    def wanted(self) -> int:
        """How many of the first documents in that order are wanted; 0 = all."""
        first = self.rest.stages[:1]
        return first[0].most or 0 if first and isinstance(first[0], SortStage) else 0

    @property
    def foreign(self) -> tuple[str, ...]:
        """Other collections that it reads."""
        return tuple(sorted({name for stage in self.stages for name in stage.foreign}))

    @property
    def needed(self) -> frozenset[str] | None:
        """Top-level fields without which documents give the same results; None = all may count."""
        needed: frozenset[str] = frozenset()
        for stage in self.stages:
            if stage.reads is None:
                return None
            needed |= stage.reads
            if stage.closes:
                return needed
        return None

    def run(self, documents: Iterable[Document], context: Context, /) -> Iterator[Document]:
        """Streams documents through the stages; they are not changed, but parts of them are in the results.

        Raises:
            InvalidArgumentError: EXPRESSION_FAILED or DOCUMENT_TOO_LARGE: an expression that has no value for a
                document; SORT_INVALID.
            OverloadedError: MEMORY_BUDGET.
            DeadlineError: The budget's.
        """
        growth = 1
        for stage in self.stages:
            documents = stage.run(documents, context)
            growth = 1 if stage.measures else growth * stage.growth
            if growth > limits.MAX_UNMEASURED_GROWTH:
                documents, growth = map(checked, documents), 1
        return iter(documents)

    def split(self) -> tuple[Pipeline, Pipeline]:
        """What each shard runs over its documents, and what is run over all their results, shard after shard.

        The result is that of the whole pipeline over the documents of all shards in that order.
        """
        shard: list[Stage] = []
        for place, stage in enumerate(self.stages):
            first, then = stage.divided()
            shard += first
            if then:
                return Pipeline(tuple(shard)), Pipeline((*then, *self.stages[place + 1 :]))
        return Pipeline(tuple(shard)), Pipeline(())
