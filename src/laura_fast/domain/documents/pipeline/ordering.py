"""Stages that choose and order documents: `$sort`, `$limit`, `$skip`, `$sample`, `$count`."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents.expressions.numbers import from_integer
from laura_fast.domain.documents.expressions.sizes import memory_bytes
from laura_fast.domain.documents.pipeline.stage import Stage, bad_stage, checked_name, whole_number
from laura_fast.domain.documents.sorting import Sort, compile_sort, stable_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from laura_fast.domain.documents.pipeline.stage import Context, Document

_key_of = itemgetter(0)
_size_of = itemgetter(1)
_document_of = itemgetter(2)
_FEWEST_SPARE = 256
"""Documents beyond the wanted number that a top-k collects before it sorts them out."""


@dataclass(frozen=True)
class SortStage(Stage):
    """`$sort`. Equal keys are in the order of `_id`, so the result does not depend on the order before.

    Attributes:
        sort: The order.
        most: Only so many of the first are wanted; None = all.
    """

    sort: Sort
    most: int | None = None

    @property
    def reads(self) -> frozenset[str] | None:
        return frozenset(path.partition(".")[0] for path, _ in self.sort.fields) | {"_id"}

    def keeps(self, _field: str, /) -> bool:
        return True

    def divided(self) -> tuple[tuple[Stage, ...], tuple[Stage, ...]]:
        return ((self,) if self.most is not None else (), (self,))

    def run(self, documents: Iterable[Document], context: Context, /) -> Iterator[Document]:
        rows = self._all(documents, context) if self.most is None else self._first(documents, context, self.most)
        rows.sort(key=_key_of)
        yield from map(_document_of, rows[: self.most])
        context.budget.release(sum(map(_size_of, rows)))

    def _all(self, documents: Iterable[Document], context: Context) -> list[tuple[bytes, int, Document]]:
        key, hold = stable_key(self.sort), context.budget.hold
        rows = []
        for document in documents:
            own = key(document)
            size = memory_bytes(document) + len(own)
            hold(size)
            rows.append((own, size, document))
        return rows

    def _first(self, documents: Iterable[Document], context: Context, most: int) -> list[tuple[bytes, int, Document]]:
        """A few more rows than wanted, the wanted ones among them."""
        key, hold = stable_key(self.sort), context.budget.hold
        full = most + max(most, _FEWEST_SPARE)
        last: bytes | None = None
        rows: list[tuple[bytes, int, Document]] = []
        for document in documents:
            own = key(document)
            if last is not None and own >= last:
                continue
            size = memory_bytes(document) + len(own)
            hold(size)
            rows.append((own, size, document))
            if len(rows) >= full:
                rows.sort(key=_key_of)
                context.budget.release(sum(map(_size_of, rows[most:])))
                del rows[most:]
                last = rows[-1][0]
        return rows


@dataclass(frozen=True)
class Limit(Stage):
    """`$limit`."""

    count: int

    def divided(self) -> tuple[tuple[Stage, ...], tuple[Stage, ...]]:
        return (self,), (self,)

    def run(self, documents: Iterable[Document], _context: Context, /) -> Iterator[Document]:
        return islice(documents, self.count)


@dataclass(frozen=True)
class Skip(Stage):
    """`$skip`."""

    count: int

    def run(self, documents: Iterable[Document], _context: Context, /) -> Iterator[Document]:
        return islice(documents, self.count, None)


@dataclass(frozen=True)
class Sample(Stage):
    """`$sample`: every choice of so many documents is as likely as any other (reservoir sampling)."""

    size: int

    def run(self, documents: Iterable[Document], context: Context, /) -> Iterator[Document]:
        chosen: list[Document] = []
        budget, randrange = context.budget, context.rng.randrange
        for seen, document in enumerate(documents, 1):
            if len(chosen) < self.size:
                budget.hold(memory_bytes(document))
                chosen.append(document)
            elif (place := randrange(seen)) < self.size:
                budget.hold(memory_bytes(document) - memory_bytes(chosen[place]))
                chosen[place] = document
        while chosen:
            place = randrange(len(chosen))
            chosen[place], chosen[-1] = chosen[-1], chosen[place]
            yield chosen.pop()


@dataclass(frozen=True)
class Count(Stage):
    """`$count`: one document with the number of documents; none if there are none."""

    field: str

    @property
    def closes(self) -> bool:
        return True

    def divided(self) -> tuple[tuple[Stage, ...], tuple[Stage, ...]]:
        return (self,), (AddCounts(self.field),)

    def run(self, documents: Iterable[Document], _context: Context, /) -> Iterator[Document]:
        numbered: deque[tuple[int, Document]] = deque(enumerate(documents, 1), maxlen=1)
        for count, _ in numbered:
            yield {self.field: from_integer(count, wide=False)}


@dataclass(frozen=True)
class AddCounts(Stage):
    """Adds up the results of `$count` on several shards."""

    field: str

    @property
    def closes(self) -> bool:
        return True

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({self.field})

    def run(self, documents: Iterable[Document], _context: Context, /) -> Iterator[Document]:
        counts = [document[self.field] for document in documents]
        if counts:
            yield {self.field: from_integer(sum(counts), wide=False)}


def parse_sort(name: str, spec: Any, _constants: Mapping[str, Any]) -> Stage:
    """`$sort`: fields with 1 or -1."""
    if type(spec) is not dict or not spec:
        raise bad_stage(name, "a document of fields with 1 or -1 is needed")
    return SortStage(compile_sort(spec))


def parse_limit(name: str, spec: Any, _constants: Mapping[str, Any]) -> Stage:
    """`$limit`: at least one document."""
    return Limit(whole_number(name, spec, 1))


def parse_skip(name: str, spec: Any, _constants: Mapping[str, Any]) -> Stage:
    """`$skip`."""
    return Skip(whole_number(name, spec, 0))


def parse_sample(name: str, spec: Any, _constants: Mapping[str, Any]) -> Stage:
    """`$sample`: `{size: n}`."""
    if type(spec) is not dict or spec.keys() != {"size"}:
        raise bad_stage(name, "a document with size and nothing else is needed")
    return Sample(whole_number(name, spec["size"], 1))


def parse_count(name: str, spec: Any, _constants: Mapping[str, Any]) -> Stage:
    """`$count`: the name of the field."""
    return Count(checked_name(name, spec))
