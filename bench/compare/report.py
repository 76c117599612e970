"""A comparison for readers: Markdown, JSON, and a chart of the intervals."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson

from bench.compare.verdicts import Verdict
from laura_fast.report.charts.style import Chart, Sheet
from laura_fast.report.markdown import table
from laura_fast.report.spread import significant

if TYPE_CHECKING:
    from pathlib import Path

    from bench.compare.comparison import Comparison
    from bench.compare.verdicts import Judged

COLOURS: Final = {Verdict.SLOWER: "#D55E00", Verdict.FASTER: "#009E73", Verdict.SAME: "#0072B2"}
UNDECIDED: Final = "#888888"
HEADS: Final = ("benchmark", "verdict", "change", "interval", "threshold", "ns before", "ns now")
FORMAT_VERSION: Final = 1


def percent(log: float) -> str:
    """A logarithm of a ratio as a change: 0.0488 → "+5.0 %"."""
    return f"{100 * math.expm1(log):+.1f} %"


def markdown(found: Comparison) -> str:
    """Verdict first, then times, counts, and what was not measured."""
    parts = [f"# Compared with {found.base[:12]}: {_outcome(found)}", _how(found)]
    if found.result.judged:
        parts.append(table(HEADS, _rows(found)))
    if counts := _count_rows(found):
        parts.append(table(["count per call", "verdict", "before", "now", "allowed"], counts))
    return "\n\n".join([*parts, *_notes(found)]) + "\n"


def _outcome(found: Comparison) -> str:
    if failures := found.failures:
        return f"SLOWER ({', '.join(failures)})"
    return "slower as accepted" if found.slower else "no slowdown found"


def _how(found: Comparison) -> str:
    dirty = sum(one.dirty for one in found.rounds)
    return (
        f"{len(found.rounds)} rounds in {found.seconds:.0f} s, {dirty} of them while the machine changed its speed; "
        f"seed {found.seed}. CPU time of a call, median of paired rounds, positive is slower."
    )


def _rows(found: Comparison) -> list[list[str]]:
    return [_row(found, name, judged) for name, judged in found.result.judged.items()] + [
        [name, verdict, "", "", "", "", ""]
        for names, verdict in ((found.survey.new, Verdict.NEW), (found.gone, Verdict.GONE))
        for name in names
    ]


def _row(found: Comparison, name: str, judged: Judged) -> list[str]:
    times = found.result.times[name]
    return [
        name,
        judged.verdict,
        percent(judged.estimate),
        f"{percent(judged.interval.low)} … {percent(judged.interval.high)}",
        f"±{100 * math.expm1(judged.threshold):.1f} %",
        significant(_middle(times.base)),
        significant(_middle(times.head)),
    ]


def _middle(values: Any) -> float:
    return float(sorted(values)[len(values) // 2])


def _count_rows(found: Comparison) -> list[list[str]]:
    return [
        [f"{name}: {kind}", one.verdict, significant(one.base, 6), significant(one.head, 6), f"+{one.tolerance:.0%}"]
        for name, counts in found.survey.counted.items()
        for kind, one in counts.items()
    ]


def _notes(found: Comparison) -> list[str]:
    notes = [f"- {kind} not counted: {reason}" for kind, reason in found.survey.skipped.items()]
    notes += [f"- {name} is NEW, the base can't run it: {reason}" for name, reason in found.survey.new.items()]
    for name, judged in found.result.again.items():
        confirmed = "again" if judged.verdict is Verdict.SLOWER else "not again, so it doesn't count"
        notes.append(f"- {name} was tried a second time with new seeds: {percent(judged.estimate)}, {confirmed}")
    for name, ratio in found.slower.items():
        if reason := found.acceptance(name, ratio):
            notes.append(f"- {name} is slower as accepted: {reason}")
    return ["\n".join(notes)] if notes else []


def as_json(found: Comparison) -> bytes:
    """Everything, down to the single round."""
    document = {
        "format_version": FORMAT_VERSION,
        "base": found.base,
        "seed": found.seed,
        "seconds": found.seconds,
        "failures": found.failures,
        "judged": {name: asdict(judged) for name, judged in found.result.judged.items()},
        "second_trial": {name: asdict(judged) for name, judged in found.result.again.items()},
        "counts": {
            name: {kind: {**asdict(one), "verdict": one.verdict} for kind, one in counts.items()}
            for name, counts in found.survey.counted.items()
        },
        "new": found.survey.new,
        "gone": found.gone,
        "skipped": found.survey.skipped,
        "rounds": [{**asdict(one), "dirty": one.dirty} for one in found.rounds],
    }
    return orjson.dumps(msgspec.to_builtins(document), option=orjson.OPT_INDENT_2)


def chart(found: Comparison) -> Chart:
    """Every benchmark's interval, with the band inside which nothing is said."""
    judged = found.result.judged
    sheet = Sheet(1.6 + 0.45 * len(judged))
    axes = sheet.ax
    for row, one in enumerate(judged.values()):
        low, middle, high, band = (
            100 * math.expm1(log) for log in (one.interval.low, one.estimate, one.interval.high, one.threshold)
        )
        colour = COLOURS.get(one.verdict, UNDECIDED)
        axes.barh(row, 2 * band, left=-band, height=0.7, color="#eeeeee")
        axes.plot([low, high], [row, row], color=colour)
        axes.plot(middle, row, "o", color=colour)
        axes.annotate(one.verdict, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    axes.axvline(0, color="#333333", linewidth=0.8)
    axes.set_yticks(range(len(judged)), list(judged))
    axes.invert_yaxis()
    axes.set_xlabel("change of CPU time per call, percent; right is slower")
    caption = "Median of paired rounds with its bootstrap interval; the grey band is what a change must exceed."
    return sheet.finish("compare", f"Compared with {found.base[:12]}", caption)


def write(found: Comparison, folder: Path) -> None:
    """`compare.md`, `compare.json` and `compare.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    text = markdown(found)
    if found.result.judged:
        drawn = chart(found)
        (folder / f"{drawn.name}.png").write_bytes(drawn.png)
        text += f"\n![{drawn.title}]({drawn.name}.png)\n\n{drawn.caption}\n"
    (folder / "compare.md").write_text(text, encoding="utf-8")
    (folder / "compare.json").write_bytes(as_json(found))
