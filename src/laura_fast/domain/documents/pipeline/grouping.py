"""`$group` and `$sortByCount`.

Groups are told apart by the encoded key, in which 1 and 1.0 are one; the key that a group shows is the one that came
first, and groups come out in the order in which they were first seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeAlias

from bson import Int64, ObjectId

from laura_fast.domain.documents.expressions import compile_part
from laura_fast.domain.documents.expressions.accumulators import ACCUMULATORS
from laura_fast.domain.documents.expressions.part import Part, reads
from laura_fast.domain.documents.expressions.sizes import memory_bytes
from laura_fast.domain.documents.keys import encode_value
from laura_fast.domain.documents.kinds import MISSING, Missing
from laura_fast.domain.documents.pipeline.ordering import SortStage
from laura_fast.domain.documents.pipeline.stage import Stage, bad_stage, checked_name
from laura_fast.domain.documents.sorting import compile_sort
from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from laura_fast.domain.documents.expressions.accumulators import Accumulator
    from laura_fast.domain.documents.pipeline.stage import Context, Document

_GROUP_BYTES: Final = 500
_ACCUMULATOR_BYTES: Final = 250
"""What a group and each of its accumulators take in memory, beside what they keep."""


class Role(Enum):
    """Which part of the work a `$group` does."""

    WHOLE = auto()
    """From documents to results."""
    SHARD = auto()
    """From documents to states that can be merged."""
    MERGE = auto()
    """From such states to results."""


@dataclass(frozen=True)
class Field:
    """A field of the result.

    Attributes:
        name: Its name.
        create: Makes the state for a new group, which counts the memory that it holds through the given function.
        part: What is accumulated.
    """

    name: str
    create: Callable[[Callable[[int], None]], Accumulator]
    part: Part


@dataclass(frozen=True)
class Group(Stage):
    """`$group`."""

    key: Part
    fields: tuple[Field, ...]
    role: Role = Role.WHOLE
    measures: ClassVar[bool] = True

    @property
    def closes(self) -> bool:
        return True

    @property
    def reads(self) -> frozenset[str] | None:
        return reads([self.key, *(field.part for field in self.fields)])

    def divided(self) -> tuple[tuple[Stage, ...], tuple[Stage, ...]]:
        states = tuple(replace(field, part=compile_part(f"${field.name}")) for field in self.fields)
        merge = Group(compile_part("$_id"), states, Role.MERGE)
        return (replace(self, role=Role.SHARD),), (merge,)

    def run(self, documents: Iterable[Document], context: Context, /) -> Iterator[Document]:
        groups = _Groups(self.fields, context.budget.hold, merging=self.role is Role.MERGE)
        groups.add_all(documents, self.key.evaluate)
        names = [field.name for field in self.fields]
        for key, states, _ in groups.found.values():
            result = {"_id": key}
            for name, state in zip(names, states, strict=True):
                result[name] = state.partial() if self.role is Role.SHARD else state.result()
            yield result


class _Groups:
    """The groups of one run.

    Attributes:
        found: The groups by their encoded keys, in the order in which they were first seen.
    """

    def __init__(self, fields: tuple[Field, ...], hold: Callable[[int], None], *, merging: bool) -> None:
        self._creates = [field.create for field in fields]
        self._evaluates = [field.part.evaluate for field in fields]
        self._hold = hold
        self._merging = merging
        self.found: dict[bytes, _Group] = {}

    def add_all(self, documents: Iterable[Document], key_of: Callable[[Any], Any]) -> None:
        """Adds documents to their groups: the loop that `$group` spends its time in.

        Keys of the common types are looked up as they are, each type in a table of its own, as 1, 1.0 and True are
        equal to Python. Only a key that is not there, or is of another type, is encoded.
        """
        tables: dict[type, dict[Any, _Adders]] = {kind: {} for kind in _LOOKED_UP}
        for document in documents:
            key = key_of(document)
            table = tables.get(type(key))
            adders = table.get(key) if table is not None else None
            if adders is None:
                adders = self._adders_of(None if key is MISSING else key)
                if table is not None:
                    table[key] = adders
            for add, evaluate in adders:
                add(evaluate(document))

    def _adders_of(self, key: Any) -> _Adders:
        encoded = encode_value(key)
        group = self.found.get(encoded)
        if group is None:
            size = _GROUP_BYTES + _ACCUMULATOR_BYTES * len(self._creates) + len(encoded) + memory_bytes(key)
            self._hold(size)
            group = self.found[encoded] = self._new(key)
        return group.adders

    def _new(self, key: Any) -> _Group:
        states = [create(self._hold) for create in self._creates]
        adds: list[Callable[[Any], None]] = [state.merge if self._merging else state.add for state in states]
        return _Group(key, states, list(zip(adds, self._evaluates, strict=True)))


class _Group(NamedTuple):
    key: Any
    states: list[Accumulator]
    adders: _Adders


_Adders: TypeAlias = "list[tuple[Callable[[Any], None], Callable[[Any], Any]]]"
_LOOKED_UP: Final = (str, int, Int64, bool, ObjectId, type(None), Missing)


def parse_group(name: str, spec: Any, constants: Mapping[str, Any]) -> Stage:
    """`$group`: `_id` and accumulators."""
    if type(spec) is not dict or "_id" not in spec:
        raise bad_stage(name, "a document with an _id is needed")
    if len(spec) > limits.MAX_GROUP_FIELDS:
        raise bad_stage(name, f"there are more than {limits.MAX_GROUP_FIELDS} fields")
    fields = [_field(name, field, given, constants) for field, given in spec.items() if field != "_id"]
    return Group(compile_part(spec["_id"], constants), tuple(fields))


def _field(name: str, field: str, given: Any, constants: Mapping[str, Any]) -> Field:
    checked_name(name, field)
    if type(given) is not dict or len(given) != 1:
        raise bad_stage(name, f"the field {field!r} must have exactly one accumulator")
    [(accumulator, spec)] = given.items()
    create = ACCUMULATORS.get(accumulator)
    if create is None:
        raise bad_stage(name, f"unknown accumulator {accumulator} of the field {field!r}")
    return Field(name=field, create=create, part=compile_part(_operand(name, accumulator, spec), constants))


def _operand(name: str, accumulator: str, spec: Any) -> Any:
    if accumulator == "$count":
        if spec != {}:
            raise bad_stage(name, "$count takes an empty document")
        return None
    if type(spec) is list:
        if len(spec) != 1:
            raise bad_stage(name, f"{accumulator} takes one operand, not {len(spec)}")
        return spec[0]
    return spec


def parse_sort_by_count(name: str, spec: Any, constants: Mapping[str, Any]) -> tuple[Stage, ...]:
    """`$sortByCount`: groups by a value, the largest group first."""
    is_path = type(spec) is str and spec.startswith("$")
    is_operator = type(spec) is dict and next(iter(spec), "").startswith("$")
    if not is_path and not is_operator:
        raise bad_stage(name, "a path that begins with $ or an expression is needed")
    group = parse_group(name, {"_id": spec, "count": {"$sum": 1}}, constants)
    return group, SortStage(compile_sort({"count": -1}))
