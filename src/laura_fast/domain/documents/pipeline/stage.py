"""What all stages have in common: how they run, and what others may know of them without running them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from laura_fast.domain.documents.expressions.numbers import to_double
from laura_fast.domain.documents.kinds import INT64_MAX, NUMBERS
from laura_fast.domain.documents.paths import split
from laura_fast.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from laura_fast.domain.documents.budget import Budget

    Document: TypeAlias = dict[str, Any]


class Dice(Protocol):
    """Where chance comes from; `random.Random` is one."""

    def randrange(self, stop: int, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a pipeline needs while it runs.

    Attributes:
        budget: Counts what is held and looks at the clock.
        rng: For `$sample`.
        foreign: All documents of another collection of the database, for `$lookup`.
    """

    budget: Budget
    rng: Dice
    foreign: Callable[[str], Iterable[Document]]


class Stage:
    """One step of a pipeline. It never changes a document that it is given: results share parts with it.

    Attributes:
        local: Looks at one document at a time, so that shards may do it.
        one_to_one: Makes exactly one document of each.
        measures: What comes out was measured where it was held, so that it did not grow beyond bounds.
    """

    local: ClassVar[bool] = False
    one_to_one: ClassVar[bool] = False
    measures: ClassVar[bool] = False

    @property
    def closes(self) -> bool:
        """Whether what comes out holds nothing but what `reads` names."""
        return False

    @property
    def reads(self) -> frozenset[str] | None:
        """Top-level fields that it looks at; None = possibly all."""
        return frozenset()

    @property
    def foreign(self) -> frozenset[str]:
        """Other collections that it reads."""
        return frozenset()

    @property
    def growth(self) -> int:
        """A bound of how many times larger, or levels deeper, documents are behind it."""
        return 1

    def keeps(self, _field: str, /) -> bool:
        """Whether this top-level field comes out, or is missing, as it came in."""
        return False

    def divided(self) -> tuple[tuple[Stage, ...], tuple[Stage, ...]]:
        """What shards do of it, and what is then done with all their results together, in the order of the shards."""
        return ((self,), ()) if self.local else ((), (self,))

    def run(self, documents: Iterable[Document], context: Context, /) -> Iterator[Document]:
        """The documents that come out, as those that go in come."""
        raise NotImplementedError


StageParser: TypeAlias = "Callable[[str, Any, Mapping[str, Any]], Stage | tuple[Stage, ...]]"
"""From a stage's name, its specification and the constants of the request to the stage."""


def bad_stage(name: str, message: str) -> InvalidArgumentError:
    """A stage that means nothing, whatever the documents."""
    return InvalidArgumentError(f"{name}: {message}", "BAD_PIPELINE")


def checked_field(name: str, field: Any) -> str:
    """A dotted path of fields to write to."""
    parts = split(field) if type(field) is str else ()
    if not all(parts) or not parts or "\0" in field:
        raise bad_stage(name, f"{field!r} is no path of fields")
    if any(part.startswith("$") for part in parts):
        raise bad_stage(name, f"{field!r} has a part that begins with $")
    return str(field)


def checked_name(name: str, field: Any) -> str:
    """The name of one field."""
    if "." in checked_field(name, field):
        raise bad_stage(name, f"the name {field!r} has a dot")
    return str(field)


def whole_number(name: str, value: Any, least: int) -> int:
    """A number of documents."""
    number = to_double(value) if type(value) in NUMBERS else math.nan
    if not number.is_integer() or not least <= number <= INT64_MAX:
        raise bad_stage(name, f"a whole number from {least} on is needed, not {value!r}")
    return int(number)
