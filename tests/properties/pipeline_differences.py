"""Where mongomock-ng's stages are known to differ from MongoDB's, each with the rule that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.domain.documents.expressions import MISSING
from tests.properties.expression_differences import EXPRESSIONS
from tests.properties.pipeline_places import (
    Difference,
    groups_bools,
    has_array_inside,
    is_document,
    lacks_array,
    orders_arrays,
    orders_bools_inside,
    sets_inside,
    sets_missing,
    sets_shared,
    values,
)
from tests.properties.pipeline_rivals import ours

if TYPE_CHECKING:
    from tests.properties.pipeline_rivals import Document, Stages

_STAGES: Final[dict[str, Difference]] = {
    "count-of-nothing": Difference(
        "$count of no documents gives no document",
        lambda name, _spec, documents: name == "$count" and not documents,
        [{"$count": "n"}],
        [],
        [],
    ),
    "group-of-nothing": Difference(
        "$group of no documents gives no group, whatever its key",
        lambda name, spec, documents: name == "$group" and spec["_id"] is None and not documents,
        [{"$group": {"_id": None}}],
        [],
        [],
    ),
    "count-of-missing": Difference(
        "$sortByCount groups null and missing values as null",
        lambda name, spec, documents: (
            name == "$sortByCount" and any(value is None or value is MISSING for value in values(spec, documents))
        ),
        [{"$sortByCount": "$a"}],
        [{"_id": 0}],
        [{"_id": None, "count": 1}],
    ),
    "count-by-path": Difference(
        "$sortByCount takes dotted paths",
        lambda name, spec, _documents: name == "$sortByCount" and "." in spec,
        [{"$sortByCount": "$d.n"}],
        [{"_id": 0, "d": {"n": 1}}],
        [{"_id": 1, "count": 1}],
    ),
    "bools-in-keys": Difference(
        "true and 1 are two groups",
        groups_bools,
        [{"$group": {"_id": "$a"}}, {"$count": "n"}],
        [{"_id": 0, "a": True}, {"_id": 1, "a": 1}],
        [{"n": 2}],
    ),
    "set-of-missing": Difference(
        "$set of a missing value takes a field away; inside a document that is not there, it makes that document",
        sets_missing,
        [{"$set": {"n": "$gone", "d.x": "$gone"}}],
        [{"_id": 0, "n": 1}],
        [{"_id": 0, "d": {}}],
    ),
    "set-inside": Difference(
        "$set with a dotted path goes into the documents of arrays, and replaces what is neither",
        sets_inside,
        [{"$set": {"d.x": 1}}],
        [{"_id": 0, "d": [{"n": 1}, 2]}],
        [{"_id": 0, "d": [{"n": 1, "x": 1}, {"x": 1}]}],
    ),
    "set-of-documents": Difference(
        "$set of a document of expressions sets its fields, and leaves the others",
        lambda name, spec, _documents: name in {"$set", "$addFields"} and any(map(is_document, spec.values())),
        [{"$set": {"d": {"x": 1}}}],
        [{"_id": 0, "d": {"n": 1}}],
        [{"_id": 0, "d": {"n": 1, "x": 1}}],
    ),
    "set-twice": Difference(
        "what is set inside a document is set in no other field that has it from there",
        sets_shared,
        [{"$set": {"x": "$d"}}, {"$set": {"d.n": 2}}],
        [{"_id": 0, "d": {"n": 1}}],
        [{"_id": 0, "d": {"n": 2}, "x": {"n": 1}}],
    ),
    "project-inside": Difference(
        "$project with a dotted path, or a document of expressions, computes fields inside documents, also of arrays",
        lambda name, spec, _documents: (
            name == "$project"
            and any("." in path or is_document(value) for path, value in spec.items() if not isinstance(value, int))
        ),
        [{"$project": {"d.x": {"$literal": 5}}}],
        [{"_id": 0, "d": [1, {"x": 1}]}],
        [{"_id": 0, "d": [{"x": 5}, {"x": 5}]}],
    ),
    "exclude-inside": Difference(
        "exclusion goes into the documents of arrays",
        has_array_inside,
        [{"$unset": "l.x"}],
        [{"_id": 0, "l": [{"x": 1, "y": 2}]}],
        [{"_id": 0, "l": [{"y": 2}]}],
    ),
    "index-of-none": Difference(
        "$unwind with includeArrayIndex gives null where there is no element",
        lambda name, spec, documents: (
            name == "$unwind"
            and isinstance(spec, dict)
            and "includeArrayIndex" in spec
            and lacks_array(spec["path"], documents)
        ),
        [{"$unwind": {"path": "$l", "includeArrayIndex": "x", "preserveNullAndEmptyArrays": True}}],
        [{"_id": 0}],
        [{"_id": 0, "x": None}],
    ),
    "nested-arrays": Difference(
        "inclusion goes into arrays inside arrays, of which what is no document is left out",
        lambda name, spec, _documents: name == "$project" and spec.get("l.x") == 1,
        [{"$project": {"l.x": 1}}],
        [{"_id": 0, "l": [[1], {"x": 1}]}],
        [{"_id": 0, "l": [[], {"x": 1}]}],
    ),
    "unwound-twice": Difference(
        "documents that come out of $unwind do not change others",
        lambda name, spec, _documents: name == "$unwind" and "." in (spec if isinstance(spec, str) else spec["path"]),
        [{"$set": {"a": "$d"}}, {"$unwind": "$d.l"}],
        [{"_id": 0, "d": {"l": [1]}}],
        [{"_id": 0, "d": {"l": 1}, "a": {"l": [1]}}],
    ),
    "parallel-arrays": Difference(
        "$sort by two fields that are arrays in one document is refused",
        lambda name, spec, documents: name == "$sort" and ours([{name: spec}], documents) == "refused",
        [{"$sort": {"l": 1, "a": 1}}],
        [{"_id": 0, "l": [1], "a": [2]}],
        "refused",
    ),
    "order-of-arrays": Difference(
        "an array sorts as its least element or, descending, its greatest",
        orders_arrays,
        [{"$sort": {"l": 1}}],
        [{"_id": 0, "l": 2}, {"_id": 1, "l": ["a", 1]}],
        [{"_id": 1, "l": ["a", 1]}, {"_id": 0, "l": 2}],
    ),
    "order-of-bools-inside": Difference(
        "true is not 1 in the order of documents, either: it comes after all numbers",
        orders_bools_inside,
        [{"$sort": {"d": 1}}],
        [{"_id": 0, "d": {"l": [True], "x": 0}}, {"_id": 1, "d": {"l": [1], "x": 1}}],
        [{"_id": 1, "d": {"l": [1], "x": 1}}, {"_id": 0, "d": {"l": [True], "x": 0}}],
    ),
    "operands-of-accumulators": Difference(
        "accumulators of $group are unary: a list of two operands is refused",
        lambda name, spec, documents: name == "$group" and ours([{name: spec}], documents) == "refused",
        [{"$group": {"_id": None, "n": {"$max": [1, 2]}}}],
        [{"_id": 0}],
        "refused",
    ),
}
DIFFERENCES: Final = _STAGES | EXPRESSIONS

EARLY_MATCH: Final = "early-match"
"""A `$match` runs before stages in front of it where that is safe, as in MongoDB; what it drops can't fail there."""


def explained(stages: Stages, documents: list[Document]) -> str | None:
    """The first difference that a case runs into; None if both must agree on it."""
    for place, stage in enumerate(stages):
        before = ours(stages[:place], documents)
        if isinstance(before, str):
            return None if ours(stages, documents) == before else EARLY_MATCH
        [(name, spec)] = stage.items()
        for known, difference in DIFFERENCES.items():
            if difference.applies(name, spec, before):
                return known
    return None
