"""A report as plain values: sections of text, tables and charts, rendered to Markdown and to HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.report.charts.style import Chart


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Code:
    """A command to copy."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Cells are text; the first column is a name, the others are figures."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its caption."""

    chart: Chart


@dataclass(frozen=True, slots=True)
class Headline:
    """One number that stands for a section: value, what it is, and how to read it."""

    value: str
    label: str
    note: str = ""


Block = Text | Bullets | Code | Table | Figure


@dataclass(slots=True)
class Section:
    """A heading and what follows it."""

    title: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class Document:
    """Caveats come first, always."""

    title: str
    subtitle: str
    caveats: Sequence[str]
    headlines: Sequence[Headline]
    sections: Sequence[Section]

    @property
    def charts(self) -> list[Chart]:
        """Every chart, in order."""
        return [block.chart for section in self.sections for block in section.blocks if isinstance(block, Figure)]
