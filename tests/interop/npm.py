"""The packages of `js/package-lock.json`, installed once per content below `build/`, which git ignores."""

from __future__ import annotations

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from bench.rivals.build import ROOT, missing_tools

SOURCE: Final = Path(__file__).parent / "js"
BUILD: Final = ROOT / "build" / "interop"
INSTALL_TIMEOUT_S: Final = 90
UNREACHABLE: Final = (
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "ENETUNREACH",
    "EHOSTUNREACH",
)
"""What npm says when there is no registry to talk to."""


class NoRegistryError(Exception):
    """The packages can't be had here; the text is npm's."""


def missing_node() -> str:
    """Why Node programs can't be run here; "" when they can."""
    return missing_tools("node", "npm")


def node_modules() -> Path:
    """The folder of the installed packages.

    Raises:
        NoRegistryError: npm reaches no registry.
        RuntimeError: npm failed otherwise.
    """
    lock = (SOURCE / "package-lock.json").read_bytes()
    folder = BUILD / f"js-{sha256(lock).hexdigest()[:12]}"
    if not folder.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        draft = Path(mkdtemp(dir=BUILD))  # an install cut short leaves nothing behind, and two workers may meet here
        try:
            _install(draft)
            _publish(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder / "node_modules"


def _install(draft: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, draft)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1"]
    done = subprocess.run(command, cwd=draft, capture_output=True, text=True, check=False, timeout=INSTALL_TIMEOUT_S)
    if done.returncode:
        kind = NoRegistryError if any(code in done.stderr for code in UNREACHABLE) else RuntimeError
        raise kind(done.stderr.strip())


def _publish(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError:
        if not folder.exists():
            raise
