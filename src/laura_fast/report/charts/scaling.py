"""Charts of how costs grow with the number of nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from matplotlib.ticker import FuncFormatter

from laura_fast.report.charts.style import MARKERS, OTHERS, OURS, Chart, Sheet, log_axis
from laura_fast.report.spread import BYTES, Spread, quantity, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from matplotlib.axes import Axes

    from laura_fast.report.raw.scaling import Curve, ScalingSession

COLOURS: Final = {"native": OURS["ours-native"], "grpcio": OURS["ours-grpcio"]}
ALWAYS: Final = OTHERS[0]
LISTED: Final = OTHERS[3]
OMITTED: Final = OTHERS[1]
KIB_PER_MIB: Final = 1024


def charts(session: ScalingSession) -> list[Chart]:
    """Every chart that the session has data for."""
    found = [beat_cost(session)]
    if any(curve.joins for curve in session.curves):
        found.append(join_cost(session))
    if any(curve.memory for curve in session.curves):
        found.append(memory(session))
    return found


def beat_cost(session: ScalingSession) -> Chart:
    """CPU per heartbeat and bytes per answer by nodes."""
    sheet = Sheet(4.6, 2)
    cpu, size = sheet.axes
    for number, curve in enumerate(session.curves):
        draw = _Draw(_colour(curve), MARKERS[number], curve.label)
        draw(cpu, _by_nodes(curve.beats, lambda point: point.server_cpu_us_per_call))
        draw(size, _by_nodes(curve.beats, lambda point: point.answer_bytes))
    _nodes_axis(cpu, session)
    _nodes_axis(size, session)
    log_axis(cpu.yaxis)
    cpu.set_ylabel("server CPU per heartbeat, µs, log scale")
    _bytes_axis(size)
    size.set_ylabel("bytes of one answer, log scale")
    sheet.legend_below()
    return sheet.finish(
        "heartbeat-by-nodes",
        "How does the cost of a heartbeat grow with the cluster?",
        f"Flat is what a large cluster needs. One server process per line, {session.connections} connections × "
        f"{session.streams} streams, all members beat in turn. Marker: median of {session.rounds} rounds; line through "
        "it: lowest to highest. Topology in every answer is what LauraDB's own server does.",
    )


def join_cost(session: ScalingSession) -> Chart:
    """Time and bytes per registration by nodes."""
    sheet = Sheet(4.6, 2)
    time, size = sheet.axes
    for number, curve in enumerate(one for one in session.curves if one.joins):
        for omit, colour in ((False, LISTED), (True, OMITTED)):
            points = [point for point in curve.joins if point.omit_members is omit]
            words = "members left out" if omit else "members listed"
            draw = _Draw(colour, MARKERS[number], f"{curve.label}, {words}")
            draw(time, _by_nodes(points, lambda point: point.ms_per_join))
            draw(size, _by_nodes(points, lambda point: point.answer_bytes))
    _nodes_axis(time, session)
    _nodes_axis(size, session)
    log_axis(time.yaxis)
    time.set_ylabel("time of one registration, ms, log scale")
    _bytes_axis(size)
    size.set_ylabel("bytes of one answer, log scale")
    sheet.legend_below()
    return sheet.finish(
        "registration-by-nodes",
        "How does a registration grow with the cluster?",
        "Lower is better. One registration after the other, each on disk before it is answered. The contract's answer "
        "lists every member twice, so it must grow; a node that asks to leave them out pays the same at any size.",
    )


def memory(session: ScalingSession) -> Chart:
    """RssAnon by nodes on the first way up."""
    sheet = Sheet(4.2)
    for number, curve in enumerate(one for one in session.curves if one.memory and one.topology == "changed"):
        points = [point for point in curve.memory if point.round == 0]
        start = points[0].rss_anon_kib
        label = f"{curve.label}: starts at {start / KIB_PER_MIB:.0f} MiB"
        grown = {point.nodes: spread([(point.rss_anon_kib - start) / KIB_PER_MIB]) for point in points}
        _Draw(_colour(curve), MARKERS[number], label)(sheet.ax, grown)
    _nodes_axis(sheet.ax, session)
    sheet.ax.set_ylim(bottom=0)
    sheet.ax.set_ylabel("growth of anonymous memory, MiB")
    sheet.legend_below()
    return sheet.finish(
        "memory-by-nodes",
        "How much memory do the nodes take?",
        "Lower is better. RssAnon of the server after the beats of each size, the first time it was reached, over its "
        "value at the smallest. A heap that shrank keeps its pages, so later rounds tell nothing more.",
    )


class _Draw:
    """One curve's look, drawn into several axes."""

    def __init__(self, colour: str, marker: str, label: str) -> None:
        self._look: dict[str, Any] = {"color": colour, "marker": marker, "label": label, "elinewidth": 1.0}

    def __call__(self, ax: Axes, found: dict[int, Spread]) -> None:
        values = list(found.values())
        ax.errorbar(
            list(found),
            [value.median for value in values],
            yerr=list(zip(*(value.whiskers for value in values), strict=True)),
            **self._look,
        )


def _by_nodes(points: Iterable[Any], of: Callable[[Any], float]) -> dict[int, Spread]:
    grouped: dict[int, list[float]] = {}
    for point in points:
        grouped.setdefault(point.nodes, []).append(of(point))
    return {nodes: spread(grouped[nodes]) for nodes in sorted(grouped)}


def _colour(curve: Curve) -> str:
    return ALWAYS if curve.topology == "always" else COLOURS.get(curve.transport, OTHERS[5])


def _nodes_axis(ax: Axes, session: ScalingSession) -> None:
    log_axis(ax.xaxis, sorted({point.nodes for curve in session.curves for point in curve.beats}))
    ax.set_xlabel("registered nodes, log scale")


def _bytes_axis(ax: Axes) -> None:
    log_axis(ax.yaxis)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: quantity(value, BYTES)))
