"""Where other implementations of MongoDB's updates are known to differ from MongoDB, with the rule that decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bson.int64 import Int64

from laura_fast.domain.documents.keys import encode_value
from tests.properties.known_differences import Answer, Comparison, Difference
from tests.properties.update_rivals import Case, ask, ours

if TYPE_CHECKING:
    from laura_fast.domain.documents.codec import Document

Explains: TypeAlias = Callable[[Case, Answer, Answer], bool]
"""Whether a difference comes from a certain gap: the case, our answer and the other one."""


def _difference(name: str, rule: str, explains: Explains, document: Document, update: Document) -> Difference[Case]:
    return Difference(name, rule, explains, Case({"_id": 1, **document}, update))


def _unordered(value: Any) -> Any:
    """Without number types and the order of fields."""
    if isinstance(value, dict):
        return {name: _unordered(inner) for name, inner in value.items()}
    return [_unordered(inner) for inner in value] if isinstance(value, list) else encode_value(value)


def _equal_numbers(_asked: Case, mine: Answer, theirs: Answer) -> bool:
    return encode_value(mine.document) == encode_value(theirs.document)


def _equal_fields(_asked: Case, mine: Answer, theirs: Answer) -> bool:
    return None not in (mine.document, theirs.document) and _unordered(mine.document) == _unordered(theirs.document)


def _equal_to_python(_asked: Case, mine: Answer, theirs: Answer) -> bool:
    return mine.document == theirs.document


def _refused_for(*words: str) -> Explains:
    return lambda _asked, mine, _theirs: any(word in mine.fault for word in words)


def _with(*operators: str) -> Explains:
    return lambda asked, _mine, _theirs: any(operator in operators for operator, _, _ in asked.clauses())


def _with_element(asked: Case, _mine: Answer, _theirs: Answer) -> bool:
    """An operator that mongomock-ng has for fields only, on a path that goes through an array, or might."""
    return any(
        operator not in {"$set", "$inc", "$push", "$addToSet"} and any(part.isdigit() for part in path.split("."))
        for operator, path, _ in asked.clauses()
    )


def _with_sorted_push(asked: Case, _mine: Answer, _theirs: Answer) -> bool:
    return any(isinstance(operand, dict) and "$sort" in operand for _, _, operand in asked.clauses())


def _with_empty_document(asked: Case, _mine: Answer, _theirs: Answer) -> bool:
    return any(operator in {"$set", "$min", "$max"} and operand == {} for operator, _, operand in asked.clauses())


def _with_empty_condition(asked: Case, _mine: Answer, _theirs: Answer) -> bool:
    return any(operator == "$pull" and operand == {} for operator, _, operand in asked.clauses())


def _with_query(asked: Case, _mine: Answer, _theirs: Answer) -> bool:
    return any(
        operator == "$pull" and isinstance(operand, dict) and not next(iter(operand), "$").startswith("$")
        for operator, _, operand in asked.clauses()
    )


def _with_bool(asked: Case, _mine: Answer, _theirs: Answer) -> bool:
    told = repr(asked)
    return ("True" in told or "False" in told) and _with("$pull", "$pullAll", "$addToSet")(asked, _mine, _theirs)


TYPES: Final = "$inc, $mul, $set: the result has the type that its operands give it"
ORDER: Final = "$set: new fields come in lexicographic order since 5.0"
BOOL: Final = "a bool equals no number"
TOTAL_ORDER: Final = "$min, $max, $push with $sort: the order of all types"
EMPTY_CONDITION: Final = _difference(
    "empty condition",
    "$pull: a query is about elements that are documents",
    _with_empty_condition,
    {"a": [1]},
    {"$pull": {"a": {}}},
)
IN_VAIN: Final = "nothing is made where nothing is"

MONGOMOCK: Final = (
    EMPTY_CONDITION,
    _difference(
        "arrays as documents",
        "$pull: a query is about elements that are documents",
        _with_query,
        {"a": [[{"b": 1}]]},
        {"$pull": {"a": {"b": {"$gt": 0}}}},
    ),
    _difference(
        "conflicts",
        "two operators on one path, or on one within the other, are refused",
        _refused_for("conflict"),
        {},
        {"$set": {"a": 1}, "$inc": {"a.b": 1}},
    ),
    _difference(
        "barred paths",
        "no field is made in a scalar, nor one with a name in an array",
        _refused_for("is of type", "is an array"),
        {"a": 1},
        {"$set": {"a.b": 1}},
    ),
    _difference(
        "no arrays",
        "$push, $pop, $pull, $pullAll: the field must be an array",
        _refused_for("no array"),
        {"a": "x"},
        {"$pull": {"a": 1}},
    ),
    _difference(
        "no numbers", f"$inc, $mul, $bit: {BOOL}", _refused_for("of type bool"), {"a": True}, {"$inc": {"a": 1}}
    ),
    _difference("types of numbers", TYPES, _equal_numbers, {}, {"$inc": {"a": Int64(1)}}),
    _difference("order of fields", ORDER, _equal_fields, {}, {"$set": {"b": 1, "a": 1}}),
    _difference("true is 1 in arrays", BOOL, _with_bool, {"a": [True]}, {"$pullAll": {"a": [1]}}),
    _difference(
        "elements of arrays",
        "a number in a path is a position in an array",
        _with_element,
        {"a": [1]},
        {"$unset": {"a.0": ""}},
    ),
    _difference("smaller and greater", TOTAL_ORDER, _with("$min", "$max"), {"a": True}, {"$max": {"a": 2}}),
    _difference(
        "equal elements",
        "$addToSet: each of $each is added once, and 1.0 is 1",
        _with("$addToSet"),
        {},
        {"$addToSet": {"a": {"$each": [1, 1.0]}}},
    ),
    _difference(
        "sorted by Python",
        TOTAL_ORDER,
        _with_sorted_push,
        {"a": [2.0, False]},
        {"$push": {"a": {"$each": [], "$sort": -1}}},
    ),
    _difference("made in vain", IN_VAIN, _with("$pullAll"), {}, {"$pullAll": {"a.b": [1]}}),
)
MONTYDB: Final = (
    EMPTY_CONDITION,
    _difference(
        "barred paths",
        "$rename: nothing is looked for in a scalar",
        _refused_for("$rename"),
        {"a": 1},
        {"$rename": {"a.b": "c"}},
    ),
    _difference("types of numbers", TYPES, _equal_numbers, {}, {"$mul": {"a": 2}}),
    _difference("order of fields", ORDER, _equal_fields, {"a": 1}, {"$set": {"c": []}, "$rename": {"a": "e"}}),
    _difference("true is 1", BOOL, _equal_to_python, {"a": 0}, {"$set": {"a": False}}),
    _difference("true is 1 in arrays", BOOL, _with_bool, {"a": [True]}, {"$pullAll": {"a": [1]}}),
    _difference("no $bit", "$bit", _with("$bit"), {"a": 1}, {"$bit": {"a": {"or": 2}}}),
    _difference("lost {}", "$set: an empty document is a value", _with_empty_document, {}, {"$set": {"a": {}}}),
    _difference("made in vain", IN_VAIN, _with("$unset", "$pop", "$pull", "$pullAll"), {}, {"$unset": {"a.b": ""}}),
    _difference("smaller and greater", TOTAL_ORDER, _with("$min", "$max"), {"a": [True]}, {"$min": {"a.0": 1}}),
    _difference(
        "equal elements",
        "$addToSet: each of $each is added once",
        _with("$addToSet"),
        {},
        {"$addToSet": {"a": {"$each": [1, 1]}}},
    ),
    _difference(
        "cut before sorted",
        "$push: first $sort, then $slice, whatever their order",
        _with_sorted_push,
        {},
        {"$push": {"a": {"$each": [0, 5, 1], "$slice": 1, "$sort": -1}}},
    ),
)
COMPARISON: Final = Comparison(ours, ask, {"mongomock-ng": MONGOMOCK, "montydb": MONTYDB})
