"""Where mongomock-ng's pipelines are known to differ from MongoDB's, each with the rule that decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.expressions import MISSING, is_true
from tests.properties.pipeline_places import (
    accumulates,
    gets,
    has_array_inside,
    lacks_array,
    operands,
    orders_arrays,
    sets_missing,
    values,
)
from tests.properties.pipeline_rivals import Answer, Document, Stages, ours

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Difference:
    """Where mongomock-ng is known to differ, with an example of it.

    Attributes:
        rule: MongoDB's, which decides.
        applies: Whether a stage, by name, specification and the documents that come to it, is such a place.
        stages: Of the example.
        documents: Of the example.
        expected: By the rule; mongomock-ng says something else.
    """

    rule: str
    applies: Callable[[str, Any, list[Document]], bool]
    stages: Stages
    documents: list[Document]
    expected: Answer


ORDERING: Final = frozenset({"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$cmp"})
NUMERIC: Final = ORDERING | {"$max", "$min", "$in", "$avg", "$sum", "$stdDevPop", "$stdDevSamp"}
TEXTUAL: Final = frozenset({"$concat", "$toUpper", "$toLower"})
TRUTHS: Final = frozenset({"$and", "$or", "$not", "$cond", "case", "cond", "$expr"})
DIFFERENCES: Final[dict[str, Difference]] = {
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
    "text-of-missing": Difference(
        "of a missing value, $concat gives null and a change of case the empty string",
        gets(TEXTUAL, lambda value: value is MISSING),
        [{"$set": {"x": {"$concat": ["a", "$gone"]}}}],
        [{"_id": 0}],
        [{"_id": 0, "x": None}],
    ),
    "operand-in-a-list": Difference(
        "$type takes its operand in a list, as all operators do",
        lambda _name, spec, _documents: any(operands(spec, frozenset({"$type"}))),
        [{"$set": {"x": {"$type": ["$_id"]}}}],
        [{"_id": 0}],
        [{"_id": 0, "x": "int"}],
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
        lambda name, spec, documents: (
            name in {"$set", "$addFields"}
            and any(
                not isinstance(document.get(path.partition(".")[0], {}), dict)
                for path in spec
                if "." in path
                for document in documents
            )
        ),
        [{"$set": {"d.x": 1}}],
        [{"_id": 0, "d": [{"n": 1}, 2]}],
        [{"_id": 0, "d": [{"n": 1, "x": 1}, {"x": 1}]}],
    ),
    "project-inside": Difference(
        "$project with a dotted path computes a field inside a document",
        lambda name, spec, _documents: (
            name == "$project" and any("." in path and not isinstance(value, int) for path, value in spec.items())
        ),
        [{"$project": {"d.x": {"$literal": 5}}}],
        [{"_id": 0}],
        [{"_id": 0, "d": {"x": 5}}],
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
    "truth": Difference(
        "missing values are false, the empty string, array and document are true in expressions",
        gets(TRUTHS, lambda value: value is MISSING or value in ("", [], {})),
        [{"$match": {"$expr": {"$and": ["$s", {"$not": ["$gone"]}]}}}],
        [{"_id": 0, "s": ""}],
        [{"_id": 0, "s": ""}],
    ),
    "order-of-missing": Difference(
        "a missing value comes before null and all others but MinKey",
        gets(ORDERING, lambda value: value is MISSING),
        [{"$set": {"x": {"$lt": ["$gone", None]}}}],
        [{"_id": 0}],
        [{"_id": 0, "x": True}],
    ),
    "sum-of-missing": Difference(
        "$sum of what is no number is 0",
        gets(frozenset({"$sum"}), lambda value: value is MISSING or value is None),
        [{"$set": {"x": {"$sum": "$gone"}}}],
        [{"_id": 0}],
        [{"_id": 0, "x": 0}],
    ),
    "letters-of-ascii": Difference(
        "$toUpper and $toLower know the letters of ASCII",
        gets(frozenset({"$toUpper", "$toLower"}), lambda value: isinstance(value, str) and not value.isascii()),
        [{"$set": {"x": {"$toUpper": "é"}}}],
        [{"_id": 0}],
        [{"_id": 0, "x": "é"}],
    ),
    "not-of-untrue": Difference(
        "null, false and zero are false",
        gets(frozenset({"$not"}), lambda value: not is_true(value)),
        [{"$set": {"x": {"$not": ["$n"]}}}],
        [{"_id": 0, "n": None}],
        [{"_id": 0, "n": None, "x": True}],
    ),
    "nested-arrays": Difference(
        "inclusion goes into arrays inside arrays, of which what is no document is left out",
        lambda name, spec, _documents: name == "$project" and spec.get("l.x") == 1,
        [{"$project": {"l.x": 1}}],
        [{"_id": 0, "l": [[1], {"x": 1}]}],
        [{"_id": 0, "l": [[], {"x": 1}]}],
    ),
    "text-of-numbers": Difference(
        "the text of a whole double has no point",
        gets(frozenset({"$toUpper", "$toLower"}), lambda value: isinstance(value, float)),
        [{"$set": {"x": {"$toUpper": 1.0}}}],
        [{"_id": 0}],
        [{"_id": 0, "x": "1"}],
    ),
    "bools": Difference(
        "true is not 1 and comes after all numbers",
        gets(NUMERIC, lambda value: isinstance(value, bool)),
        [{"$set": {"x": {"$max": [True, 2]}}}],
        [{"_id": 0}],
        [{"_id": 0, "x": True}],
    ),
    "element-of-no-array": Difference(
        "$arrayElemAt refuses what is no array",
        gets(frozenset({"$arrayElemAt"}), lambda value: isinstance(value, str | dict)),
        [{"$set": {"x": {"$arrayElemAt": ["text", 0]}}}],
        [{"_id": 0}],
        "refused",
    ),
    "text-of-others": Difference(
        "$concat refuses what is no string, $toUpper and $toLower what has no text",
        gets(TEXTUAL, lambda value: value is not None and not isinstance(value, str)),
        [{"$set": {"x": {"$toLower": [["A"]]}}}],
        [{"_id": 0}],
        "refused",
    ),
    "unwound-twice": Difference(
        "documents that come out of $unwind do not change others",
        lambda name, spec, _documents: name == "$unwind" and "." in (spec if isinstance(spec, str) else spec["path"]),
        [{"$set": {"a": "$d"}}, {"$unwind": "$d.l"}],
        [{"_id": 0, "d": {"l": [1]}}],
        [{"_id": 0, "d": {"l": 1}, "a": {"l": [1]}}],
    ),
    "bools-in-arrays": Difference(
        "true is not 1 and false is not 0",
        lambda name, spec, _documents: (
            name == "$match" and any(operand in (0, 1) for operand in operands(spec, frozenset({"$eq", "$ne"})))
        ),
        [{"$match": {"l": {"$ne": 0}}}],
        [{"_id": 0, "l": [False]}],
        [{"_id": 0, "l": [False]}],
    ),
    "list-of-missing": Difference(
        "what is missing is null in a list",
        gets(frozenset({"$ifNull"}), lambda value: value == [None]),
        [{"$set": {"x": {"$arrayElemAt": [{"$ifNull": ["$gone", ["$gone"]]}, 0]}}}],
        [{"_id": 0}],
        [{"_id": 0, "x": None}],
    ),
    "input-that-is-no-array": Difference(
        "$map, $filter and $reduce refuse what is no array",
        gets(frozenset({"input"}), lambda value: not isinstance(value, list)),
        [{"$set": {"x": {"$filter": {"input": {"a": 1}, "cond": True}}}}],
        [{"_id": 0}],
        "refused",
    ),
    "first-of-missing": Difference(
        "$first and $last give null if the first or last document lacks the field",
        accumulates({"$first", "$last"}, lambda value: value is MISSING),
        [{"$group": {"_id": None, "x": {"$first": "$n"}}}],
        [{"_id": 0}, {"_id": 1, "n": 1}],
        [{"_id": None, "x": None}],
    ),
    "numbers-in-arrays": Difference(
        "accumulators of $group do not look into arrays",
        accumulates({"$sum", "$avg", "$stdDevPop", "$stdDevSamp"}, lambda value: isinstance(value, list)),
        [{"$group": {"_id": None, "x": {"$sum": "$l"}}}],
        [{"_id": 0, "l": [1, 2]}],
        [{"_id": None, "x": 0}],
    ),
    "parallel-arrays": Difference(
        "$sort by two fields that are arrays in one document is refused",
        lambda name, spec, documents: name == "$sort" and ours([{name: spec}], documents) == "refused",
        [{"$sort": {"l": 1, "a": 1}}],
        [{"_id": 0, "l": [1], "a": [2]}],
        "refused",
    ),
    "numbers-in-nested-arrays": Difference(
        "$sum as an expression looks into one array, not into arrays inside",
        gets(
            frozenset({"$sum"}), lambda value: isinstance(value, list) and any(isinstance(each, list) for each in value)
        ),
        [{"$set": {"x": {"$sum": "$l"}}}],
        [{"_id": 0, "l": [1, [2]]}],
        [{"_id": 0, "l": [1, [2]], "x": 1}],
    ),
    "order-of-arrays": Difference(
        "an array sorts as its least element or, descending, its greatest",
        orders_arrays,
        [{"$sort": {"l": 1}}],
        [{"_id": 0, "l": 2}, {"_id": 1, "l": ["a", 1]}],
        [{"_id": 1, "l": ["a", 1]}, {"_id": 0, "l": 2}],
    ),
    "operands-of-accumulators": Difference(
        "accumulators of $group are unary: a list of two operands is refused",
        lambda name, spec, documents: name == "$group" and ours([{name: spec}], documents) == "refused",
        [{"$group": {"_id": None, "n": {"$max": [1, 2]}}}],
        [{"_id": 0}],
        "refused",
    ),
}


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
