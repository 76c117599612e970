"""The chart of a session that offers a server more and more load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.report.charts.rivals import View, lines
from laura_fast.report.charts.style import Chart, Sheet, log_axis

if TYPE_CHECKING:
    from laura_fast.report.raw.rivals import Sample, Session

TOOL: Final = "bench.openloop"
PERCENTILES: Final = {"p50_us": "p50", "p99_us": "p99", "p999_us": "p99.9"}


def charts(session: Session) -> list[Chart]:
    """Latency against offered load."""
    view = View(session)
    scenarios = sorted(view.matching(lambda one: one.rps > 0), key=lambda one: one.rps)
    if not scenarios:
        return []
    sheet = Sheet(4.8, len(PERCENTILES), share_y=True)
    points = [(scenario.rps, scenario) for scenario in scenarios]
    for ax, (percentile, label) in zip(sheet.axes, PERCENTILES.items(), strict=True):
        lines(ax, view, points, lambda sample, percentile=percentile: _ms(sample, percentile))  # type: ignore[misc]  # bound now
        log_axis(ax.xaxis)
        log_axis(ax.yaxis)
        ax.set_title(label, fontsize=11)
    sheet.axes[len(PERCENTILES) // 2].set_xlabel("heartbeats offered per second, log scale")
    sheet.ax.set_ylabel("latency, milliseconds, log scale")
    sheet.legend_below()
    chart = sheet.finish(
        "latency-by-offered-load",
        "How long does a heartbeat take as more of them are asked for?",
        "Lower and further right is better. Open loop: arrival times are fixed in advance and latency counts from the "
        "intended time. Each line ends about where its server can do no more. Marker: median round; line through it: "
        "lowest to highest.",
    )
    return [chart]


def _ms(sample: Sample, percentile: str) -> float:
    value: float | None = getattr(sample.latency, percentile)
    return (value if value is not None else sample.latency.max_us) / 1000
