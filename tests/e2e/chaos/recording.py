"""A run as `python -m laura_fast report` takes it."""

from __future__ import annotations

from dataclasses import asdict
from statistics import median, quantiles
from typing import TYPE_CHECKING

from laura_fast.report.raw.record import Record
from tests.adversity.storage_kills import described_commit, today
from tests.e2e.chaos.faults import KINDS
from tests.e2e.chaos.members import TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.e2e.chaos.faults import Fault
    from tests.e2e.chaos.running import Gap, Outcome

CAVEATS = [
    "Three servers, the proxies between them and all clients share one machine, over loopback: no link has a latency.",
    "kill -9 ends a process, not the machine: what an fsync adds shows only when the power fails.",
    """Fail-over is measured as a client sees it, from the moment of a fault that made another term begin to the first
answer to a write begun later. Clients give an attempt up after 0.5 s and repeat it.""",
]
Rows = list[list[str]]


def faults_record(outcome: Outcome, minutes: float, seed: int, remarks: Sequence[str]) -> Record:
    """Of a run with faults."""
    return Record(
        title=f"Under faults, seed {seed}",
        command=f"python -m tests.e2e.chaos --minutes {minutes:g} --seed {seed} --record raw.json",
        date=today(),
        commit=described_commit(),
        seed=seed,
        seconds=round(outcome.seconds, 1),
        columns=["what", "figure"],
        rows=[*_answers(outcome), *_failover(outcome.faults)],
        caveats=[*CAVEATS, *remarks],
        data=[asdict(fault) for fault in outcome.faults],
    )


def kinds_record(outcome: Outcome, minutes: float, seed: int) -> Record:
    """The same, fault by fault."""
    return Record(
        title=f"Fault by fault, seed {seed}",
        command=f"python -m tests.e2e.chaos --minutes {minutes:g} --seed {seed} --record raw.json",
        date=today(),
        commit=described_commit(),
        seed=seed,
        seconds=round(outcome.seconds, 1),
        columns=[
            "fault",
            "times",
            "on the primary",
            "another term",
            "fail-over median s",
            "longest s",
            "level again s",
        ],
        rows=[_kind(kind, [fault for fault in outcome.faults if fault.kind == kind]) for kind in KINDS],
    )


def gaps_record(gaps: Sequence[Gap], seed: int, seconds: float) -> Record:
    """Of step-downs."""
    return Record(
        title=f"Planned step-downs, seed {seed}",
        command=f"python -m tests.e2e.chaos --step-downs {len(gaps)} --seed {seed} --record raw.json",
        date=today(),
        commit=described_commit(),
        seed=seed,
        seconds=round(seconds, 1),
        columns=["what", "figure"],
        rows=[
            ["step-downs without any other fault", f"{len(gaps)}"],
            ["errors at clients that repeat within 30 s", "0"],
            ["longest time without an answer to any of ten clients, median ms", f"{_ms(gap.seconds for gap in gaps)}"],
            ["the longest of all, ms", f"{max(gap.seconds for gap in gaps) * 1000:.0f}"],
            ["the same in the 1.5 s before, median ms", f"{_ms(gap.before_s for gap in gaps)}"],
        ],
        data=[asdict(gap) for gap in gaps],
    )


def _answers(outcome: Outcome) -> Rows:
    tally, rates = outcome.tally, [fault.writes_per_s for fault in outcome.faults]
    return [
        ["faults", f"{len(outcome.faults):,}"],
        ["of these on the primary", f"{sum(fault.primary for fault in outcome.faults):,}"],
        ["writes acknowledged by a majority", f"{len(tally.writes):,}"],
        ["of these lost", "0"],
        ["documents inserted, each there once on each member", f"{len(tally.things):,}"],
        ["increments, each counted once on each member", f"{tally.increments.total():,}"],
        ["linearizable reads", f"{tally.reads:,}"],
        ["registers, each with a linearizable history", f"{len(tally.registers):,}"],
        ["attempts that failed and were repeated", f"{tally.retries:,}"],
        ["writes per second over all", f"{len(tally.writes) / outcome.seconds:.0f}"],
        ["writes per second in the calm before a fault, median", f"{median(rates):.0f}"],
        ["calm times with fewer than 50 a second", f"{sum(rate < 50 for rate in rates):,}"],
        ["the last term", f"{outcome.terms:,}"],
        ["times that a member undid what no majority had", f"{outcome.rolled_back:,}"],
        ["hash of all documents, the same on each member", outcome.digest[:16]],
    ]


def failovers(faults: Sequence[Fault]) -> list[float]:
    """Of faults on the primary that another one had to be elected for.

    A step-down is none: the old primary answers until it hands over, and how long nobody does is measured by itself.
    """
    return [fault.failover_s for fault in faults if fault.primary and fault.moved and fault.kind != "step-down"]


def _failover(faults: Sequence[Fault]) -> Rows:
    took = failovers(faults)
    if len(took) < 2:
        return []
    return [
        ["fail-overs", f"{len(took):,}"],
        ["election timeout s", f"{TIMEOUT_S:g}"],
        ["fail-over median s", f"{median(took):.2f}"],
        ["fail-over p99 s", f"{quantiles(took, n=100, method='inclusive')[98]:.2f}"],
        ["fail-over longest s", f"{max(took):.2f}"],
    ]


def _kind(kind: str, faults: Sequence[Fault]) -> list[str]:
    took = failovers(faults)
    return [
        kind,
        f"{len(faults)}",
        f"{sum(fault.primary for fault in faults)}",
        f"{sum(fault.moved for fault in faults)}",
        f"{median(took):.2f}" if took else "",
        f"{max(took):.2f}" if took else "",
        f"{median(fault.recovered_s for fault in faults):.2f}" if faults else "",
    ]


def _ms(seconds: Iterable[float]) -> str:
    return f"{median(seconds) * 1000:.0f}"
