"""One run: faults under load and the checks behind them, or step-downs alone and how long nobody could write."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from tests.e2e.chaos.checks import check
from tests.e2e.chaos.faults import KINDS, Chaos, Fault
from tests.e2e.chaos.load import Load, Tally
from tests.e2e.chaos.members import NAMES, Members

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

AROUND_S = 1.5
"""Looked at before and after a step-down."""
CLIENT_S = 30.0
"""How long a client goes on by itself, its default: within it no step-down may be noticed."""


@dataclass(frozen=True)
class Outcome:
    """Of a run that found nothing wrong.

    Attributes:
        faults: All that were made.
        tally: What was answered.
        digest: Hash of the documents, the same on each member.
        terms: The last one.
        rolled_back: Times that a member had to undo what it had.
        seconds: How long it took.
    """

    faults: list[Fault]
    tally: Tally
    digest: str
    terms: int
    rolled_back: int
    seconds: float


@dataclass(frozen=True)
class Gap:
    """A planned step-down: the longest time without an answer to any writer, and the same just before it."""

    seconds: float
    before_s: float


def kinds_for(minutes: float, seed: object) -> Iterator[str]:
    """Every kind in each round, in random order, until the time is over."""
    random, end = Random(f"{seed} kinds"), time.monotonic() + 60 * minutes  # noqa: S311 - test data
    while True:
        for kind in random.sample(sorted(KINDS), len(KINDS)):
            if time.monotonic() >= end:
                return
            yield kind


async def make_faults(
    directory: Path, seed: object, kinds: Iterator[str], told: Callable[[Fault], None] = lambda _: None
) -> Outcome:
    """Makes one fault of each kind that comes, and checks what is left.

    Args:
        directory: Of the members.
        seed: Of all that is random.
        kinds: Of `KINDS`; asked for when the one before is over.
        told: Hears of each fault.

    Raises:
        AssertionError: What was promised was not kept.
    """
    began = time.monotonic()
    async with _under_load(directory, Load, seed) as (members, load):
        chaos = Chaos(members, load, seed)
        await chaos.settle()
        for kind in kinds:
            told(await chaos.make(kind))
        await load.finish()
        digest = await check(members, load.tally)
        rolled_back = sum(event.get("event") == "rolled_back" for name in NAMES for event in members.events(name))
        term = (await members.primary())[1]
    return Outcome(chaos.made, load.tally, digest, term, rolled_back, time.monotonic() - began)


async def step_down(directory: Path, seed: object, times: int) -> list[Gap]:
    """Lets the primary step down so often, with no other fault.

    Raises:
        AssertionError: A client was told of it, or a write was lost.
    """
    gaps = []
    async with _under_load(directory, lambda addresses, seed: Load(addresses, seed, CLIENT_S), seed) as (members, load):
        chaos = Chaos(members, load, seed)
        for _ in range(times):
            await chaos.settle()
            await asyncio.sleep(AROUND_S)
            at = time.monotonic()
            await members.step_down((await members.primary())[0])
            await asyncio.sleep(AROUND_S)
            answers = [write.answered for write in load.tally.writes if write.answered > at - AROUND_S]
            gaps.append(Gap(longest_pause(answers, at), longest_pause([each for each in answers if each < at], 0)))
        await load.finish()
        await check(members, load.tally)
        assert not load.tally.retries, f"{load.tally.retries} requests failed"
    return gaps


def longest_pause(answers: list[float], since: float) -> float:
    """Between two answers, the second of them after this moment."""
    return max((later - earlier for earlier, later in pairwise(answers) if later >= since), default=float("inf"))


@asynccontextmanager
async def _under_load(
    directory: Path, make: Callable[[list[str], object], Load], seed: object
) -> AsyncIterator[tuple[Members, Load]]:
    members = Members(directory)
    try:
        await members.open()
        await members.primary()
        load = make(members.addresses, seed)
        async with asyncio.TaskGroup() as tasks:
            load.begin(tasks)
            yield members, load
    finally:
        await members.close()
