"""Where other implementations of MongoDB's queries are known to differ from MongoDB, with the rule that decides.

A difference is looked for in the conditions of a query, each with the values that its path reaches in the document. Its
predicate is as narrow as its cause allows: whatever no predicate names is compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.regex import Regex

from laura_fast.domain.documents.order import equal
from tests.properties.filter_rivals import (
    MISSING,
    Answer,
    Condition,
    conditions,
    holds_operators,
    mongomock,
    montydb,
    of_values,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from laura_fast.domain.documents.codec import Document

ORDERING: Final = frozenset({"$gt", "$gte", "$lt", "$lte"})
EQUALITY: Final = frozenset({"$eq", "$ne", "$in", "$nin", "$all"})
NAN: Final = float("nan")


@dataclass(frozen=True)
class Difference:
    """Where another implementation is known to differ, with an example of it.

    Attributes:
        rule: MongoDB's, which decides.
        applies: Whether a condition is such a place.
        query: Of the example.
        document: Of the example.
        expected: By the rule; the other implementation says something else.
    """

    rule: str
    applies: Callable[[Condition], bool]
    query: Document
    document: Document
    expected: Answer


def explained(differences: dict[str, Difference], query: Document, document: Document) -> str | None:
    """The first difference that a case runs into; None if both must agree on it."""
    for condition in conditions(query, [document]):
        for name, difference in differences.items():
            if difference.applies(condition):
                return name
    return None


# --- what is told of a condition --------------------------------------------------------------------------------------


def _is_order_of_null(at: Condition) -> bool:
    return at.operator in {"$gte", "$lte"} and at.operand is None


def _is_negative(value: Any) -> bool:
    return isinstance(value, int | float) and value < 0


def _elements(at: Condition) -> Iterator[Any]:
    for value in at.reached:
        yield from value if isinstance(value, list) else ()


def _has_other_size(value: Any, size: int) -> bool:
    """Whether mongomock-ng finds so many elements in what is no array: a document's fields, or one in a scalar."""
    return len(value) == size if isinstance(value, dict) else size == 1 and not isinstance(value, list)


def _may_hold_for_missing(at: Condition) -> bool:
    if at.operator in {"$eq", "$gte", "$lte"}:
        return at.operand is None
    return at.operator in {"$ne", "$nin", "$exists", "$not"} or (at.operator in {"$in", "$all"} and None in at.operand)


def _by_pythons_equality(at: Condition) -> bool:
    """Whether Python's `==` says something else than MongoDB of any pair: of 1 and True, or of the order of fields."""
    if at.operator not in EQUALITY:
        return False
    wanted = at.operand if at.operator in {"$in", "$nin", "$all"} else [at.operand]
    pairs = ((value, each) for value in at.values() for each in wanted)
    return any(
        bool(value == each) != equal(value, each)
        for value, each in pairs
        if value is not MISSING and not isinstance(each, Regex)
    )


def _any_inside(value: Any, test: Callable[[Any], bool]) -> bool:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return any(_any_inside(each, test) for each in inner)
    return test(value)


def _holds_nan(value: Any) -> bool:
    return _any_inside(value, lambda each: str(each) in {"nan", "NaN"})


def _holds_odd(value: Any) -> bool:
    """Values whose equality in Python is not MongoDB's."""
    return _any_inside(value, lambda each: isinstance(each, bool | Decimal128))


def _is_order_around_nan(at: Condition) -> bool:
    return at.operator in ORDERING and any(map(_holds_nan, [at.operand, *at.values()]))


def _is_elements_of_other_types(at: Condition) -> bool:
    return (
        at.operator == "$elemMatch"
        and not of_values(at.operand)
        and not all(isinstance(element, dict) for element in _elements(at))
    )


# --- montydb ----------------------------------------------------------------------------------------------------------

MONTYDB: Final[dict[str, Difference]] = {
    "all-elements": Difference(
        "$all of $elemMatch is the $and of them",
        lambda at: at.operator == "$all" and any(map(holds_operators, at.operand)),
        {"a": {"$all": [{"$elemMatch": {"$gt": 1}}]}},
        {"a": [2]},
        True,
    ),
    "all-of-none": Difference(
        "$all of nothing matches nothing",
        lambda at: at.operator == "$all" and not at.operand,
        {"a": {"$all": []}},
        {},
        False,
    ),
    "all-null": Difference(
        "$all is the $and of equalities, so null matches a missing field",
        lambda at: at.operator == "$all" and None in at.operand,
        {"a": {"$all": [None]}},
        {},
        True,
    ),
    "all-equality": Difference(
        "$all is equality: true is not 1, fields have an order",
        lambda at: at.operator == "$all" and _by_pythons_equality(at),
        {"a": {"$all": [1]}},
        {"a": True},
        False,
    ),
    "elements-as-values": Difference(
        "$elemMatch with operators holds for an element as it is (montydb also looks into it, and may fail)",
        lambda at: at.operator == "$elemMatch" and of_values(at.operand),
        {"a": {"$elemMatch": {"$size": 1}}},
        {"a": [2]},
        False,
    ),
    "elements-of-other-types": Difference(
        "$elemMatch with a query looks at elements that are documents (or arrays) alone",
        _is_elements_of_other_types,
        {"a": {"$elemMatch": {"b": {"$exists": False}}}},
        {"a": [1]},
        False,
    ),
    "equality-inside": Difference(
        "true is not 1, in arrays and documents too",
        lambda at: any(isinstance(value, list | dict) for value in at.values()) and _by_pythons_equality(at),
        {"a": [1]},
        {"a": [True]},
        False,
    ),
    "mod-floats": Difference(
        "$mod truncates both numbers to integers of 64 bits before it divides",
        lambda at: at.operator == "$mod" and any(isinstance(each, float | Decimal128) for each in _numbers(at)),
        {"a": {"$mod": [2.0, 0]}},
        {"a": Int64(2**53 + 1)},
        False,
    ),
    "mod-sign": Difference(
        "$mod's remainder has the sign of the dividend, as in C",
        lambda at: at.operator == "$mod" and any(map(_is_negative, _numbers(at))),
        {"a": {"$mod": [3, -2]}},
        {"a": -5},
        True,
    ),
    "nan-equality": Difference(
        "NaN equals NaN, Decimal128's too",
        lambda at: at.operator in EQUALITY and _holds_nan(at.operand) and any(map(_holds_nan, at.values())),
        {"a": {"$in": [0, NAN]}},
        {"a": Decimal128("NaN")},
        True,
    ),
    "nan-inside": Difference(
        "NaN is the lowest number inside documents and arrays, too",
        _is_order_around_nan,
        {"a": {"$gte": [NAN]}},
        {"a": [1.0]},
        True,
    ),
    "not-regex": Difference(
        "$not takes $regex since 4.0.7",
        lambda at: at.operator == "$not" and isinstance(at.operand, dict) and "$regex" in at.operand,
        {"a": {"$not": {"$regex": "b"}}},
        {},
        True,
    ),
    "order-of-null": Difference(
        "$gte and $lte of null match null and missing, as equality does",
        _is_order_of_null,
        {"a": {"$gte": None}},
        {},
        True,
    ),
    "type-number": Difference(
        '$type knows the alias "number"',
        lambda at: at.operator == "$type" and at.operand == "number",
        {"a": {"$type": "number"}},
        {"a": 1},
        True,
    ),
}


def _numbers(at: Condition) -> Iterator[Any]:
    """Of a `$mod`: divisor, remainder and what is divided."""
    yield from at.operand
    yield from at.values()


# --- mongomock-ng -----------------------------------------------------------------------------------------------------

MONGOMOCK: Final[dict[str, Difference]] = {
    "all-of-none": Difference(
        "$all of nothing matches nothing",
        lambda at: at.operator == "$all" and not at.operand,
        {"a": {"$all": []}},
        {},
        False,
    ),
    "all-of-these": Difference(
        "$all is the $and of equalities and $elemMatch, for whole arrays and null, too",
        lambda at: at.operator == "$all" and any(each is None or isinstance(each, list | dict) for each in at.operand),
        {"a": {"$all": [[1, 2]]}},
        {"a": [1, 2]},
        True,
    ),
    "arrays-in-arrays": Difference(
        "an array is compared with arrays that are elements, too",
        lambda at: (
            at.operator in ORDERING | {"$eq", "$ne"}
            and isinstance(at.operand, list)
            and any(isinstance(element, list) for element in _elements(at))
        ),
        {"a": {"$eq": []}},
        {"a": [[]]},
        True,
    ),
    "dead-end": Difference(
        "a path that meets a scalar reaches a missing field",
        lambda at: any(not isinstance(value, list) for value in at.crossed) and _may_hold_for_missing(at),
        {"a.b": None},
        {"a": 1},
        True,
    ),
    "elements-of-arrays": Difference(
        "$elemMatch with operators holds for an element as it is, an array too",
        lambda at: at.operator == "$elemMatch" and any(isinstance(element, list) for element in _elements(at)),
        {"a": {"$elemMatch": {"$eq": 1}}},
        {"a": [[1]]},
        False,
    ),
    "elements-of-other-types": Difference(
        "$elemMatch with a query looks at elements that are documents (or arrays) alone",
        _is_elements_of_other_types,
        {"a": {"$elemMatch": {"$nor": [{"b": 1}]}}},
        {"a": [None]},
        False,
    ),
    "empty-document": Difference(
        "{} is a value like any other document",
        lambda at: at.plain and at.operand == {},
        {"a": {}},
        {},
        False,
    ),
    "equality": Difference(
        "true is not 1, Decimal128 is a number, fields have an order",
        _by_pythons_equality,
        {"a": 1},
        {"a": True},
        False,
    ),
    "in-arrays": Difference(
        "$in of an array is equal to that array, not to a scalar like its element",
        lambda at: at.operator in {"$in", "$nin"} and any(isinstance(each, list) for each in at.operand),
        {"a": {"$nin": [[True]]}},
        {"a": 1.0},
        True,
    ),
    "not-in-elements": Difference(
        "$elemMatch takes $not like any other operator",
        lambda at: at.operator == "$elemMatch" and next(iter(at.operand), "") == "$not",
        {"a": {"$elemMatch": {"$not": {"$lt": 1}}}},
        {"a": [0]},
        False,
    ),
    "mod": Difference(
        "$mod is an operator",
        lambda at: at.operator == "$mod",
        {"a": {"$mod": [2, 0]}},
        {"a": 2},
        True,
    ),
    "nan-inside": Difference(
        "NaN is the lowest number inside documents and arrays, too",
        _is_order_around_nan,
        {"a": {"$gte": [NAN]}},
        {"a": [1.0]},
        True,
    ),
    "order-of-null": Difference(
        "$gte and $lte of null match null and missing, as equality does",
        _is_order_of_null,
        {"a": {"$gte": None}},
        {},
        True,
    ),
    "order-inside": Difference(
        "elements of arrays and fields of documents compare by type first, 1 and true as well",
        lambda at: (
            at.operator in ORDERING
            and isinstance(at.operand, list | dict)
            and any(map(_holds_odd, [at.operand, *at.values()]))
        ),
        {"a": {"$lt": [True]}},
        {"a": [1, 2]},
        True,
    ),
    "path-through-array": Difference(
        "a path goes on from the documents in an array, and a number from the element there and from no other",
        lambda at: (
            any(isinstance(value, list) for value in at.crossed)
            and (_may_hold_for_missing(at) or any(part.isdecimal() for part in at.path.split(".")))
        ),
        {"a.b": None},
        {"a": [2]},
        False,
    ),
    "size": Difference(
        "$size is for arrays",
        lambda at: at.operator == "$size" and any(_has_other_size(value, at.operand) for value in at.reached),
        {"a": {"$size": 1}},
        {"a": "x"},
        False,
    ),
    "type": Difference(
        "$type knows types by number, and tells int from long by the type",
        lambda at: at.operator == "$type" and (isinstance(at.operand, int) or at.operand in {"int", "long"}),
        {"a": {"$type": 2}},
        {},
        False,
    ),
}

RIVALS: Final[dict[str, tuple[Callable[[Document, Document], Answer], dict[str, Difference]]]] = {
    "mongomock-ng": (mongomock, MONGOMOCK),
    "montydb": (montydb, MONTYDB),
}
