"""Load over time: how many users should run, as a pure function of the elapsed time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS: Final = 5
SPIKE_BASE: Final = 0.1
"""Share of the peak that runs before and after a spike."""
SOAK_RAMP: Final = 0.05
"""Share of a soak that is spent getting up to the peak."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What should run now."""

    users: int
    spawn_rate: float
    """Users started or stopped per second."""


def ramp(progress: float) -> float:
    """From nothing to the peak in a straight line: where does it start to hurt?"""
    return progress


def step(progress: float) -> float:
    """Equal stairs, each long enough to settle: one plateau is one point of a curve."""
    return (int(progress * STEPS) + 1) / STEPS


def spike(progress: float) -> float:
    """A tenth of the peak, the whole peak at once for the middle fifth, then a tenth again: does it recover?"""
    return 1.0 if 0.4 <= progress < 0.6 else SPIKE_BASE


def soak(progress: float) -> float:
    """The peak for as long as possible: does memory or latency creep?"""
    return min(1.0, progress / SOAK_RAMP)


PLANS: Final[dict[str, Callable[[float], float]]] = {"ramp": ramp, "step": step, "spike": spike, "soak": soak}


def stage(plan: str, elapsed_s: float, duration_s: float, peak_users: int) -> Stage | None:
    """The stage of `plan` at `elapsed_s`; None once the duration is over."""
    if elapsed_s >= duration_s:
        return None
    users = max(1, round(peak_users * PLANS[plan](elapsed_s / duration_s)))
    # A jump is meant to be a jump: the whole peak may start within one second.
    return Stage(users, spawn_rate=peak_users)
