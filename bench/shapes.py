"""Shapes of documents that benchmarks measure with."""

from __future__ import annotations

from typing import Any

from bson.int64 import Int64


def package(number: int) -> dict[str, Any]:
    """About 600 bytes."""
    return {
        "_id": f"package-{number}",
        "version": f"1.{number}-1",
        "section": ("admin", "libs", "net", "python")[number % 4],
        "size": Int64(number * 1_021),
        "installed": number * 3,
        "depends": [{"name": f"lib{each}", "version": "2.31"} for each in range(4)],
        "tags": ["role::program", "interface::commandline"],
        "maintainer": {"name": "Somebody of Debian", "mail": "somebody@example.org"},
        "description": "a program that does one thing, and does it well enough to be a package of its own" * 2,
    }


def wide(number: int) -> dict[str, Any]:
    """About 6 KiB."""
    fields = {f"field{each}": f"value {each}" for each in range(100)}
    return {"_id": number, **fields, "size": number, "tags": list(range(500)), "maintainer": {"name": "x"}}
