"""What all charts have in common."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from laura_fast.report.spread import significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

OURS: Final = {"ours-native": "#0072B2", "ours-grpcio": "#56B4E9"}
OTHERS: Final = ("#E69F00", "#009E73", "#CC79A7", "#D55E00", "#6A5ACD", "#000000", "#8C6D31", "#999999")
"""Okabe and Ito's colours, told apart with every kind of colour blindness; the marker repeats the difference."""
MARKERS: Final = "osD^vPX*<>"
SCALE_MARKS: Final = ("etcd", "nghttpd", "redis")
"""How the names of subjects begin that answer another question: shown pale, as marks on the scale."""

WIDTH_IN: Final = 8.6
PNG_DPI: Final = 144
PALE: Final = 0.45
SHORT_RANGE: Final = 100
RC: Final[dict[Any, Any]] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": "#333333",
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
    "errorbar.capsize": 3,
    "svg.hashsalt": "laura_fast",  # the same figures give the same bytes
    "svg.fonttype": "path",  # a page that fetches nothing can't rely on fonts either
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A finished chart.

    Attributes:
        name: File name without suffix.
        title: The question it answers.
        caption: How to read it, in one or two sentences.
    """

    name: str
    title: str
    caption: str
    png: bytes
    svg: str


@dataclass(frozen=True, slots=True)
class Look:
    """How one subject is drawn in every chart of a page."""

    colour: str
    marker: str
    alpha: float


def looks(names: Sequence[str]) -> dict[str, Look]:
    """A look for every name; ours are blue on every page."""
    others = iter(OTHERS * (len(names) // len(OTHERS) + 1))
    return {
        name: Look(
            OURS.get(name) or next(others), MARKERS[index % len(MARKERS)], 0.45 if name.startswith(SCALE_MARKS) else 1.0
        )
        for index, name in enumerate(names)
    }


class Sheet:
    """A canvas with axes in the common style; `finish` turns it into a chart."""

    def __init__(self, height_in: float, columns: int = 1, *, share_y: bool = False) -> None:
        with mpl.rc_context(RC):
            self.canvas = Canvas(figsize=(WIDTH_IN, height_in), layout="constrained")
            self.axes: list[Axes] = list(self.canvas.subplots(1, columns, squeeze=False, sharey=share_y)[0])

    @property
    def ax(self) -> Axes:
        """The first or only axes."""
        return self.axes[0]

    def legend_below(self, columns: int = 2) -> None:
        """One legend for all axes, under them, where it can't cover data."""
        handles, labels = self.ax.get_legend_handles_labels()
        for ax in self.axes[1:]:
            more_handles, more_labels = ax.get_legend_handles_labels()
            for handle, label in zip(more_handles, more_labels, strict=True):
                if label not in labels:
                    handles.append(handle)
                    labels.append(label)
        self.canvas.legend(handles, labels, loc="outside lower left", ncols=columns, frameon=False)

    def finish(self, name: str, title: str, caption: str) -> Chart:
        """Draws once as PNG, which may travel alone and so bears its title, and once as SVG for the page."""
        png, svg = io.BytesIO(), io.StringIO()
        for ax in self.axes:
            _label_short_ranges(ax)
        with mpl.rc_context(RC):
            heading = self.canvas.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")
            self.canvas.savefig(png, format="png", dpi=PNG_DPI, metadata={"Software": None})
            heading.set_visible(False)
            heading.set_in_layout(False)
            self.canvas.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        text = svg.getvalue()
        return Chart(name, title, caption, png.getvalue(), text[text.index("<svg") :])


def _label_short_ranges(ax: Axes) -> None:
    """Less than two powers of ten would leave a logarithmic axis with one number on it."""
    for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        if axis.get_scale() == "log" and high / low < SHORT_RANGE and isinstance(axis.get_major_locator(), LogLocator):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))


def log_axis(axis: Any, ticks: Sequence[float] | None = None) -> None:
    """A logarithmic axis with numbers, not powers, on it."""
    axis._set_axes_scale("log")  # noqa: SLF001 - the public setters are named per axis
    axis.set_major_formatter(FuncFormatter(lambda value, _: significant(value)))
    axis.set_minor_formatter(NullFormatter())
    if ticks is not None:
        axis.set_ticks(list(ticks))
        axis.set_ticks([], minor=True)
