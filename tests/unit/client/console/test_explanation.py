"""Explanations as trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.client.console.explanation import explanation_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console


def test_scalars_are_lines_and_documents_branches(
    make_console: Callable[..., Console], shown: Callable[[Console], str]
) -> None:
    console = make_console()
    explanation = {
        "plan": {"index": "a_1", "bounds": ["[1, 5)", "[7]"], "none": {}, "key": {"a": 1, "b": -1}},
        "rejected": [{"index": "b_1", "why": "no\nbounds"}, {"deep": {"er": "one"}}],
        "scans": [],
    }
    console.print(explanation_tree("d.c", explanation))
    assert shown(console) == (
        "d.c\n"
        "├── plan\n"
        "│   ├── index: a_1\n"
        "│   ├── bounds: [1, 5), [7]\n"
        "│   ├── none: none\n"
        '│   └── key: {"a": 1, "b": -1}\n'
        "├── rejected\n"
        "│   ├── b_1: no\\nbounds\n"
        "│   └── 2\n"
        "│       └── deep\n"
        "│           └── er: one\n"
        "└── scans: none\n"
    )
