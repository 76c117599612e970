"""The command line that all rivals of ours share, whatever their language, and the ready file."""

from __future__ import annotations

import argparse
from pathlib import Path


class Arguments(argparse.Namespace):
    """`port` 0 picks a free one; `ready_file` gets one line, `host:port`, once the server answers."""

    port: int
    ready_file: Path
    topology: str


def parse(description: str | None) -> Arguments:
    """Reads `sys.argv`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ready-file", type=Path, required=True)
    parser.add_argument("--topology", choices=["changed", "always"], default="changed")
    return parser.parse_args(namespace=Arguments())


def announce(ready_file: Path, port: int) -> None:
    """Writes the ready file in one step, so that a reader never sees half of it."""
    draft = ready_file.with_suffix(".draft")
    draft.write_text(f"127.0.0.1:{port}\n")
    draft.rename(ready_file)
