"""A document as one HTML page that fetches nothing: styles and charts are inside."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from laura_fast.report.document import Bullets, Code, Figure, Table, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.report.document import Block, Document, Headline, Section

STYLE: Final = files("laura_fast.report").joinpath("page.css").read_text(encoding="utf-8")
FOLD_TABLES_FROM: Final = 3
"""A section with more tables than this folds them away under one click."""


def render(document: Document) -> str:
    """The whole page."""
    body = [
        f"<h1>{escape(document.title)}</h1>",
        f'<p class="subtitle">{escape(document.subtitle)}</p>',
        f'<div class="caveats"><h2>Caveats first</h2>{_list(document.caveats)}</div>',
        _headlines(document.headlines),
        _contents(document.sections),
        *(_section(number, section) for number, section in enumerate(document.sections)),
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{escape(document.title)}</title><style>{STYLE}</style>'
    )
    main = "\n".join(body)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body><main>\n{main}\n</main></body></html>\n'


def _headlines(headlines: Sequence[Headline]) -> str:
    cards = [
        f'<div class="headline"><b>{escape(one.value)}</b><span>{escape(one.label)}</span>'
        f"<small>{escape(one.note)}</small></div>"
        for one in headlines
    ]
    return f'<div class="headlines">{"".join(cards)}</div>' if cards else ""


def _contents(sections: Sequence[Section]) -> str:
    links = (f'<a href="#s{number}">{escape(section.title)}</a>' for number, section in enumerate(sections))
    return f"<nav>{''.join(links)}</nav>"


def _section(number: int, section: Section) -> str:
    """Charts first; many tables are folded."""
    title = f'<h2 id="s{number}">{escape(section.title)}</h2>'
    tables = sum(isinstance(block, Table) for block in section.blocks)
    if tables <= FOLD_TABLES_FROM:
        return title + "\n".join(map(_block, section.blocks))
    shown = [block for block in section.blocks if isinstance(block, Figure | Code | Bullets)]
    folded = [block for block in section.blocks if isinstance(block, Table | Text)]
    details = f"<details><summary>All figures ({tables} tables)</summary>{''.join(map(_block, folded))}</details>"
    figures = [block for block in shown if isinstance(block, Figure)]
    rest = [block for block in shown if not isinstance(block, Figure)]
    return title + "".join(map(_block, figures)) + details + "".join(map(_block, rest))


def _block(block: Block) -> str:
    match block:
        case Text(text):
            return f'<p class="label">{escape(text)}</p>'
        case Bullets(items):
            return _list(items)
        case Code(text):
            return f"<pre>{escape(text)}</pre>"
        case Table(heads, rows):
            return _table(heads, rows)
        case Figure(chart):
            title, caption = f"<h3>{escape(chart.title)}</h3>", f"<figcaption>{escape(chart.caption)}</figcaption>"
            return f'<figure id="{chart.name}">{title}{_own_ids(chart.svg, chart.name)}{caption}</figure>'


def _own_ids(svg: str, name: str) -> str:
    """Ids of several inline drawings share one page: each gets its chart's name."""
    for before in ('id="', 'xlink:href="#', "url(#"):
        svg = svg.replace(before, f"{before}{name}-")
    return svg


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads) if any(heads) else ""
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _list(items: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>" if items else ""
