"""What the rivals written in Python share: the interpreter that runs this bench runs them too."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from bench.rivals import cluster, process
from bench.rivals.rival import Rival

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bench.rivals.rival import Launch


def python_rival(name: str, title: str, module: str, packages: tuple[str, ...], caveat: str = "") -> Rival:
    """A rival that is the module `bench.rivals.servers.<module>` and needs `packages`."""

    def start(launch: Launch) -> AbstractContextManager[process.Running]:
        return serve_module(f"bench.rivals.servers.{module}", launch)

    return Rival(
        name=name,
        title=title,
        missing=lambda: missing(packages),
        version=lambda: versions(packages),
        start=start,
        prepare=cluster.prepare,
        caveat=caveat,
    )


def serve_module(module: str, launch: Launch) -> AbstractContextManager[process.Running]:
    """Runs a server that takes the command line all rivals share."""
    ready = launch.scratch / "ready"
    command = [sys.executable, "-m", module, f"--ready-file={ready}", f"--topology={launch.topology}"]
    return process.serve(command, launch.core, launch.scratch, process.from_ready_file(ready))


def missing(packages: tuple[str, ...]) -> str:
    """Which of the packages can't be imported here."""
    absent = [package for package in packages if not _installed(package)]
    return f"Python packages not installed: {', '.join(absent)}" if absent else ""


def versions(packages: tuple[str, ...]) -> str:
    """The packages' versions and the interpreter's."""
    return ", ".join(
        [*(f"{package} {version(package)}" for package in packages), f"Python {platform.python_version()}"]
    )


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
