"""Charts of load scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.report.charts.style import MARKERS, OTHERS, OURS, Chart, Sheet, log_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.report.raw.load import LoadRun, Row

POINTS: Final = (("p50", "p50_ms"), ("p90", "p90_ms"), ("p99", "p99_ms"), ("p99.9", "p999_ms"), ("max", "max_ms"))
COLOURS: Final = (OURS["ours-native"], OTHERS[1], OTHERS[0], OTHERS[3], OTHERS[7])
ROW_IN: Final = 0.34


def charts(runs: Sequence[LoadRun]) -> list[Chart]:
    """One chart over all scenarios; none without a run."""
    rows = [(run, name, row) for run in runs for name, row in run.latencies.items()]
    return [_latencies(rows)] if rows else []


def _latencies(rows: Sequence[tuple[LoadRun, str, Row]]) -> Chart:
    """One line per RPC of a scenario: its percentiles as dots."""
    sheet = Sheet(1.8 + ROW_IN * len(rows))
    ax = sheet.ax
    for place, (_, _, row) in enumerate(reversed(rows)):
        ax.hlines(place, row.p50_ms, row.max_ms, color="#cccccc", linewidth=2, zorder=1)
    for (label, field), marker, colour in zip(POINTS, MARKERS, COLOURS, strict=False):
        values = [getattr(row, field) for _, _, row in reversed(rows)]
        ax.scatter(values, range(len(rows)), marker=marker, color=colour, label=label, s=34, zorder=2)
    ax.set_yticks(
        range(len(rows)),
        [f"{run.scenario} · {name.rpartition('/')[2]} ({row.count:,})" for run, name, row in reversed(rows)],
    )
    log_axis(ax.xaxis)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("latency at the client, milliseconds, log scale")
    sheet.legend_below(len(POINTS))
    return sheet.finish(
        "load-scenarios",
        "What do nodes, watchers and pollers see under load?",
        "Left is better. From HDR histograms of the load generator, a Python process itself, so read these as an upper "
        "bound. In brackets: requests measured.",
    )
