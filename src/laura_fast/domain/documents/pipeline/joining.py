"""`$lookup` as an equality join with a collection of the same server."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.expressions.paths import follow
from laura_fast.domain.documents.expressions.sizes import least_bytes, memory_bytes
from laura_fast.domain.documents.keys import encode_value
from laura_fast.domain.documents.kinds import MISSING
from laura_fast.domain.documents.paths import reached
from laura_fast.domain.documents.pipeline.stage import Stage, bad_stage, checked_field
from laura_fast.domain.documents.pipeline.unwinding import with_value
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import documents as limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from laura_fast.domain.documents.pipeline.stage import Context, Document

_ARGUMENTS: Final = frozenset({"from", "localField", "foreignField", "as"})
_KEY_BYTES: Final = 150
_FEW: Final = 8
"""So many documents are never too many: one that is too large for its reader is found when it is encoded."""


@dataclass(frozen=True)
class Lookup(Stage):
    """Adds to each document the array of the foreign documents whose field equals its own.

    The foreign field equals it where a query for equality would match (MongoDB manual, "$lookup").
    The foreign collection is read once, before the first document, into a table that the budget holds.

    Attributes:
        collection: Name of the other collection.
        local_path: Field names of the own field.
        foreign_path: Field names of the foreign field.
        output: Field names of the array.
    """

    collection: str
    local_path: tuple[str, ...]
    foreign_path: tuple[str, ...]
    output: tuple[str, ...]

    @property
    def foreign(self) -> frozenset[str]:
        return frozenset({self.collection})

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({self.local_path[0], self.output[0]})

    @property
    def growth(self) -> int:
        return 1 + len(self.output)

    def keeps(self, field: str, /) -> bool:
        return field != self.output[0]

    def run(self, documents: Iterable[Document], context: Context, /) -> Iterator[Document]:
        equal = self.finder(context)
        for document in documents:
            yield with_value(document, self.output, fitting(self.collection, equal(document)))

    def finder(self, context: Context) -> Callable[[Document], list[Document]]:
        """From a document to the foreign ones that equal it. Reads the foreign collection."""
        table, local_path = self._table(context), self.local_path

        def find(document: Document) -> list[Document]:
            found: dict[int, Document] = {}
            for key in _local_keys(follow(document, local_path)):
                found.update(table.get(key, {}))
            return [found[place] for place in sorted(found)]

        return find

    def _table(self, context: Context) -> dict[bytes, dict[int, Document]]:
        """Place and document of all foreign ones by each of their keys."""
        table: dict[bytes, dict[int, Document]] = defaultdict(dict)
        for place, document in enumerate(context.foreign(self.collection)):
            keys = _keys(reached(document, self.foreign_path))
            context.budget.hold(memory_bytes(document) + sum(map(len, keys)) + _KEY_BYTES * len(keys))
            for key in keys:
                table[key][place] = document
        return dict(table)


def _local_keys(value: Any) -> set[bytes]:
    """What to look for: the value or, of an array, each element."""
    return _keys(value if type(value) is list else [value])


def _keys(values: Iterable[Any]) -> set[bytes]:
    """Missing counts as null, on both sides."""
    return {encode_value(None if value is MISSING else value) for value in values}


def fitting(collection: str, found: list[Document]) -> list[Document]:
    """The documents found, if one document can hold them all."""
    if len(found) > _FEW and sum(map(least_bytes, found)) > limits.MAX_DOCUMENT_BYTES:
        raise InvalidArgumentError(
            f"$lookup: the documents of {collection!r} for one document are too many to be held in it",
            "DOCUMENT_TOO_LARGE",
        )
    return found


def parse_lookup(name: str, spec: Any, _constants: Mapping[str, Any]) -> Lookup:
    """`$lookup`: from, localField, foreignField, as."""
    if type(spec) is not dict:
        raise bad_stage(name, "a document is needed")
    if spec.keys() & {"let", "pipeline"}:
        raise bad_stage(name, "its pipeline can't be in a pipeline inside a stage")
    if spec.keys() != _ARGUMENTS:
        raise bad_stage(name, "from, localField, foreignField and as are needed, and nothing else")
    if type(spec["from"]) is not str or not spec["from"]:
        raise bad_stage(name, "from is the name of a collection")
    paths = (tuple(checked_field(name, spec[key]).split(".")) for key in ("localField", "foreignField", "as"))
    return Lookup(spec["from"], *paths)
