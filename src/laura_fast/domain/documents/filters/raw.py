"""What the bytes of a document must contain if a filter is to match it: most need not be decoded to be passed over.

A search for bytes is much faster than decoding (`bench/test_documents.py`). It may find what it looks for in another
place of the document, so it only ever rules out.
"""

from __future__ import annotations

import math
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from bson.objectid import ObjectId

from laura_fast.domain.documents.filters.patterns import contained_text
from laura_fast.domain.documents.filters.tree import (
    All,
    And,
    Compare,
    ElementMatch,
    Exists,
    In,
    Matches,
    Node,
    Operator,
    Or,
)
from laura_fast.domain.documents.kinds import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_pack_int32 = Struct("<i").pack
_pack_int64 = Struct("<q").pack
_pack_double = Struct("<d").pack
_MAX_SEARCHES = 4
"""More of them take longer than decoding a small document."""


_NO_NAME = b"\0"
_FIRST_NAME = 5
"""Where the first name may stand, behind the length, whose bytes may look like one, and the type."""


class _Clue(NamedTuple):
    """What shows that a document can't match.

    Attributes:
        searches: How many times the whole document is searched.
        length: Of what is searched for; the longer, the rarer.
        lacks: Whether none of it is there.
    """

    searches: int
    length: int
    lacks: Callable[[bytes], bool]


def ruled_out(node: Node) -> Callable[[bytes], bool] | None:
    """Whether a document's BSON shows that the tree can't hold for it; None where no search can tell."""
    clues = sorted(_clues(node), key=lambda clue: (clue.searches, -clue.length))
    if len(clues) <= 1:
        return clues[0].lacks if clues else None
    tests = [clue.lacks for clue in clues[:_MAX_SEARCHES]]

    def lacks_any(data: bytes) -> bool:
        for lacks in tests:  # noqa: SIM110 - any() with a generator takes twice as long
            if lacks(data):
                return True
        return False

    return lacks_any


def _clues(node: Node) -> list[_Clue]:
    match node:
        case And(nodes) | All(nodes=nodes):
            return [clue for each in nodes for clue in _clues(each)]
        case Or(nodes):
            return _of_alternatives([_clues(each) for each in nodes])
        case ElementMatch(inner=inner):
            return _clues(inner)
        case _:
            return _of_condition(node)


def _of_alternatives(alternatives: list[list[_Clue]]) -> list[_Clue]:
    """All must lack their best, if each has any."""
    if not all(alternatives):
        return []
    best = [min(clues, key=lambda clue: (clue.searches, -clue.length)) for clues in alternatives]
    searches, tests = sum(clue.searches for clue in best), [clue.lacks for clue in best]
    if searches > _MAX_SEARCHES:
        return []
    return [_Clue(searches, min(clue.length for clue in best), lambda data: all(lacks(data) for lacks in tests))]


def _of_condition(node: Node) -> list[_Clue]:
    match node:
        case Compare(path, Operator.EQ, int() | float() as operand) if type(operand) is not bool:
            return _of_number(_name(path), operand)
        case Compare(_, Operator.EQ, operand):
            return _of_values([operand])
        case In(values=values, patterns=()):
            return _of_values(values)
        case Matches(pattern=pattern) if text := contained_text(pattern):
            return _of_pieces([text.encode()])
        case Exists(path, wanted=True):
            return _of_pieces([_name(path)])
        case _:
            return []


def _name(path: str) -> bytes:
    """As BSON has the path's last name, which is a position's in an array, too."""
    return path.rpartition(".")[2].encode() + b"\0"


def _of_pieces(pieces: list[bytes]) -> list[_Clue]:
    if not pieces or len(pieces) > _MAX_SEARCHES:
        return []
    if len(pieces) == 1:
        (piece,) = pieces
        return [_Clue(1, len(piece), lambda data: piece not in data)]
    shortest = min(map(len, pieces))
    return [_Clue(len(pieces), shortest, lambda data: all(piece not in data for piece in pieces))]


def _of_values(values: Iterable[Any]) -> list[_Clue]:
    """BSON has one form for a string or an ObjectId, wherever it stands."""
    pieces = []
    for value in values:
        if type(value) is str:
            text = value.encode()
            pieces.append(_pack_int32(len(text) + 1) + text + b"\0")
        elif type(value) is ObjectId:
            pieces.append(value.binary)
        else:
            return []
    return _of_pieces(pieces)


def _of_number(name: bytes, operand: float) -> list[_Clue]:
    """A field of the name that is equal in one of the types, or whose value may hold anything: decimal, array.

    Not without a name: `$elemMatch` has none for elements, whose name in BSON is their position.
    """
    if operand == 0 or not math.isfinite(operand) or name == _NO_NAME:
        return []
    forms = (b"\x13" + name, b"\x04" + name, *_fields(name, operand))

    def lacks(data: bytes) -> bool:
        at = data.find(name, _FIRST_NAME)
        while at > 0:
            if data.startswith(forms, at - 1):
                return False
            at = data.find(name, at + 1)
        return True

    return [_Clue(1, len(name), lacks)]


def _fields(name: bytes, number: float) -> Iterable[bytes]:
    """BSON of a field with the number, in each type that holds it exactly."""
    if number == float(number):
        yield b"\x01" + name + _pack_double(number)
    if number == int(number) and INT64_MIN <= number <= INT64_MAX:
        yield b"\x12" + name + _pack_int64(int(number))
    if number == int(number) and INT32_MIN <= number <= INT32_MAX:
        yield b"\x10" + name + _pack_int32(int(number))
