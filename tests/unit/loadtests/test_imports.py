"""Load tests see the server over the network only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

LOADTESTS = Path(__file__).parents[3] / "loadtests"
ALLOWED = "laura_fast.pb."


def imported(path: Path) -> list[str]:
    """Full names of everything that a file imports, at any depth."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


@pytest.mark.parametrize("path", sorted(LOADTESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(LOADTESTS)))
def test_only_messages_and_stubs_of_the_project_are_imported(path: Path) -> None:
    ours = [name for name in imported(path) if name.partition(".")[0] in {"laura_fast", "bench", "tests"}]
    assert [name for name in ours if not name.startswith(ALLOWED)] == []
