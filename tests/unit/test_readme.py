"""The README says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from laura_fast.config.rendering import as_markdown

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_table_of_settings_is_the_programs() -> None:
    """Regenerate with `python -m laura_fast config --markdown`."""
    table = re.search(r"<!-- settings: .* -->\n(.*?)<!-- end of settings -->", README, re.DOTALL)
    assert table is not None
    assert table[1].strip() == as_markdown()
