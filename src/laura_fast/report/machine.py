"""The machine and the versions that a report was made with: `env.json`."""

from __future__ import annotations

import os
import platform
import re
from importlib import metadata
from pathlib import Path
from typing import Final

import msgspec
import psutil

PACKAGES: Final = (
    "laura-fast",
    "grpcio",
    "protobuf",
    "uvloop",
    "msgspec",
    "lmdb",
    "pytest-benchmark",
    "locust",
    "grpclib",
)


class Machine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a number can't be understood without."""

    cpu: str
    cores: int
    memory_mib: int
    kernel: str
    system: str
    python: str
    load_average: tuple[float, float, float]
    versions: dict[str, str]


def inspect() -> Machine:
    """The machine as it is now."""
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 0,
        memory_mib=psutil.virtual_memory().total // (1024 * 1024),
        kernel=platform.release(),
        system=platform.system(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        load_average=os.getloadavg(),
        versions={name: version for name in PACKAGES if (version := _version(name))},
    )


def _cpu() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else platform.machine()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
