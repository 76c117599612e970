"""A document store on each engine, with a clock that the test moves and indexes of the simplest kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.stores import ENGINES, open_store
from tests.unit.storage.documents.kit import Kit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=ENGINES)
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kit]:
    """See `Kit`."""
    kit = Kit(lambda: open_store(request.param, tmp_path), durable=request.param == "embedded")
    yield kit
    kit.close()
