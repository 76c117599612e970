"""Incomplete messages of one connection are bounded together, and none is forgotten."""

from __future__ import annotations

from typing import Any

from laura_fast.limits.transport import ASSEMBLY_BYTES
from laura_fast.transport.native.inbox import Assembly


class Box:
    """Stands for an inbox: counts how often it was told to go on."""

    def __init__(self) -> None:
        self.told = 0

    def give_back(self) -> None:
        self.told += 1


def boxes(count: int) -> list[Any]:
    return [Box() for _ in range(count)]


def test_below_the_limit_all_may_grow() -> None:
    assembly, (first, second) = Assembly(), boxes(2)
    assert assembly.allows(first, ASSEMBLY_BYTES // 2)
    assert assembly.allows(second, ASSEMBLY_BYTES // 2)


def test_beyond_the_limit_one_grows_until_it_is_complete_then_the_next() -> None:
    assembly, (first, second, third) = Assembly(), boxes(3)
    assert assembly.allows(first, ASSEMBLY_BYTES + 1)
    assert not assembly.allows(second, 100)
    assert not assembly.allows(third, 100)
    assert assembly.allows(first, ASSEMBLY_BYTES * 5)
    assembly.allows(first, 0)
    assert (second.told, third.told) == (1, 1)


def test_a_call_that_ends_makes_room() -> None:
    assembly, (first, second) = Assembly(), boxes(2)
    assembly.allows(first, ASSEMBLY_BYTES + 1)
    assert not assembly.allows(second, 100)
    assembly.leave(first)
    assert second.told == 1
