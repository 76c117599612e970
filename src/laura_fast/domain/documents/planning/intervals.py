"""Sets of values of one field as ranges of their keys.

An interval is half open: from the key `low`, without `high`. That is enough for every bound, as no key of a value is a
prefix of another: what follows a value v, or a compound key that begins with v, begins at `successor(key of v)`.
Beside each end stands the value that it came from, for people (`shown`); nothing is decided by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from laura_fast.domain.documents.keys import encode_value, invert, successor

if TYPE_CHECKING:
    from collections.abc import Iterable


class End(NamedTuple):
    """An end of an interval.

    Attributes:
        key: Where it is, between keys.
        value: The value nearest to it.
        after: It lies behind that value, so an interval that begins here is without it, and one that ends here has it.
    """

    key: bytes
    value: Any
    after: bool


class Interval(NamedTuple):
    """The keys from `low` until before `high`.

    Attributes:
        low: Its first place.
        high: The place behind it.
        point: Key of the one value that is in it; empty where there may be more than one.
    """

    low: End
    high: End
    point: bytes = b""


Intervals: TypeAlias = tuple[Interval, ...]
"""Disjoint and in order; empty = no value at all."""


class Edge:
    """In place of a value: the beginning or end of all values of a type, for people."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


LEAST: Final = End(b"", Edge("first"), after=False)
GREATEST: Final = End(b"\xff", Edge("last"), after=True)
"""Tags of values are below FF, inverted ones, too."""

ALL: Final[Intervals] = (Interval(LEAST, GREATEST),)
NONE: Final[Intervals] = ()


def before(value: Any) -> End:
    """The place directly before a value."""
    return End(encode_value(value), value, after=False)


def after(value: Any) -> End:
    """The place directly behind a value."""
    return End(_following(encode_value(value)), value, after=True)


def point(value: Any) -> Interval:
    """One value."""
    key = encode_value(value)
    return Interval(End(key, value, after=False), End(_following(key), value, after=True), key)


def interval(low: End, high: End) -> Intervals:
    """What lies between; nothing where the ends are the wrong way round."""
    if low.key >= high.key:
        return NONE
    is_point = high.after and not low.after and high.key == _following(low.key)
    return (Interval(low, high, low.key if is_point else b""),)


def union(intervals: Iterable[Interval]) -> Intervals:
    """All of them, in order. Those that overlap are joined; those that only touch stay, as points may (false, true)."""
    merged: list[Interval] = []
    for each in sorted(intervals, key=_low_key):
        last = merged[-1] if merged else None
        if last is None or last.high.key <= each.low.key:
            merged.append(each)
        elif last.high.key < each.high.key:
            merged[-1] = Interval(last.low, each.high)
    return tuple(merged)


def intersection(first: Intervals, second: Intervals) -> Intervals:
    """What is in both."""
    common: list[Interval] = []
    left, right = 0, 0
    while left < len(first) and right < len(second):
        one, other = first[left], second[right]
        common += _overlap(one, other)
        if one.high.key < other.high.key:
            left += 1
        else:
            right += 1
    return tuple(common)


def complement(intervals: Intervals) -> Intervals:
    """All that is not in them."""
    gaps: list[Interval] = []
    low = LEAST
    for each in intervals:
        gaps += interval(low, each.low)
        low = each.high
    return (*gaps, *interval(low, GREATEST))


def are_points(intervals: Intervals) -> bool:
    """Whether they are single values, and not none at all."""
    for each in intervals:  # a loop: plans are made for every query (bench/test_planner.py)
        if not each.point:
            return False
    return bool(intervals)


def contains(intervals: Intervals, key: bytes) -> bool:
    """Whether the key is in one of them."""
    return any(each.low.key <= key < each.high.key for each in intervals)


def is_within(inner: Intervals, outer: Intervals) -> bool:
    """Whether all of `inner` is in `outer`, too."""
    return all(any(out.low.key <= each.low.key and each.high.key <= out.high.key for out in outer) for each in inner)


def descending(intervals: Intervals) -> Intervals:
    """The same values in a field that sorts the other way: their keys are inverted."""
    turned = [Interval(_turned(each.high), _turned(each.low), invert(each.point)) for each in reversed(intervals)]
    return tuple(each for each in turned if each.low.key < each.high.key)  # no key is below false, and yet a boolean


def _overlap(one: Interval, other: Interval) -> Intervals:
    found = interval(max(one.low, other.low, key=_key), min(one.high, other.high, key=_key))
    if not found or not (one.point or other.point):
        return found
    return (one if one.point else other,)  # a value is in an interval, or it is not


def _turned(end: End) -> End:
    """Keys below a place are, inverted, above this one: no key is a prefix of another, so nothing falls between."""
    return End(_following(invert(end.key)), end.value, not end.after)


def _following(key: bytes) -> bytes:
    return successor(key) or GREATEST.key


def _key(end: End) -> bytes:
    return end.key


def _low_key(each: Interval) -> bytes:
    return each.low.key
