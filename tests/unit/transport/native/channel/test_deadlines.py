"""One timer for the deadlines of all calls, on a loop whose clock the test moves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.transport.native.channel.deadlines import Deadlines

if TYPE_CHECKING:
    from collections.abc import Callable


class Timer:
    """A handle."""

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when, self.callback, self.cancelled = when, callback, False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """A loop's clock and timers."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        self.timers.append(Timer(when, callback))
        return self.timers[-1]

    def run_until(self, end: float) -> None:
        """Rings what is due, in order."""
        while due := [timer for timer in self.timers if timer.when <= end]:
            timer = min(due, key=lambda timer: timer.when)
            self.timers.remove(timer)
            self.now = max(self.now, timer.when)
            if not timer.cancelled:
                timer.callback()
        self.now = end


class Call:
    """Knows its deadline, and when it was told that it has passed."""

    def __init__(self, deadline: float | None, clock: Clock) -> None:
        self.deadline = deadline
        self.expired_at: float | None = None
        self._clock = clock

    def expire(self) -> None:
        self.expired_at = self._clock.now

    @property
    def late_s(self) -> float:
        """Behind its deadline."""
        assert self.expired_at is not None, "it never ended"
        assert self.deadline is not None
        return self.expired_at - self.deadline


class Calls:
    """A channel's calls, as far as their deadlines go."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.all: list[Call] = []
        self.looks = 0
        self.deadlines = Deadlines(self._unfinished)

    def begin(self, deadline: float) -> Call:
        """What a call does with its deadline."""
        self.all.append(Call(deadline, self.clock))
        if deadline < self.deadlines.rings_at:
            self.deadlines.set(deadline)
        return self.all[-1]

    def _unfinished(self) -> Any:
        self.looks += 1
        return [call for call in self.all if call.expired_at is None]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls = Calls(Clock())
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: calls.clock)
    return calls


def test_calls_end_at_their_deadlines_in_any_order(calls: Calls) -> None:
    endless = Call(None, calls.clock)
    calls.all.append(endless)
    mine = [calls.begin(deadline) for deadline in (5.0, 1.0, 3.0, 1.0)]
    calls.clock.run_until(10.0)
    assert [call.late_s for call in mine] == [0.0] * 4
    assert endless.expired_at is None
    assert not calls.clock.timers


def test_calls_that_ended_cost_one_look(calls: Calls) -> None:
    """A thousand calls of five seconds, each over before the next."""
    for number in range(1000):
        calls.begin(5.0 + number / 1000)
        calls.all.clear()
    calls.clock.run_until(10.0)
    assert calls.looks == 1
    assert not calls.clock.timers


def test_many_deadlines_do_not_take_all_the_time(calls: Calls) -> None:
    """Ten thousand calls, each with another deadline: they end late by milliseconds, in few looks."""
    mine = [calls.begin(1.0 + number / 100_000) for number in range(10_000)]
    calls.clock.run_until(2.0)
    assert all(-0.001 < call.late_s < 0.03 for call in mine)
    assert calls.looks < 100


def test_a_cleared_timer_stays_silent(calls: Calls) -> None:
    call = calls.begin(1.0)
    calls.deadlines.clear()
    calls.clock.run_until(2.0)
    assert call.expired_at is None
