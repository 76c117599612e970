"""This server, once for each of its transports."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bench.rivals import cluster, process
from bench.rivals.rival import Rival
from bench.rivals.subjects.python import missing, versions

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bench.rivals.rival import Launch

PACKAGES = ("laura-fast", "grpcio", "uvloop", "protobuf")
SILENCE = ("--suspect-after=30m", "--down-after=1h")
"""Only one node beats; the others must not fall silent within a run, or their topology changes would be measured."""


def transport(name: str) -> Rival:
    """The server on one of its transports."""
    return Rival(
        name=f"ours-{name}",
        title=f"laura_fast, {name} transport",
        missing=lambda: missing(PACKAGES),
        version=lambda: versions(PACKAGES),
        start=lambda launch: serve(name, launch),
        prepare=cluster.prepare,
        caveat="The only one here that makes registrations durable, detects failures and keeps metrics.",
    )


def serve(name: str, launch: Launch, *flags: str) -> AbstractContextManager[process.Running]:
    """Runs the command an operator would run, on a data folder of its own; `flags` are further ones of `serve`."""
    ready = launch.scratch / "ready"
    options = [
        f"--transport={name}",
        "--host=127.0.0.1",
        "--port=0",
        f"--ready-file={ready}",
        f"--data-dir={launch.scratch / 'data'}",
        f"--heartbeat-topology={launch.topology}",
        *SILENCE,
        "--max-connections=2000",
        "--log-level=warning",
        *flags,
    ]
    command = [sys.executable, "-m", "laura_fast", "serve", *options]
    return process.serve(command, launch.core, launch.scratch, process.from_ready_file(ready))


GRPCIO = transport("grpcio")
NATIVE = transport("native")
