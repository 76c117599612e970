"""What the compiled rivals share: the binary takes the command line that all rivals of ours take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.rivals import process

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bench.rivals.rival import Launch


def serve_binary(binary: Path, launch: Launch) -> AbstractContextManager[process.Running]:
    """Runs the binary for the length of the block."""
    ready = launch.scratch / "ready"
    # Go's flag package and our C++ both take the value as the next argument.
    command = [str(binary), "--ready-file", str(ready), "--topology", launch.topology]
    return process.serve(command, launch.core, launch.scratch, process.from_ready_file(ready))
