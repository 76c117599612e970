"""The values that a document has in an index: one row for each element of an array on the way.

The rules are MongoDB's (manual, "Multikey Indexes"), as its index key generation has them:

===============================  =====================================================================================
document, at the field           what is indexed
===============================  =====================================================================================
a value                          it
nothing                          MISSING, which has the key of null
an array                         each element; an array in it is one element, as a whole
an empty array                   EMPTY, which is no value: below null, so that a query for null does not find it
an array on the way              each element that is a document goes on; for each other one the rest is MISSING
an array, next part a number     the element of that position, and such fields of the elements that are documents
===============================  =====================================================================================

Fields below one array go through it together: `{"a": [{"b": 1, "c": 2}, {"b": 3}]}` has the rows (1, 2) and
(3, MISSING) in the index on a.b and a.c. Two arrays side by side would multiply, and are refused, as MongoDB does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from laura_fast.domain.documents.kinds import MISSING
from laura_fast.domain.documents.paths import is_position
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import indexes as limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Empty:
    """The type of `EMPTY`: what an array without elements is indexed as."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "EMPTY"


EMPTY: Final = Empty()
Row: TypeAlias = dict[int, Any]
"""The value, MISSING or EMPTY of each field, by its position in the index."""


class Rows(NamedTuple):
    """What a document has in an index.

    Attributes:
        rows: At least one.
        arrays: A bit for each field (1 << position) that was reached through an array.
    """

    rows: list[Row]
    arrays: int


@dataclass(slots=True)
class Branch:
    """A part of a path, with the fields of the index that end here or go on from here.

    Attributes:
        path: From the document to here, for messages.
        own: Position of the field that ends here, or None.
        names: Parts that follow; those that are numbers stand in `numbers`, too.
        numbers: Parts that are positions in an array.
        mask: A bit for each field here and below.
    """

    path: str
    own: int | None = None
    names: dict[str, Branch] = field(default_factory=dict)
    numbers: dict[str, Branch] = field(default_factory=dict)
    mask: int = 0


def has_position(path: str) -> bool:
    """Whether a part of the path may be a position in an array: the first is a field of the document."""
    return any(map(is_position, path.split(".")[1:]))


def branches(paths: Sequence[str]) -> Branch:
    """The paths of an index as a tree, shared beginnings joined: fields below one array must go through it together."""
    root = Branch("")
    for position, path in enumerate(paths):
        branch = root
        branch.mask |= 1 << position
        for part in path.split("."):
            branch = _below(branch, part)
            branch.mask |= 1 << position
        branch.own = position
    return root


def extract(root: Branch, document: dict[str, Any]) -> Rows:
    """The rows of a document.

    Raises:
        InvalidArgumentError: CANNOT_INDEX: two arrays side by side, or more rows than one document may have.
    """
    walk = _Walk()
    return Rows(walk.document(root, document).rows, walk.arrays)


class _Found(NamedTuple):
    """Rows of a branch, and the path of an array that made them; empty where there was none."""

    rows: list[Row]
    array: str = ""


class _Walk:
    """One document on its way through the tree."""

    __slots__ = ("arrays",)

    def __init__(self) -> None:
        self.arrays = 0

    def document(self, branch: Branch, document: dict[str, Any]) -> _Found:
        """The rows of what is below: each field's with each other's, of which one alone may be many."""
        return _side_by_side([self._value(below, document.get(part, MISSING)) for part, below in branch.names.items()])

    def _value(self, branch: Branch, value: Any) -> _Found:
        if isinstance(value, list):
            return self._array(branch, value)
        return self._element(branch, branch.names, value)

    def _element(self, branch: Branch, names: Mapping[str, Branch], value: Any) -> _Found:
        """A value that is not gone through if it is an array, but taken as a whole."""
        inside = value if isinstance(value, dict) else {}
        found = _side_by_side([self._value(below, inside.get(part, MISSING)) for part, below in names.items()])
        if branch.own is not None:
            for row in found.rows:
                row[branch.own] = value
        return found

    def _array(self, branch: Branch, array: Sequence[Any]) -> _Found:
        self.arrays |= branch.mask
        names = {part: below for part, below in branch.names.items() if part not in branch.numbers}
        founds = [self._at_position(int(part), part, below, array) for part, below in branch.numbers.items()]
        if names or branch.own is not None:
            elements = array or (EMPTY,)
            rows = _bounded(row for element in elements for row in self._element(branch, names, element).rows)
            founds.append(_Found(rows, branch.path))
        return _side_by_side(founds)

    def _at_position(self, position: int, part: str, below: Branch, array: Sequence[Any]) -> _Found:
        """A path `a.0` means the first element of an array, and the field "0" of each element, too."""
        found = self._value(below, array[position] if position < len(array) else MISSING)
        fields = [element[part] for element in array if isinstance(element, dict) and part in element]
        if not fields:
            return found
        rows = [row for value in fields for row in self._value(below, value).rows]
        return _Found(_bounded(found.rows + rows), below.path)


def _below(branch: Branch, part: str) -> Branch:
    if part not in branch.names:
        branch.names[part] = Branch(f"{branch.path}.{part}" if branch.path else part)
        if is_position(part):
            branch.numbers[part] = branch.names[part]
    return branch.names[part]


def _side_by_side(founds: Sequence[_Found]) -> _Found:
    arrays = [found.array for found in founds if found.array]
    if len(arrays) > 1:
        raise _refusal(f'cannot index parallel arrays: both "{arrays[0]}" and "{arrays[1]}" are arrays')
    rows: list[Row] = [{}]
    for found in founds:
        rows = [{**row, **more} for row in rows for more in found.rows]
    return _Found(rows, arrays[0] if arrays else "")


def _bounded(rows: Iterable[Row]) -> list[Row]:
    bounded: list[Row] = []
    for row in rows:
        bounded.append(row)
        if len(bounded) > limits.MAX_INDEX_KEYS:
            raise _refusal(f"the document would have more than {limits.MAX_INDEX_KEYS} entries")
    return bounded


def _refusal(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(message, "CANNOT_INDEX")
