"""The compiled form of an update: a tree of paths with an operator at each leaf, walked once per document.

Children are in MongoDB's order (lexicographic, indexes by number), which is the order in which new fields appear.
A walk copies the containers it changes and shares everything else with the document it began with. A node answers
with the value it was given, itself, to say that nothing changes, and with `MISSING` for no field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from laura_fast.domain.documents.kinds import MISSING, type_name
from laura_fast.domain.documents.updates.faults import refused
from laura_fast.limits import documents as limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bson.timestamp import Timestamp

    Apply = Callable[[Any, "Run"], Any]


@dataclass(slots=True)
class Run:
    """One application of an update to one document.

    Attributes:
        now_ms: What `$currentDate` calls now, in milliseconds since 1970.
        timestamp: What it calls now as a timestamp.
        moved: The value of each `$rename`'s source; MISSING where it has none.
        padding_left: Nulls that arrays may still be padded with.
        changes: What changed, at the highest path that was created, in order.
    """

    now_ms: int
    timestamp: Timestamp
    moved: tuple[Any, ...] = ()
    padding_left: int = limits.MAX_ARRAY_PADDING
    changes: list[Change] = field(default_factory=list)


class Change(NamedTuple):
    """One changed field or element.

    Attributes:
        node: Where.
        old: The value before; MISSING where there was none.
        new: The value now; MISSING where it is gone.
        of_field: In a document; else in an array.
    """

    node: Node
    old: Any
    new: Any
    of_field: bool


class Leaf:
    """An operator at its path.

    Attributes:
        operator: Its name, for messages.
        path: The whole dotted path.
        apply: From the value there and the run to the new value; raises `InvalidArgumentError` where it can't.
        appends: It only ever puts elements behind those of an array.
        undemanding: A path that leads through a scalar is no error for it.
    """

    __slots__ = ("appends", "apply", "operator", "path", "undemanding")

    def __init__(
        self,
        operator: str,
        path: str,
        apply: Apply,
        *,
        appends: bool = False,
        undemanding: bool = False,
    ) -> None:
        self.operator = operator
        self.path = path
        self.apply = apply
        self.appends = appends
        self.undemanding = undemanding

    def reports(self, _old: Any) -> bool:
        """Whether a change of this node is its own, and not reported by nodes below."""
        return True

    def demanding(self, _run: Run) -> Iterable[Leaf]:
        """Leaves for which a path that can't be followed is an error."""
        return () if self.undemanding else (self,)


class Branch:
    """What happens below a path."""

    __slots__ = ("children", "path")
    appends = False

    def __init__(self, path: str, children: tuple[tuple[str, int | None, Node], ...]) -> None:
        self.path = path
        self.children = children

    def reports(self, old: Any) -> bool:
        return old is MISSING

    def demanding(self, run: Run) -> Iterable[Leaf]:
        return (leaf for _, _, node in self.children for leaf in node.demanding(run))

    def apply(self, old: Any, run: Run) -> Any:
        if old is MISSING:
            return self._create(run)
        if isinstance(old, dict):
            return self.in_document(old, run)
        if isinstance(old, list):
            return self._in_array(old, run)
        if culprit := next(iter(self.demanding(run)), None):
            raise refused(f"{culprit.operator} of {culprit.path!r}: {self.path!r} is of type {type_name(old)}")
        return old

    def in_document(self, document: dict[str, Any], run: Run) -> dict[str, Any]:
        """The document after the update; itself where nothing changes."""
        result = document
        for part, _, node in self.children:
            old = document.get(part, MISSING)
            new = node.apply(old, run)
            if new is old:
                continue
            if result is document:
                result = dict(document)
            if new is MISSING:
                del result[part]
            else:
                result[part] = new
            if node.reports(old):
                run.changes.append(Change(node, old, new, of_field=True))
        return result

    def _create(self, run: Run) -> Any:
        made = {}
        for part, _, node in self.children:
            new = node.apply(MISSING, run)
            if new is not MISSING:
                made[part] = new
        return made or MISSING

    def _in_array(self, array: list[Any], run: Run) -> list[Any]:
        result = array
        for part, index, node in self.children:
            if index is None:
                self._no_element(part, node, run)
                continue
            old = result[index] if index < len(result) else MISSING
            new = node.apply(old, run)
            if new is MISSING and old is not MISSING:
                new = None  # $unset keeps the other elements where they are
            if new is old:
                continue
            if result is array:
                result = list(array)
            self._put(result, index, new, run)
            if node.reports(old):
                run.changes.append(Change(node, old, new, of_field=False))
        return result

    def _put(self, array: list[Any], index: int, value: Any, run: Run) -> None:
        if index < len(array):
            array[index] = value
            return
        missing = index - len(array)
        run.padding_left -= missing
        if run.padding_left < 0:
            raise refused(
                f"element {index} of {self.path!r} is too far behind the last: "
                f"an update pads arrays with at most {limits.MAX_ARRAY_PADDING} nulls"
            )
        array.extend([None] * missing)
        array.append(value)

    def _no_element(self, part: str, node: Node, run: Run) -> None:
        if culprit := next(iter(node.demanding(run)), None):
            raise refused(f"{culprit.operator} of {culprit.path!r}: {self.path!r} is an array, without a {part!r}")


Node: TypeAlias = Leaf | Branch
