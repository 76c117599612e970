"""Measures coroutines with pytest-benchmark, which knows only functions.

One session has one uvloop (two event loops in one process misbehave under grpc.aio). A round is one coroutine that
awaits N calls; its time is divided by N, so that a row of the table is one call.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from pytest_benchmark.fixture import BenchmarkFixture

    from bench.processes import Process

SMOKE_CALLS = 4
ROUNDS = 10
WARMUP_ROUNDS = 2

Answer = TypeVar("Answer")


class Measure:
    """Times awaited calls on the session's loop; with a server, its CPU too."""

    def __init__(self, benchmark: BenchmarkFixture, loop: asyncio.AbstractEventLoop) -> None:
        self.benchmark = benchmark
        self.loop = loop

    @property
    def smoke(self) -> bool:
        """True when benchmarks only have to run once, not to measure."""
        return not self.benchmark.enabled

    def run(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        """Set-up and clean-up work on the same loop as the measured calls."""
        return self.loop.run_until_complete(coroutine)

    def __call__(
        self,
        call: Callable[[int], Awaitable[Answer]],
        check: Callable[[Answer], bool],
        *,
        calls: int,
        concurrency: int = 1,
        rounds: int = ROUNDS,
        server: Process | None = None,
        undo: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        """Measures `call(i)` for i = 0, 1, …, counting on from round to round.

        Args:
            call: Makes one call.
            check: Must hold for every answer; run outside the timed part.
            calls: Calls per round.
            concurrency: How many callers share the calls of a round.
            rounds: Timed rounds, after `WARMUP_ROUNDS` more.
            server: Process whose CPU per call goes into `extra_info`.
            undo: Brings the server back to where the round began; not timed.

        Raises:
            AssertionError: An answer failed the check.
        """
        session = _Rounds(call, check, SMOKE_CALLS if self.smoke else calls, concurrency, server)

        def finish() -> None:
            session.end()
            if undo:
                self.run(undo())

        self.benchmark.pedantic(  # type: ignore[no-untyped-call]  # pytest-benchmark is half typed
            lambda: self.run(session.round()),
            setup=session.begin,
            teardown=finish,
            rounds=rounds,
            warmup_rounds=WARMUP_ROUNDS,
        )
        if self.smoke:
            finish()  # pytest-benchmark calls no teardown when it is disabled
        else:
            session.per_call(self.benchmark)


class _Rounds:
    """State that outlives a round: the running number of the call, the answers to check, the CPU used."""

    def __init__(
        self,
        call: Callable[[int], Awaitable[Any]],
        check: Callable[[Any], bool],
        calls: int,
        concurrency: int,
        server: Process | None,
    ) -> None:
        self.call = call
        self.check = check
        self.calls = calls
        self.concurrency = concurrency
        self.server = server
        self.next_call = 0
        self.answers: list[Any] = []
        self.cpu_before_s = 0.0
        self.cpu_us: list[float] = []

    def begin(self) -> None:
        self.cpu_before_s = self.server.cpu_s() if self.server else 0.0

    async def round(self) -> None:
        first, self.next_call = self.next_call, self.next_call + self.calls
        numbers = iter(range(first, self.next_call))
        self.answers = []
        if self.concurrency == 1:
            await self._caller(numbers)
        else:
            await asyncio.gather(*(self._caller(numbers) for _ in range(self.concurrency)))

    async def _caller(self, numbers: Any) -> None:
        call, keep = self.call, self.answers.append
        for number in numbers:  # callers share one iterator: each takes the next number
            keep(await call(number))

    def end(self) -> None:
        if self.server:
            self.cpu_us.append((self.server.cpu_s() - self.cpu_before_s) / self.calls * 1e6)
        assert len(self.answers) == self.calls
        bad = [answer for answer in self.answers if not self.check(answer)]
        assert not bad, f"{len(bad)} of {self.calls} answers are wrong, the first: {bad[0]!r}"

    def per_call(self, benchmark: BenchmarkFixture) -> None:
        """Turns times of rounds into times of calls, before pytest-benchmark computes its statistics."""
        assert benchmark.stats, "call after the rounds"
        data = benchmark.stats.stats.data
        data[:] = [seconds / self.calls for seconds in data]
        benchmark.extra_info |= {"calls_per_round": self.calls, "concurrency": self.concurrency}
        if self.server:
            timed = sorted(self.cpu_us[WARMUP_ROUNDS:])
            benchmark.extra_info["server_cpu_us_per_call"] = round(timed[len(timed) // 2], 2)
            benchmark.extra_info["server_cpu_us_per_call_range"] = [round(timed[0], 2), round(timed[-1], 2)]
