"""A server's own process searches for garbage rarely."""

from __future__ import annotations

import subprocess
import sys

from laura_fast.cli._garbage import YOUNG_OBJECTS

TOLD = """
import gc
from laura_fast.cli import _garbage
_garbage.spare()
print(gc.get_freeze_count(), *gc.get_threshold())
"""


def test_what_is_loaded_is_left_out_and_the_rest_searched_seldom() -> None:
    told = subprocess.run([sys.executable, "-c", TOLD], capture_output=True, text=True, check=True).stdout
    frozen, young, *_ = map(int, told.split())
    assert frozen > 1_000
    assert young == YOUNG_OBJECTS
