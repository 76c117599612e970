"""One frozen, validated configuration: defaults < TOML file < environment < flags.

The table of settings is the class `Config` itself: each field carries its kind, its range and its description. Keys,
flags, variables, ``--print-config``, the README's table and the JSON schema are all derived from it.
"""

from laura_fast.config.loading import Loaded, load
from laura_fast.config.model import SETTINGS, Config, Row

__all__ = ["SETTINGS", "Config", "Loaded", "Row", "load"]
