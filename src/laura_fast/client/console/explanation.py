"""`explain`: the plan as a tree, with what was decided first and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text
from rich.tree import Tree

from laura_fast.client.console.cells import is_number, one_line, style_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def explanation_tree(title: str, explanation: Mapping[str, Any]) -> Tree:
    """Every value of the explanation, in its order: what fits a line as a line, the rest as branches."""
    tree = Tree(Text(title, "bold"), guide_style="dim")
    _grow(tree, explanation.items())
    return tree


def _grow(tree: Tree, pairs: Iterable[tuple[str, Any]]) -> None:
    for name, value in pairs:
        if not _branches(value):
            tree.add(Text.assemble((f"{one_line(name)}: ", "dim"), _line(value)))
        elif isinstance(value, dict):
            _grow(tree.add(Text(one_line(name), "dim")), value.items())
        else:
            _grow(tree.add(Text(name, "dim")), map(_named, enumerate(value, start=1)))


def _named(numbered: tuple[int, Any]) -> tuple[str, Any]:
    """An element of a list: by the first of its two values where it has no more, as in a list of reasons."""
    number, value = numbered
    if isinstance(value, dict) and len(value) == 2 and not any(map(_branches, value.values())):  # noqa: PLR2004 - a pair
        name, told = value.values()
        return str(name), told
    return str(number), value


def _branches(value: Any) -> bool:
    """Whether it takes more than a line: documents but those of numbers, such as keys, and lists that hold any."""
    if isinstance(value, dict):
        return not all(map(is_number, value.values()))
    return isinstance(value, list) and any(isinstance(each, dict | list) for each in value)


def _line(value: Any) -> Text:
    if isinstance(value, dict | list) and not value:
        return Text("none")
    if isinstance(value, list):
        return Text(", ".join(map(one_line, value)))
    return Text(one_line(value), style_of(value))
