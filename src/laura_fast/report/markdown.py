"""A document as Markdown: `summary.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.report.document import Bullets, Code, Figure, Table, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.report.document import Block, Document


def render(document: Document) -> str:
    """The whole document; charts are linked as the PNG files beside it."""
    parts = [f"# {document.title}", document.subtitle, "## Caveats first", _bullets(document.caveats)]
    if document.headlines:
        parts += ["## In short", _bullets([f"**{one.value}** {one.label} ({one.note})" for one in document.headlines])]
    for section in document.sections:
        parts += [f"## {section.title}", *(_block(block) for block in section.blocks)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _block(block: Block) -> str:
    match block:
        case Text(text):
            return text
        case Bullets(items):
            return _bullets(items)
        case Code(text):
            return f"```sh\n{text}\n```"
        case Table(heads, rows):
            return table(heads, rows)
        case Figure(chart):
            return f"### {chart.title}\n\n![{chart.title}]({chart.name}.png)\n\n{chart.caption}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with its figures to the right; a bar inside a cell would end the cell."""
    rule = ["---", *["---:"] * (len(heads) - 1)]
    cells = [heads, rule, *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells)


def _bullets(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
