"""The fuzz targets hold on their corpus, so that a target that no longer runs is noticed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from tests.fuzz.run import CORPUS

if TYPE_CHECKING:
    from pathlib import Path

INPUTS = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_corpus(path: Path) -> None:
    import_module(f"tests.fuzz.{path.parent.name}_target").one_input(path.read_bytes())


def test_the_corpus_is_there() -> None:
    assert len(INPUTS) >= 10
