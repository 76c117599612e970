"""`$rename`: a value taken from one path before anything is changed, and put at another in that path's turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents.kinds import MISSING, type_name
from laura_fast.domain.documents.updates.faults import invalid, refused
from laura_fast.domain.documents.updates.paths import split_path
from laura_fast.domain.documents.updates.tree import Leaf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from laura_fast.domain.documents.updates.tree import Run


@dataclass(frozen=True, slots=True)
class Rename:
    """From where to where; neither may lead through an array (MongoDB manual, "$rename")."""

    source: tuple[str, ...]
    target: tuple[str, ...]

    @classmethod
    def parse(cls, path: str, target: Any) -> Rename:
        """Checks both paths."""
        if type(target) is not str:  # JavaScript code is a str, too
            raise invalid(f"$rename of {path!r} takes a path, not a value of type {type_name(target)}")
        return cls(split_path("$rename", path), split_path("$rename", target))

    def take(self, document: Mapping[str, Any]) -> Any:
        """The value to move; MISSING where there is none, and nothing to do.

        Raises:
            InvalidArgumentError: An array is on the way to either end, or a scalar on the way to the source.
        """
        holder = _holder(document, self.source, self.source)
        if holder is MISSING:
            return MISSING
        if not isinstance(holder, dict):
            raise _blocked(self.source, self.source[:-1], holder)
        value = holder.get(self.source[-1], MISSING)
        if value is not MISSING and isinstance(above := _holder(document, self.target, self.source), list):
            raise _blocked(self.source, self.target[:-1], above)
        return value


class Destination(Leaf):
    """The far end of the rename with this number. A way that can't be followed matters only if there is a value."""

    __slots__ = ("_number",)

    def __init__(self, path: str, number: int) -> None:
        super().__init__("$rename", path, self._put)
        self._number = number

    def demanding(self, run: Run) -> Iterable[Leaf]:
        return () if run.moved[self._number] is MISSING else (self,)

    def _put(self, old: Any, run: Run) -> Any:
        moved = run.moved[self._number]
        return old if moved is MISSING else moved


def _holder(document: Mapping[str, Any], parts: Sequence[str], source: Sequence[str]) -> Any:
    """What is at a path without its last part; MISSING where nothing is."""
    value: Any = document
    for depth, part in enumerate(parts[:-1]):
        if isinstance(value, list):
            raise _blocked(source, parts[:depth], value)
        if not isinstance(value, dict):
            return value
        value = value.get(part, MISSING)
    return value


def _blocked(source: Sequence[str], parts: Sequence[str], value: Any) -> Exception:
    return refused(f"$rename of {'.'.join(source)!r}: {'.'.join(parts)!r} is of type {type_name(value)}")
