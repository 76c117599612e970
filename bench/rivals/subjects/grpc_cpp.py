"""gRPC C++ as Debian packages it, with the callback service its authors recommend."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bench.rivals import build, cluster
from bench.rivals.rival import Rival
from bench.rivals.subjects.compiled import serve_binary
from bench.rivals.subjects.debian import package_version

SOURCE: Final = Path(__file__).parents[1] / "servers" / "cpp" / "server.cc"


def missing() -> str:
    """Why it can't be built here; "" when it can."""
    if reason := build.missing_tools("g++", "protoc", "grpc_cpp_plugin", "pkg-config"):
        return reason
    try:
        build.run(["pkg-config", "--exists", "grpc++", "protobuf"])
    except build.BuildError:
        return "no development files of gRPC C++ and protobuf"
    return ""


RIVAL = Rival(
    name="grpc-cpp",
    title="gRPC C++",
    missing=missing,
    version=lambda: (
        f"gRPC C++ {package_version('libgrpc++-dev')} (2022), protobuf {package_version('libprotobuf-dev')}"
    ),
    build=lambda: build.cpp_program(SOURCE),
    start=lambda launch: serve_binary(build.cpp_program(SOURCE), launch),
    prepare=cluster.prepare,
    caveat="Debian's gRPC C++ is from the end of 2022.",
)
