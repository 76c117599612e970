"""Where mongomock-ng's expressions are known to differ from MongoDB's, each with the rule that decides."""

from __future__ import annotations

from typing import Final

from laura_fast.domain.documents.expressions import MISSING, is_true
from tests.properties.pipeline_places import Difference, accumulates, gets, operands

ORDERING: Final = frozenset({"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$cmp"})
NUMERIC: Final = ORDERING | {"$max", "$min", "$in", "$avg", "$sum", "$stdDevPop", "$stdDevSamp"}
ARITHMETIC: Final = frozenset({"$floor", "$ceil", "$abs", "$add", "$subtract", "$multiply", "$divide", "$mod"})
TEXTUAL: Final = frozenset({"$concat", "$toUpper", "$toLower"})
TRUTHS: Final = frozenset({"$and", "$or", "$not", "$cond", "case", "cond", "$expr"})
EXPRESSIONS: Final[dict[str, Difference]] = {
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
    "text-of-numbers": Difference(
        "the text of a whole double has no point",
        gets(frozenset({"$toUpper", "$toLower"}), lambda value: isinstance(value, float)),
        [{"$set": {"x": {"$toUpper": 1.0}}}],
        [{"_id": 0}],
        [{"_id": 0, "x": "1"}],
    ),
    "bools": Difference(
        "true is not 1 and comes after all numbers",
        gets(
            NUMERIC,
            lambda value: any(isinstance(each, bool) for each in [value, *(value if isinstance(value, list) else [])]),
        ),
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
    "numbers-of-others": Difference(
        "operators of numbers refuse what is none",
        gets(
            frozenset({"$floor", "$ceil", "$abs", "$add", "$subtract", "$multiply", "$divide", "$mod"}),
            lambda value: isinstance(value, bool | str | list | dict),
        ),
        [{"$set": {"x": {"$floor": True}}}],
        [{"_id": 0}],
        "refused",
    ),
    "documents-of-others": Difference(
        "$mergeObjects refuses what is no document",
        gets(frozenset({"$mergeObjects"}), lambda value: isinstance(value, bool | str | list | int | float)),
        [{"$set": {"x": {"$mergeObjects": ["text", {"a": 1}]}}}],
        [{"_id": 0}],
        "refused",
    ),
    "greatest-of-missing": Difference(
        "$max and $min of nothing are null",
        gets(frozenset({"$max", "$min"}), lambda value: value is MISSING),
        [{"$set": {"x": {"$max": ["$gone", "$gone"]}}}],
        [{"_id": 0}],
        [{"_id": 0, "x": None}],
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
    "numbers-in-nested-arrays": Difference(
        "$sum as an expression looks into one array, not into arrays inside",
        gets(
            frozenset({"$sum"}), lambda value: isinstance(value, list) and any(isinstance(each, list) for each in value)
        ),
        [{"$set": {"x": {"$sum": "$l"}}}],
        [{"_id": 0, "l": [1, [2]]}],
        [{"_id": 0, "l": [1, [2]], "x": 1}],
    ),
}
