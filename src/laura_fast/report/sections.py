"""From raw runs to a document: which numbers stand out, which tables and charts each kind of run gets."""

from __future__ import annotations

import dataclasses
import shlex
from collections import Counter
from typing import TYPE_CHECKING, Final

from laura_fast.report.charts import load as load_charts
from laura_fast.report.charts import openloop as openloop_charts
from laura_fast.report.charts import rivals as rival_charts
from laura_fast.report.charts import scaling as scaling_charts
from laura_fast.report.document import Bullets, Code, Document, Figure, Headline, Section, Table, Text
from laura_fast.report.raw.load import LoadRun
from laura_fast.report.raw.micro import MicroRun
from laura_fast.report.raw.record import Record
from laura_fast.report.raw.rivals import Session
from laura_fast.report.raw.scaling import ScalingSession
from laura_fast.report.spread import BYTES, quantity, significant, spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from laura_fast.report.document import Block
    from laura_fast.report.machine import Machine
    from laura_fast.report.raw import Run
    from laura_fast.report.raw.rivals import Failure, Sample
    from laura_fast.report.raw.scaling import Curve

GENERAL_CAVEATS: Final = (
    "Server and load generator share one machine over loopback: no network, no card, no distance.",
    "One core each, and a virtual machine's cores at that. Compare figures within one run, not across machines.",
)
RIVAL_TITLES: Final = {
    "bench.rivals": "Against other servers",
    "bench.transport": "The transports side by side",
    "bench.openloop": "Latency against offered load",
}
BUSY_LOAD: Final = 0.5
KIB_PER_MIB: Final = 1024


def compose(title: str, subtitle: str, machine: Machine, runs: Sequence[Run]) -> Document:
    """The whole report of a results folder."""
    sections = [*_sections(runs), _machine(machine)]
    _name_apart(sections)
    return Document(
        title=title,
        subtitle=subtitle,
        caveats=list(dict.fromkeys((*GENERAL_CAVEATS, *_own_caveats(runs)))),
        headlines=[headline for run in runs for headline in _headlines(run)],
        sections=sections,
    )


def _name_apart(sections: Sequence[Section]) -> None:
    """Two sessions of one kind draw charts of one name, and a chart's name is its file."""
    used: Counter[str] = Counter()
    for section in sections:
        for place, block in enumerate(section.blocks):
            if isinstance(block, Figure):
                used[block.chart.name] += 1
                if (number := used[block.chart.name]) > 1:
                    name = f"{block.chart.name}-{number}"
                    section.blocks[place] = Figure(dataclasses.replace(block.chart, name=name))


def _own_caveats(runs: Sequence[Run]) -> Iterable[str]:
    """What these very runs add to the general ones."""
    measured = [run for run in runs if isinstance(run, Session | ScalingSession)]
    busiest = max((run.environment.load_average for run in measured), default=0.0)
    if busiest > BUSY_LOAD:
        yield f"The machine was not idle: load average up to {busiest:.1f} when a session began. Others used the cores."
    for run in runs:
        if isinstance(run, Session):
            yield from _session_caveats(run)
        if isinstance(run, LoadRun) and run.exit_code:
            yield f"The load scenario {run.scenario} failed: {'; '.join(run.reasons)}"
        if isinstance(run, Record):
            yield from run.caveats


def _session_caveats(session: Session) -> Iterable[str]:
    titles_by_caveat: dict[str, list[str]] = {}
    for subject in session.subjects:
        titles_by_caveat.setdefault(subject.caveat, []).append(subject.title)
    yield from (f"{' and '.join(titles)}: {caveat}" for caveat, titles in titles_by_caveat.items() if caveat)
    yield from (f"{skipped.name} did not run: {skipped.reason}" for skipped in session.skipped)
    yield from (f"{failure.subject}, {failure.scenario.label}: {_first_line(failure)}" for failure in session.failures)
    if noted := [sample for sample in session.samples if sample.notes]:
        yield f"{len(noted)} of {len(session.samples)} runs carry a note, for example: {noted[0].notes[0]}."


def _first_line(failure: Failure) -> str:
    return failure.error.partition("\n")[0][:200]


def _headlines(run: Run) -> Iterable[Headline]:
    if isinstance(run, Session):
        yield from _rival_headlines(run)
    elif isinstance(run, ScalingSession):
        for curve in run.curves:
            if curve.topology == "changed":
                yield from _curve_headlines(curve)


def _rival_headlines(session: Session) -> Iterable[Headline]:
    view = rival_charts.View(session)
    scenario = rival_charts.main_scenario(view)
    if scenario is None or session.tool != rival_charts.RIVALS:
        return
    found = view.spreads(scenario, lambda sample: rival_charts.US_PER_S / sample.server_cpu_us_per_call)
    for name in ("ours-native", "ours-grpcio"):
        if name in found:
            label = f"heartbeats per second and core, {view.titles[name]}"
            note = f"{significant(found[name].low)} … {significant(found[name].high)}, rounds: {found[name].rounds}"
            yield Headline(significant(found[name].median), label, note)


def _curve_headlines(curve: Curve) -> Iterable[Headline]:
    sizes = sorted({point.nodes for point in curve.beats})
    growth = curve.growth
    yield Headline(
        f"× {growth.median:.2f}",
        f"cost of a heartbeat at {sizes[-1]:,} nodes over {sizes[0]:,}, {curve.label}",
        f"{growth.low:.2f} … {growth.high:.2f}, rounds: {growth.rounds}",
    )
    first_way_up = [point for point in curve.memory if point.round == 0]
    if first_way_up:
        grown = first_way_up[-1].rss_anon_kib - first_way_up[0].rss_anon_kib
        label = f"memory of {first_way_up[-1].nodes:,} nodes, {curve.label}"
        yield Headline(f"{grown / KIB_PER_MIB:.1f} MiB", label, "growth of RssAnon")


def _sections(runs: Sequence[Run]) -> Iterable[Section]:
    for run in runs:
        if isinstance(run, Session):
            yield _rivals(run)
        elif isinstance(run, ScalingSession):
            yield _scaling(run)
    if loads := [run for run in runs if isinstance(run, LoadRun)]:
        yield _load(loads)
    for run in runs:
        if isinstance(run, MicroRun):
            yield _micro(run)
        elif isinstance(run, Record):
            yield _record(run)


def _figures(charts: Iterable[object]) -> list[Block]:
    return [Figure(chart) for chart in charts]  # type: ignore[arg-type]  # every maker returns charts


def _rivals(session: Session) -> Section:
    drawn = openloop_charts if session.tool == openloop_charts.TOOL else rival_charts
    blocks = _figures(drawn.charts(session))
    view = rival_charts.View(session)
    for scenario in view.scenarios:
        rows = [
            [view.titles[name], *_rival_cells(view.samples(scenario, name))]
            for name in view.titles
            if view.samples(scenario, name)
        ]
        heads = ["server", "req/s", "CPU µs per call", "p50 µs", "p95 µs", "p99 µs", "RssAnon MiB", "answer bytes"]
        blocks += [Text(f"{scenario.label} (medians; rounds: {session.rounds})"), Table(heads, rows)]
    blocks.append(Bullets([f"{subject.title}: {subject.version}" for subject in session.subjects]))
    blocks.append(Code(f"python -m {session.tool} {shlex.join(session.command)}".rstrip()))
    return Section(RIVAL_TITLES.get(session.tool, session.tool), blocks)


def _rival_cells(samples: Sequence[Sample]) -> list[str]:
    def median(of: Iterable[float]) -> str:
        return significant(spread(of).median)

    return [
        median(sample.requests_per_s for sample in samples),
        median(sample.server_cpu_us_per_call for sample in samples),
        median(sample.latency.p50_us for sample in samples),
        median(sample.latency.p95_us for sample in samples),
        median(sample.latency.p99_us for sample in samples),
        median(sample.rss_anon_kib / KIB_PER_MIB for sample in samples),
        f"{samples[0].answer_bytes:,}",
    ]


def _scaling(session: ScalingSession) -> Section:
    blocks = _figures(scaling_charts.charts(session))
    heads = ["server", "nodes", "CPU µs per beat", "lowest … highest", "bytes per answer"]
    rows = []
    for curve in session.curves:
        for size in sorted({point.nodes for point in curve.beats}):
            points = [point for point in curve.beats if point.nodes == size]
            cost = spread(point.server_cpu_us_per_call for point in points)
            ends = f"{significant(cost.low)} … {significant(cost.high)}"
            answer = quantity(points[0].answer_bytes, BYTES)
            rows.append([curve.label, f"{size:,}", significant(cost.median), ends, answer])
    blocks.append(Table(heads, rows))
    fills = [
        f"{curve.label}: {fill.nodes:,} nodes joined in {fill.seconds:.1f} s ({fill.nodes / fill.seconds:,.0f} per "
        f"second, {fill.in_flight} at a time, members left out of the answers, each durable when answered)"
        for curve in session.curves
        for fill in curve.fills
    ]
    blocks += [Bullets(fills), Code(f"python -m bench.scaling {shlex.join(session.command)}".rstrip())]
    return Section("As the cluster grows", blocks)


def _load(runs: Sequence[LoadRun]) -> Section:
    blocks = _figures(load_charts.charts(runs))
    heads = ["scenario", "users", "shape", "seconds", "requests", "failures", "generator CPU", "verdict"]
    rows = [
        [
            run.scenario,
            f"{run.users:,}",
            run.shape,
            f"{run.duration_s:.0f}",
            f"{run.requests:,}",
            f"{run.failures:,}",
            f"{run.generator_cpu_percent:.0f} %",
            "passed" if run.exit_code == 0 else "; ".join(run.reasons),
        ]
        for run in runs
    ]
    commands = [
        f"locust -f loadtests/{run.scenario}.py --host HOST:PORT --headless --users {run.users} "
        f"--run-time {run.duration_s:.0f}s" + (f" --shape {run.shape}" if run.shape != "constant" else "")
        for run in runs
    ]
    return Section("Load scenarios", [*blocks, Table(heads, rows), Code("\n".join(commands))])


def _micro(run: MicroRun) -> Section:
    heads = ["benchmark", "median µs", "quartiles µs", "rounds", "server CPU µs"]
    rows = [
        [
            benchmark.name,
            significant(benchmark.stats.median * 1e6),
            f"{significant(benchmark.stats.q1 * 1e6)} … {significant(benchmark.stats.q3 * 1e6)}",
            str(benchmark.stats.rounds),
            significant(cpu) if (cpu := benchmark.extra_info.get("server_cpu_us_per_call")) else "",
        ]
        for benchmark in run.benchmarks
    ]
    command = Code("pytest bench --benchmark-only --benchmark-json FILE")
    return Section("Benchmarks", [Text("Time of one call."), Table(heads, rows), command])


def _record(run: Record) -> Section:
    seed = "" if run.seed is None else f", seed {run.seed}"
    told = Text(f"Commit {run.commit}{seed}, {run.seconds:,.0f} s.")
    return Section(run.title, [told, Table(run.columns, run.rows), Code(run.command)])


def _machine(machine: Machine) -> Section:
    rows = [
        ["processor", f"{machine.cpu}, {machine.cores} cores"],
        ["kernel", machine.kernel],
        ["Python", machine.python],
        ["load average", " ".join(f"{value:.2f}" for value in machine.load_average)],
        *([name, version] for name, version in machine.versions.items()),
    ]
    return Section("Machine and versions", [Table(["", ""], rows)])
