"""The judge of histories, on histories that are small enough to judge by hand, and against trying every order."""

from __future__ import annotations

from itertools import permutations
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.testing.sim.history import Call, History, linearizable


def write(value: bytes, begun: float, ended: float = inf) -> Call:
    return Call("r", writes=True, value=value, begun=begun, ended=ended)


def read(value: bytes | None, begun: float, ended: float = inf) -> Call:
    return Call("r", writes=False, value=value, begun=begun, ended=ended)


@pytest.mark.parametrize(
    "calls",
    [
        [],
        [read(None, 0, 1)],
        [write(b"1", 0, 1), read(b"1", 2, 3)],
        [write(b"1", 0, 3), read(None, 1, 2)],
        [write(b"1", 0), read(b"1", 1, 2), read(b"1", 3, 4)],
        [write(b"1", 0), read(None, 1, 2), read(b"1", 3, 4)],
        [write(b"1", 0, 5), write(b"2", 1, 6), read(b"2", 2, 3), read(b"1", 4, 7)],
    ],
    ids=["nothing", "empty", "after", "during", "unknown, seen", "unknown, seen late", "two at once"],
)
def test_what_one_register_could_have_answered(calls: list[Call]) -> None:
    assert linearizable(calls)


@pytest.mark.parametrize(
    "calls",
    [
        [read(b"1", 0, 1)],
        [write(b"1", 0, 1), read(None, 2, 3)],
        [write(b"1", 0, 1), write(b"2", 2, 3), read(b"1", 4, 5)],
        [write(b"1", 0), read(b"1", 1, 2), read(None, 3, 4)],
        [read(b"1", 0, 1), write(b"1", 2, 3)],
        [write(b"1", 0, 5), write(b"2", 1, 6), read(b"2", 7, 8), read(b"1", 9, 10)],
    ],
    ids=["from nowhere", "lost", "stale", "there and gone", "before its time", "back and forth"],
)
def test_what_no_register_could_have_answered(calls: list[Call]) -> None:
    assert not linearizable(calls)


def by_trying(calls: list[Call]) -> bool:
    known = [call for call in calls if call.ended < inf]
    unknown = [call for call in calls if call.ended == inf and call.writes]
    for chosen in range(1 << len(unknown)):
        taken = known + [call for place, call in enumerate(unknown) if chosen >> place & 1]
        if any(fits(order) for order in permutations(taken)):
            return True
    return False


def fits(order: tuple[Call, ...]) -> bool:
    value: bytes | None = None
    for place, call in enumerate(order):
        if any(later.ended < call.begun for later in order[place:]):
            return False
        if call.writes:
            value = call.value
        elif call.value != value:
            return False
    return True


@st.composite
def histories(draw: st.DrawFn) -> list[Call]:
    moments = draw(st.permutations(range(10)))
    calls = []
    for place in range(5):
        begun, ended = sorted(moments[2 * place : 2 * place + 2])
        end = draw(st.sampled_from([float(ended), inf]))
        if draw(st.booleans()):
            calls.append(write(b"%d" % place, begun, end))
        else:
            calls.append(read(draw(st.sampled_from([None, b"0", b"1", b"2", b"3", b"4"])), begun, end))
    return calls


@given(histories())
def test_agrees_with_trying_every_order(calls: list[Call]) -> None:
    assert linearizable(calls) == by_trying(calls)


def test_registers_are_judged_apart_and_refused_calls_not_at_all() -> None:
    history = History()
    one = history.begin("a", b"1", writes=True)
    history.end(one, b"1")
    history.refuse(history.begin("a", b"2", writes=True))
    history.end(history.begin("b", None, writes=False), None)
    assert not history.strange()
    history.end(history.begin("b", None, writes=False), b"1")
    assert history.strange() == "b"
