"""Charts of a session of rivals."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from laura_fast.report.charts.style import Chart, Look, Sheet, log_axis, looks
from laura_fast.report.spread import Spread, significant, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from matplotlib.axes import Axes

    from laura_fast.report.raw.rivals import Sample, Scenario, Session

US_PER_S: Final = 1e6
PERCENTILES: Final = ("p50_us", "p90_us", "p95_us", "p99_us", "max_us")
RIVALS: Final = "bench.rivals"
"""The tool whose sessions compare servers; other sessions compare callers of few servers."""
ROW_IN: Final = 0.36
"""Height of one row of a ranking."""


class View:
    """A session, grouped for drawing."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.titles = {subject.name: subject.title for subject in session.subjects}
        self.looks: dict[str, Look] = looks(list(self.titles))
        self.scenarios = list(dict.fromkeys(sample.scenario for sample in session.samples))
        self._groups: dict[tuple[Scenario, str], list[Sample]] = defaultdict(list)
        for sample in session.samples:
            self._groups[sample.scenario, sample.subject].append(sample)

    def samples(self, scenario: Scenario, subject: str) -> list[Sample]:
        """All rounds of one subject in one scenario."""
        return self._groups.get((scenario, subject), [])

    def spreads(self, scenario: Scenario, of: Callable[[Sample], float]) -> dict[str, Spread]:
        """A figure's spread for each subject that ran the scenario, in the session's order."""
        found = {name: self.samples(scenario, name) for name in self.titles}
        return {name: spread(map(of, samples)) for name, samples in found.items() if samples}

    def matching(self, fits: Callable[[Scenario], bool]) -> list[Scenario]:
        """Scenarios of one kind, in the order they were planned."""
        return [scenario for scenario in self.scenarios if fits(scenario)]


def in_flight(scenario: Scenario) -> int:
    """Requests that may be open at once."""
    return scenario.connections * scenario.streams


def closed(scenario: Scenario) -> bool:
    """A closed loop of h2load's heartbeats in the usual topology mode."""
    return (
        scenario.call == "heartbeat"
        and scenario.client == "h2load"
        and not scenario.rps
        and not scenario.load_percent
        and scenario.topology == "changed"
    )


def main_scenario(view: View) -> Scenario | None:
    """The closed loop that stands for the session: ten by ten where it ran, else the shape that most subjects ran."""
    candidates = view.matching(closed)
    shape = [scenario for scenario in candidates if (scenario.connections, scenario.streams) == (10, 10)]
    ranked = shape or candidates
    return max(ranked, key=lambda one: len(view.spreads(one, lambda _: 0.0)), default=None)


def charts(session: Session) -> list[Chart]:
    """Every chart that the session has data for."""
    view = View(session)
    against_others = (per_core, ratio_chart, throughput, latency, under_load, cost_by_nodes, registration)
    makers = against_others if session.tool == RIVALS else (by_client,)
    return [chart for maker in makers if (chart := maker(view)) is not None]


def per_core(view: View) -> Chart | None:
    """Heartbeats per second of one core."""
    scenario = main_scenario(view)
    if scenario is None:
        return None
    found = view.spreads(scenario, lambda sample: US_PER_S / sample.server_cpu_us_per_call)
    sheet = _ranking(view, found, "heartbeats per second and core (server CPU only), log scale")
    return sheet.finish(
        "heartbeats-per-core",
        "How many heartbeats does one core answer?",
        f"Right is better. One second of server CPU time over CPU time per call, closed loop with "
        f"{scenario.connections} connections × {scenario.streams} streams, {scenario.nodes} nodes. Dot: median round; "
        "line: lowest to highest round. Pale: another question, shown as a mark on the scale.",
    )


def registration(view: View) -> Chart | None:
    """Registrations per second."""
    scenarios = view.matching(lambda one: one.call == "registration")
    if not scenarios:
        return None
    largest = max(scenarios, key=lambda one: one.nodes)
    found = view.spreads(largest, lambda sample: sample.requests_per_s)
    sheet = _ranking(view, found, "registrations per second, log scale")
    return sheet.finish(
        "registrations-by-rival",
        "How fast do nodes join?",
        f"Right is better. {largest.nodes} nodes join an empty cluster, {in_flight(largest)} at a time. Only "
        "laura_fast makes each one durable before it answers; the others keep it in memory.",
    )


def _ranking(view: View, found: dict[str, Spread], label: str) -> Sheet:
    """One row per subject, the best on top. Dots, since a bar's length means nothing on a logarithmic scale."""
    ranked = sorted(found.items(), key=lambda item: item[1].median)
    sheet = Sheet(1.4 + ROW_IN * len(ranked))
    for place, (name, value) in enumerate(ranked):
        _row(sheet.ax, place, value, view.looks[name], significant(value.median))
    _rows_axis(sheet.ax, [view.titles[name] for name, _ in ranked], label)
    sheet.ax.set_xlim(right=max(value.high for _, value in ranked) * 2.2)
    return sheet


def _row(ax: Axes, place: int, value: Spread, look: Look, text: str) -> None:
    """A dot with its spread and its number."""
    ax.hlines(place, value.low, value.high, color=look.colour, alpha=look.alpha, linewidth=3)
    ax.plot(value.median, place, look.marker, color=look.colour, alpha=look.alpha, markersize=9)
    label = ax.annotate(text, (value.high, place), xytext=(9, 0), textcoords="offset points", va="center", fontsize=9)
    label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})


def _rows_axis(ax: Axes, names: Sequence[str], label: str) -> None:
    log_axis(ax.xaxis)
    ax.set_ylim(-0.7, len(names) - 0.3)
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel(label)


def ratio_chart(view: View) -> Chart | None:
    """CPU per call of every rival over the baseline's."""
    scenario = main_scenario(view)
    ratios = [
        ratio
        for ratio in view.session.ratios
        if ratio.scenario == scenario and ratio.metric == "server_cpu_us_per_call" and ratio.subject in view.titles
    ]
    if not ratios or scenario is None:
        return None
    ratios.sort(key=lambda ratio: -ratio.estimate)
    sheet = Sheet(1.4 + ROW_IN * len(ratios))
    spreads = [Spread(one.estimate, one.low or one.estimate, one.high or one.estimate, one.rounds) for one in ratios]
    sheet.ax.axvline(1.0, color="#333333", linewidth=1.2)
    for place, (ratio, value) in enumerate(zip(ratios, spreads, strict=True)):
        _row(sheet.ax, place, value, view.looks[ratio.subject], f"× {significant(ratio.estimate)}")
    baseline = view.titles.get(ratios[0].baseline, ratios[0].baseline)
    label = f"server CPU per heartbeat, as a multiple of {baseline} (log scale)"
    _rows_axis(sheet.ax, [view.titles[ratio.subject] for ratio in ratios], label)
    sheet.ax.set_xlim(min(0.8, *(one.low for one in spreads)) / 1.3, max(1.25, *(one.high for one in spreads)) * 2)
    certain = all(ratio.low is not None for ratio in ratios)
    interval = "95 % bootstrap interval" if certain else "too few rounds for an interval"
    return sheet.finish(
        "cpu-ratio",
        f"What does a heartbeat cost elsewhere, compared with {baseline}?",
        f"Right of the line: costs more CPU than {baseline}. Paired by round, {ratios[0].rounds} of them; "
        f"dot: median ratio; line: {interval}.",
    )


def throughput(view: View) -> Chart | None:
    """Requests per second by concurrency."""
    scenarios = sorted(view.matching(closed), key=lambda one: (in_flight(one), one.connections))
    nodes = {scenario.nodes for scenario in scenarios}
    scenarios = [scenario for scenario in scenarios if scenario.nodes == min(nodes)]
    if len(scenarios) < 2:  # noqa: PLR2004 - a line needs two points
        return None
    sheet = Sheet(4.8)
    ticks = [f"{one.connections}×{one.streams}" for one in scenarios]
    lines(
        sheet.ax,
        view,
        [(place, one) for place, one in enumerate(scenarios)],
        lambda sample: sample.requests_per_s,
    )
    log_axis(sheet.ax.yaxis)
    sheet.ax.set_xticks(range(len(scenarios)), ticks)
    sheet.ax.set_xlabel("connections × streams on each: requests in flight grow to the right")
    sheet.ax.set_ylabel("heartbeats per second, log scale")
    sheet.legend_below()
    return sheet.finish(
        "throughput-by-concurrency",
        "How does throughput grow with concurrency?",
        "Higher is better. Closed loop: every stream sends its next heartbeat when the last is answered. Marker: "
        "median round; line through it: lowest to highest. Where the load generator was full, the truth is higher.",
    )


def latency(view: View) -> Chart | None:
    """Percentiles at fixed rates."""
    scenarios = sorted(view.matching(lambda one: one.call == "heartbeat" and one.rps > 0), key=lambda one: one.rps)
    scenarios = [scenario for scenario in scenarios if scenario.topology == "changed"][:3]
    if not scenarios:
        return None
    sheet = Sheet(4.8, len(scenarios), share_y=True)
    for ax, scenario in zip(sheet.axes, scenarios, strict=True):
        for name in view.titles:
            _percentiles(ax, view, scenario, name)
        ax.set_title(f"{scenario.rps:,} per second", fontsize=11)
        log_axis(ax.yaxis)
        ax.set_xlim(-0.3, len(PERCENTILES) - 0.7)
    sheet.ax.set_ylabel("latency, milliseconds, log scale")
    sheet.legend_below()
    return sheet.finish(
        "latency-percentiles",
        "How long does a heartbeat take at a fixed rate?",
        "Lower is better. Open loop: requests leave on a timer whether or not earlier ones were answered, so waiting "
        "counts. Median over the rounds of each round's percentile.",
    )


def _percentiles(ax: Axes, view: View, scenario: Scenario, name: str) -> None:
    samples, look = view.samples(scenario, name), view.looks[name]
    points = []
    for place, percentile in enumerate(PERCENTILES):
        values = [value for sample in samples if (value := getattr(sample.latency, percentile)) is not None]
        if values:
            points.append((place, spread(values).median / 1000))
    if points:
        ax.plot(
            *zip(*points, strict=True),
            marker=look.marker,
            color=look.colour,
            alpha=look.alpha,
            label=view.titles[name],
        )
    ax.set_xticks(range(len(PERCENTILES)), [name.removesuffix("_us") for name in PERCENTILES])


def under_load(view: View) -> Chart | None:
    """p99 at shares of each subject's own capacity."""
    scenarios = sorted(view.matching(lambda one: one.load_percent > 0), key=lambda one: one.load_percent)
    if not scenarios:
        return None
    sheet = Sheet(4.6)
    points = [(scenario.load_percent, scenario) for scenario in scenarios]
    lines(sheet.ax, view, points, lambda sample: sample.latency.p99_us / 1000)
    log_axis(sheet.ax.yaxis)
    sheet.ax.set_xticks([percent for percent, _ in points], [f"{percent} %" for percent, _ in points])
    sheet.ax.set_xlabel("load, as a share of the server's own closed-loop maximum")
    sheet.ax.set_ylabel("p99 latency, milliseconds, log scale")
    sheet.legend_below()
    return sheet.finish(
        "p99-under-load",
        "Where does p99 go as a server fills up?",
        "Lower is better. Open loop at 50, 80 and 95 % of what the same process answered just before. Each server has "
        "a maximum of its own, so compare the bend of the lines, not their height.",
    )


def cost_by_nodes(view: View) -> Chart | None:
    """CPU per call by registered nodes, against every rival."""
    scenarios = [one for one in view.scenarios if one.call == "heartbeat" and not one.rps and not one.load_percent]
    sizes = sorted({one.nodes for one in scenarios})
    modes = [mode for mode in ("changed", "always") if any(one.topology == mode for one in scenarios)]
    if len(sizes) < 2:  # noqa: PLR2004 - a line needs two points
        return None
    shape = next((one.connections, one.streams) for one in scenarios)
    sheet = Sheet(4.8, len(modes), share_y=True)
    for ax, mode in zip(sheet.axes, modes, strict=True):
        fitting = [one for one in scenarios if one.topology == mode and (one.connections, one.streams) == shape]
        points: list[tuple[float, Scenario]] = sorted(((one.nodes, one) for one in fitting), key=lambda pair: pair[0])
        lines(ax, view, points, lambda sample: sample.server_cpu_us_per_call)
        log_axis(ax.xaxis, sizes)
        log_axis(ax.yaxis)
        ax.set_xlabel("registered nodes, log scale")
        ax.set_title("topology only when it changed" if mode == "changed" else "topology in every answer", fontsize=11)
    sheet.ax.set_ylabel("server CPU per heartbeat, µs, log scale")
    sheet.legend_below()
    return sheet.finish(
        "cost-by-nodes-and-rival",
        "How does the cost of a heartbeat grow with the cluster, on each stack?",
        "Flat is what a large cluster needs. On the right every answer carries the whole topology.",
    )


def lines(ax: Axes, view: View, points: Sequence[tuple[float, Scenario]], of: Callable[[Sample], float]) -> None:
    """One line per subject through the medians, the spread at each point; points are nudged apart sideways."""
    for name, look in view.looks.items():
        drawn = [(x, spread(map(of, samples))) for x, one in points if (samples := view.samples(one, name))]
        if drawn:
            _line(ax, drawn, look, view.titles[name])


def _line(ax: Axes, drawn: Iterable[tuple[float, Spread]], look: Look, label: str) -> None:
    pairs = list(drawn)
    ax.errorbar(
        [x for x, _ in pairs],
        [value.median for _, value in pairs],
        yerr=list(zip(*(value.whiskers for _, value in pairs), strict=True)),
        marker=look.marker,
        color=look.colour,
        alpha=look.alpha,
        elinewidth=1.0,
        label=label,
    )


def by_client(view: View) -> Chart | None:
    """CPU per call in every scenario of a session that compares kinds of callers."""
    if not view.scenarios:
        return None
    scenarios = list(reversed(view.scenarios))
    sheet = Sheet(2.2 + 1.4 * ROW_IN * len(scenarios))
    for name, look in view.looks.items():
        found = [(place, view.samples(one, name)) for place, one in enumerate(scenarios)]
        drawn = [(place, spread(one.server_cpu_us_per_call for one in samples)) for place, samples in found if samples]
        sheet.ax.errorbar(
            [value.median for _, value in drawn],
            [place for place, _ in drawn],
            xerr=list(zip(*(value.whiskers for _, value in drawn), strict=True)),
            fmt=look.marker,
            color=look.colour,
            markersize=9,
            label=view.titles[name],
        )
    _rows_axis(sheet.ax, [_caller(one) for one in scenarios], "server CPU per call or message, µs, log scale")
    sheet.legend_below()
    return sheet.finish(
        "cpu-by-client",
        "What does a call cost with each kind of caller?",
        "Left is better. Real clients set deadlines and change header fields from call to call, which h2load does not; "
        "a stream carries many beats in one call. Dot: median round; line: lowest to highest.",
    )


def _caller(scenario: Scenario) -> str:
    kind = "stream of beats" if scenario.call == "heartbeat_stream" else scenario.call
    depth = f"×{scenario.in_flight}" if scenario.in_flight > 1 else ""
    return f"{kind}, {scenario.client}, {scenario.connections}×{scenario.streams}{depth}"
