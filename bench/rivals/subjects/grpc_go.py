"""grpc-go as Debian packages it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from bench.rivals import cluster
from bench.rivals.build import go_program, missing_go
from bench.rivals.rival import Rival
from bench.rivals.subjects.compiled import serve_binary
from bench.rivals.subjects.debian import package_version

SOURCE: Final = Path(__file__).parents[1] / "servers" / "go" / "main.go"


def version() -> str:
    """The library's and the compiler's."""
    compiler = subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return f"grpc-go {package_version('golang-google-grpc-dev')} (2020), {compiler}"


RIVAL = Rival(
    name="grpc-go",
    title="grpc-go",
    missing=missing_go,
    version=version,
    build=lambda: go_program(SOURCE),
    start=lambda launch: serve_binary(go_program(SOURCE), launch),
    prepare=cluster.prepare,
    caveat="Debian's grpc-go is from 2020; the current one is faster.",
)
