"""Random updates of random documents, and what two independent implementations of MongoDB's semantics make of them.

Each has gaps. A difference that is not one of `KNOWN` is a fault, here or there; MongoDB's manual decides, and what it
says stands beside each known one.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import bson
import mongomock_ng
import montydb
from bson.int64 import Int64
from bson.timestamp import Timestamp

from laura_fast.domain.documents.keys import encode_value
from laura_fast.domain.documents.updates import compile_update
from laura_fast.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

NAMES: Final = ("a", "b", "c", "d")
PARTS: Final = ("a", "b", "c", "0", "1", "2")
NOW: Final = Timestamp(1_700_000_000, 1)


@dataclass(frozen=True)
class Case:
    """An update and the document that it is for."""

    document: dict[str, Any]
    update: dict[str, Any]

    def clauses(self) -> Iterator[tuple[str, str, Any]]:
        for operator, paths in self.update.items():
            for path, operand in paths.items():
                yield operator, path, operand


@dataclass(frozen=True)
class Answer:
    """The document after the update, or why there is none; a crash is a Python error of the implementation itself."""

    document: dict[str, Any] | None
    fault: str = ""
    crashed: bool = False


Explains: TypeAlias = Callable[[Case, Answer, Answer], bool]
"""Whether a difference comes from a certain gap: the case, our answer and the oracle's."""


@dataclass(frozen=True)
class Difference:
    """A known difference from one oracle (all, where it is empty), and MongoDB's rule that decides it."""

    name: str
    rule: str
    oracle: str
    explains: Explains


def value(rng: Random, depth: int = 2) -> Any:
    """Values that are often equal, nearly equal, or of neighbouring types."""
    kind = rng.randrange(9 if depth else 6)
    if kind == 0:
        return rng.choice([0.5, 1.0, 2.0, -3.25])
    if kind == 1:
        return rng.choice(["x", "y", "", "xy"])
    if kind == 2:
        return rng.choice([None, True, False, Int64(1), Int64(2**40)])
    if kind == 6:
        return {rng.choice(NAMES[:3]): value(rng, depth - 1) for _ in range(rng.randrange(3))}
    if kind > 6:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return rng.choice([0, 1, 2, -1, 5, 2**31 - 1])


def document(rng: Random) -> dict[str, Any]:
    return {"_id": 1, **{name: value(rng, 3) for name in rng.sample(NAMES, rng.randrange(5))}}


def case(rng: Random) -> Case:
    """A document and an update of one to three clauses, most of which fit what is there."""
    before = document(rng)
    update: dict[str, Any] = {}
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        path, there = _path(rng, before)
        fitting = _FITTING.get(type(there), _FOR_ANY) if rng.random() < 0.9 else sorted(_OPERANDS)
        operator = rng.choice(fitting)
        update.setdefault(operator, {})[path] = _OPERANDS[operator](rng)
    return Case(before, update)


def _path(rng: Random, before: dict[str, Any]) -> tuple[str, Any]:
    """Down into the document, and now and then beyond it; with what is there."""
    parts = [rng.choice([*before, *NAMES][1:])]
    place = before.get(parts[0])
    while isinstance(place, dict | list) and place and rng.random() < 0.6:
        keys = [str(at) for at in range(len(place))] if isinstance(place, list) else list(place)
        parts.append(rng.choice(keys))
        place = place[int(parts[-1])] if isinstance(place, list) else place[parts[-1]]
    if rng.random() < 0.1:
        parts.append(rng.choice(PARTS))
    return ".".join(parts), place


def _number(rng: Random) -> Any:
    return rng.choice([1, 2, -1, 0, 0.5, Int64(2), 2**31 - 1])


def _push(rng: Random) -> Any:
    if rng.random() < 0.4:
        return value(rng)
    operand: dict[str, Any] = {"$each": [value(rng, 1) for _ in range(rng.randrange(4))]}
    if rng.random() < 0.4:
        operand["$position"] = rng.randrange(-2, 4)
    if rng.random() < 0.4:
        operand["$slice"] = rng.randrange(-3, 4)
    if rng.random() < 0.3:
        operand["$sort"] = rng.choice([1, -1, {"a": 1}, {"a": -1, "b": 1}])
    return operand


def _pull(rng: Random) -> Any:
    conditions = [{"$gte": 1}, {"$in": [1, "x"]}, {"a": 1}, {"a": {"$gt": 0}}, {"$ne": 1}]
    return rng.choice([value(rng, 1), rng.choice(conditions)])


_OPERANDS: Final[dict[str, Callable[[Random], Any]]] = {
    "$set": value,
    "$unset": lambda _rng: "",
    "$inc": _number,
    "$mul": _number,
    "$min": value,
    "$max": value,
    "$push": _push,
    "$addToSet": lambda rng: value(rng) if rng.random() < 0.6 else {"$each": [value(rng, 1) for _ in range(3)]},
    "$pop": lambda rng: rng.choice([1, -1]),
    "$pull": _pull,
    "$pullAll": lambda rng: [value(rng, 1) for _ in range(rng.randrange(3))],
    "$rename": lambda rng: rng.choice([*NAMES[:2], "a.b", "e", "e", "e.f", "e.g"]),
    "$bit": lambda rng: {rng.choice(["and", "or", "xor"]): rng.randrange(8)},
}
_FOR_ANY: Final = ["$set", "$unset", "$min", "$max", "$rename"]
_FOR_NUMBERS: Final = [*_FOR_ANY, "$inc", "$mul", "$bit"]
_FITTING: Final = {
    int: _FOR_NUMBERS,
    Int64: _FOR_NUMBERS,
    float: [*_FOR_ANY, "$inc", "$mul"],
    list: [*_FOR_ANY, "$push", "$push", "$addToSet", "$pop", "$pull", "$pullAll"],
    type(None): sorted(_OPERANDS),
}


def ours(asked: Case) -> Answer:
    try:
        return Answer(compile_update(asked.update).apply(asked.document, 0, NOW).document)
    except InvalidArgumentError as error:
        return Answer(None, error.message)


class Oracle:
    """A collection of another implementation, for one document at a time."""

    def __init__(self, name: str, collection: Any) -> None:
        self.name = name
        self._collection = collection

    def answer(self, asked: Case) -> Answer:
        self._collection.delete_many({})
        self._collection.insert_one(copy.deepcopy(asked.document))
        try:
            self._collection.update_one({"_id": 1}, copy.deepcopy(asked.update))
            return Answer(self._collection.find_one({"_id": 1}))
        except _CRASHES as error:
            return Answer(None, repr(error), crashed=True)
        except Exception as error:  # noqa: BLE001 - each has an exception tree of its own
            return Answer(None, repr(error))


_CRASHES: Final = (TypeError, AttributeError, LookupError, ValueError, StopIteration, NotImplementedError)


@cache
def oracles() -> list[Oracle]:
    """Both, once: montydb refuses to be set up twice in a process unless it is told to use BSON."""
    montydb.set_storage(":memory:", storage="memory", use_bson=True)
    return [
        Oracle("mongomock", mongomock_ng.MongoClient().db.c),
        Oracle("montydb", montydb.MontyClient(":memory:").db.c),
    ]


def judge(asked: Case, oracle: Oracle) -> str:
    """What came of comparing: "same", "both refuse" or the name of a known difference.

    Raises:
        AssertionError: Something else came of it.
    """
    mine, theirs = ours(asked), oracle.answer(asked)
    if mine.document is None and theirs.document is None:
        return "both refuse"
    if mine.document is not None and theirs.document is not None and _bytes(mine) == _bytes(theirs):
        return "same"
    for known in KNOWN:
        if known.oracle in {"", oracle.name} and known.explains(asked, mine, theirs):
            return known.name
    raise AssertionError(f"{oracle.name} differs\n{asked}\nours   {mine}\ntheirs {theirs}")


def compare_many(rng: Random, count: int) -> Counter[tuple[str, str]]:
    """How many of `count` random cases ended in which way, by oracle."""
    asked_of = oracles()
    found: Counter[tuple[str, str]] = Counter()
    for _ in range(count):
        asked = case(rng)
        found.update((oracle.name, judge(asked, oracle)) for oracle in asked_of)
    return found


def _bytes(answer: Answer) -> bytes:
    return bson.encode({"": answer.document})


def _unordered(given: Any) -> Any:
    """Values without their number types and the order of their fields."""
    if isinstance(given, dict):
        return {name: _unordered(inner) for name, inner in given.items()}
    if isinstance(given, list):
        return [_unordered(inner) for inner in given]
    return encode_value(given)


def _equal_numbers(_asked: Case, mine: Answer, theirs: Answer) -> bool:
    return encode_value(mine.document) == encode_value(theirs.document)


def _equal_fields(_asked: Case, mine: Answer, theirs: Answer) -> bool:
    return None not in (mine.document, theirs.document) and _unordered(mine.document) == _unordered(theirs.document)


def _crash(_asked: Case, _mine: Answer, theirs: Answer) -> bool:
    return theirs.crashed


def _refused_for(*words: str) -> Explains:
    return lambda _asked, mine, _theirs: any(word in mine.fault for word in words)


def _with(*operators: str) -> Explains:
    return lambda asked, _mine, _theirs: any(operator in operators for operator, _, _ in asked.clauses())


def _with_element(*operators: str) -> Explains:
    """One of the operators on a path that goes through an array, or might."""
    return lambda asked, _mine, _theirs: any(
        operator in operators and any(part.isdigit() for part in path.split("."))
        for operator, path, _ in asked.clauses()
    )


def _with_sorted_push(asked: Case, _mine: Answer, _theirs: Answer) -> bool:
    return any(isinstance(operand, dict) and "$sort" in operand for _, _, operand in asked.clauses())


def _with_empty_document(asked: Case, _mine: Answer, _theirs: Answer) -> bool:
    return any(operator in {"$set", "$min", "$max"} and operand == {} for operator, _, operand in asked.clauses())


def _python_equal(_asked: Case, mine: Answer, theirs: Answer) -> bool:
    return mine.document == theirs.document


def _with_bool(asked: Case, _mine: Answer, _theirs: Answer) -> bool:
    told = repr(asked)
    return ("True" in told or "False" in told) and any(operator in _BY_EQUALITY for operator, _, _ in asked.clauses())


_BY_EQUALITY: Final = {"$pull", "$pullAll", "$addToSet"}
KNOWN: Final = (
    Difference("crash", "a Python error is no answer", "", _crash),
    Difference("number types", "$inc, $mul: the result has the type that its operands give it", "", _equal_numbers),
    Difference("field order", "$set: new fields come in lexicographic order since 5.0", "", _equal_fields),
    Difference("true is not 1", "$set, $addToSet, $pull: a bool equals no number", "", _python_equal),
    Difference("true is not 1", "$addToSet, $pull, $pullAll: a bool equals no number", "", _with_bool),
    Difference(
        "conflicts", "two operators on one path, or one path in another's, are refused", "", _refused_for("conflict")
    ),
    Difference(
        "barred paths",
        "no field is made in a value that is no document",
        "mongomock",
        _refused_for("is of type", "is an array"),
    ),
    Difference("barred paths", "$rename: nor looked for in one", "montydb", _refused_for("$rename")),
    Difference(
        "no arrays", "$push, $pop, $pull, $pullAll: the field must be an array", "mongomock", _refused_for("no array")
    ),
    Difference("no numbers", "$inc, $mul, $bit: a bool is no number", "mongomock", _refused_for("type bool")),
    Difference(
        "elements of arrays",
        "a number in a path is a position in an array",
        "mongomock",
        _with_element("$unset", "$min", "$max", "$pop", "$pull", "$pullAll", "$rename", "$bit"),
    ),
    Difference("smaller and greater", "$min, $max: the order of all types", "", _with("$min", "$max")),
    Difference("sorted", "$push with $sort: the order of all types", "", _with_sorted_push),
    Difference("equal elements", "$addToSet: 1 and 1.0 are equal; $each adds each once", "", _with("$addToSet")),
    Difference("made in vain", "nothing happens where nothing is", "mongomock", _with("$pullAll")),
    Difference("no $bit", "$bit", "montydb", _with("$bit")),
    Difference("lost {}", "$set: an empty document is a value", "montydb", _with_empty_document),
    Difference("made in vain", "the same", "montydb", _with("$unset", "$pop", "$pull", "$pullAll")),
)
