"""Random projections and sorts of random documents, answered by this project and by two others.

Known differences are tried in their order; the rule that decides each is MongoDB's.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from laura_fast.domain.documents.projections import compile_projection
from laura_fast.domain.documents.sorting import compile_sort, stable_key
from laura_fast.errors import InvalidArgumentError
from tests.properties.known_differences import Answer, Comparison, Difference
from tests.properties.update_cases import NAMES, document
from tests.properties.update_rivals import FAILURES, collections

if TYPE_CHECKING:
    from random import Random

    from laura_fast.domain.documents.codec import Document

DOCUMENTS: Final = 6


@dataclass(frozen=True)
class Find:
    """What is asked of some documents; the answer to a sort is the ids in their order, in one document."""

    documents: list[Document]
    projection: Document | None = None
    sort: Document | None = None


Explains: TypeAlias = Callable[[Find, Answer, Answer], bool]


def compare_many(rng: Random, cases: int) -> Counter[tuple[str, str]]:
    """Compares so many cases with each of the others; projections and sorts take turns."""
    asked = (projected(rng) if number % 2 else sorted_(rng) for number in range(cases))
    return sum(map(COMPARISON.compare, asked), Counter())


def projected(rng: Random) -> Find:
    given = document(rng)
    kind = rng.choice([0, 1, True, False, 1.0])
    projection: Document = {_path(rng): kind for _ in range(rng.choice([1, 1, 2, 3]))}
    if rng.random() < 0.2:
        projection["_id"] = rng.choice([0, 1])
    if rng.random() < 0.2:
        projection[rng.choice(NAMES)] = {"$slice": rng.choice([0, 1, -1, 2, [0, 1], [1, 2], [-2, 1]])}
    if rng.random() < 0.15:
        projection[rng.choice(NAMES)] = {"$elemMatch": rng.choice([{"$gt": 0}, {"a": 1}, {"a": {"$exists": True}}])}
    return Find([given], projection=projection)


def sorted_(rng: Random) -> Find:
    order = {_path(rng): rng.choice([1, -1]) for _ in range(rng.choice([1, 1, 2]))}
    return Find([{**document(rng), "_id": number} for number in range(DOCUMENTS)], sort=order)


def _path(rng: Random) -> str:
    return ".".join([rng.choice(NAMES), *(rng.choice(NAMES) for _ in range(rng.choice([0, 0, 1, 1, 2])))])


def ours(asked: Find) -> Answer:
    try:
        if asked.projection is not None:
            return Answer(compile_projection(asked.projection).apply(asked.documents[0]))
        found = sorted(asked.documents, key=stable_key(compile_sort(asked.sort or {})))
    except InvalidArgumentError as error:
        return Answer(None, error.message)
    return Answer({"ids": [each["_id"] for each in found]})


def ask(rival: str, asked: Find) -> Answer:
    collection = collections()[rival]
    collection.delete_many({})
    collection.insert_many(copy.deepcopy(asked.documents))
    try:
        if asked.projection is not None:
            return Answer(next(iter(collection.find({}, copy.deepcopy(asked.projection)))))
        return Answer({"ids": [each["_id"] for each in collection.find({}).sort(list((asked.sort or {}).items()))]})
    except FAILURES as error:
        return Answer(None, repr(error), failed=True)
    except Exception as error:  # noqa: BLE001 - each has an exception tree of its own
        return Answer(None, repr(error))


def _refused_for(word: str) -> Explains:
    return lambda _asked, mine, _theirs: word in mine.fault


def _equal_fields(_asked: Find, mine: Answer, theirs: Answer) -> bool:
    return mine.document == theirs.document


def _orders_arrays(asked: Find, _mine: Answer, _theirs: Answer) -> bool:
    names = {path.split(".")[0] for path in asked.sort or ()}
    return any("[" in repr(each.get(name)) for each in asked.documents for name in names)


def _goes_deep(asked: Find, _mine: Answer, _theirs: Answer) -> bool:
    return any("." in path for path in asked.projection or ())


def _slices(asked: Find, _mine: Answer, _theirs: Answer) -> bool:
    return "$slice" in repr(asked.projection)


def _finds_elements(asked: Find, _mine: Answer, _theirs: Answer) -> bool:
    return "$elemMatch" in repr(asked.projection)


def _names_id(asked: Find, _mine: Answer, _theirs: Answer) -> bool:
    return "_id" in (asked.projection or ())


SCALARS: Final = "projection: below a scalar there is nothing to include, and nothing to exclude"

ORDER: Final = "projection: fields come in the document's order"
PARALLEL_ARRAYS: Final = Difference(
    "parallel arrays",
    "sort: arrays side by side in two fields are refused",
    _refused_for("parallel"),
    Find([{"_id": 0, "a": [1], "b": [1]}], sort={"a": 1, "b": 1}),
)
COLLISIONS: Final = Difference(
    "collisions",
    "projection: one path in another's is refused",
    _refused_for("collide"),
    Find([{"_id": 1}], {"a": 1, "a.b": {"$slice": 1}}),
)
RIVALS: Final[dict[str, tuple[Difference[Find], ...]]] = {
    "mongomock-ng": (
        PARALLEL_ARRAYS,
        COLLISIONS,
        Difference(
            "arrays",
            "sort: of an array the least element counts, or the greatest",
            _orders_arrays,
            Find([{"_id": 0, "a": [1, 3]}, {"_id": 1, "a": 2}], sort={"a": -1}),
        ),
        Difference("order of fields", ORDER, _equal_fields, Find([{"_id": 1, "a": 1}], {"a": 1})),
        Difference("scalars", SCALARS, _goes_deep, Find([{"_id": 1, "a": 1}], {"a.b": 0})),
        Difference(
            "slices", "projection: $slice is for arrays", _slices, Find([{"_id": 1, "a": "x"}], {"a": {"$slice": 1}})
        ),
        Difference(
            "elements",
            "projection: $elemMatch takes operators, too",
            _finds_elements,
            Find([{"_id": 1, "a": [1]}], {"a": {"$elemMatch": {"$gt": 0}}}),
        ),
    ),
    "montydb": (
        PARALLEL_ARRAYS,
        COLLISIONS,
        Difference(
            "elements without a field",
            "sort: a field that an element has not is null",
            _orders_arrays,
            Find([{"_id": 0, "a": {"b": 1}}, {"_id": 1, "a": [{"b": 2}, 5]}], sort={"a.b": 1}),
        ),
        Difference(
            "order of fields", ORDER, _equal_fields, Find([{"_id": 1, "b": 1, "a": []}], {"c": 0, "a": {"$slice": 1}})
        ),
        Difference(
            "_id", "projection: an exclusion may include _id", _names_id, Find([{"_id": 1}], {"a": 0, "_id": 1})
        ),
        Difference(
            "slices", "projection: $slice is for arrays", _slices, Find([{"_id": 1, "a": "x"}], {"a": {"$slice": 1}})
        ),
        Difference(
            "elements",
            "projection: $elemMatch finds nothing in what is no array",
            _finds_elements,
            Find([{"_id": 1, "a": {}}], {"b": 0, "a": {"$elemMatch": {"c": 1}}}),
        ),
        Difference("scalars", SCALARS, _goes_deep, Find([{"_id": 1, "a": [1]}], {"a.b": 1})),
    ),
}
COMPARISON: Final = Comparison(ours, ask, RIVALS)
