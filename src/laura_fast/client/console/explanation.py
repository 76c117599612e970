"""`explain`: the plan as a tree, with what was decided first and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text
from rich.tree import Tree

from laura_fast.client.console.cells import one_line, style_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def explanation_tree(title: str, explanation: Mapping[str, Any]) -> Tree:
    """Every value of the explanation, in its order: scalars as a line, documents and lists as branches."""
    tree = Tree(Text(title, "bold"), guide_style="dim")
    _grow(tree, explanation.items())
    return tree


def _grow(tree: Tree, pairs: Iterable[tuple[str, Any]]) -> None:
    for name, value in pairs:
        if not _branches(value):
            tree.add(Text.assemble((f"{name}: ", "dim"), (one_line(value), style_of(value))))
        elif isinstance(value, dict):
            _grow(tree.add(Text(name, "dim")), value.items())
        else:
            branch = tree.add(Text(name, "dim"))
            _grow(branch, ((str(number), each) for number, each in enumerate(value, start=1)))


def _branches(value: Any) -> bool:
    """Whether it takes more than a line: documents, and lists that hold any."""
    if isinstance(value, dict):
        return bool(value)
    return isinstance(value, list) and any(isinstance(each, dict | list) for each in value)
