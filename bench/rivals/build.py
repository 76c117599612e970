"""Builds the rivals that need a compiler, outside the sources, once per content.

Everything generated (Go and C++ code from the schemas, binaries) lives below `build/rivals`, which git ignores. A
folder's name carries a digest of all that went in, so a stale binary is never run and a second session builds nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
PROTOS: Final = ROOT / "protos"
SCHEMAS: Final = ("lauradb/cluster/common.proto", "lauradb/cluster/cluster.proto")
BUILD: Final = ROOT / "build" / "rivals"
GO_PACKAGES: Final = Path("/usr/share/gocode")
"""Where Debian puts the sources of its Go libraries."""
COMPILE_TIMEOUT_S: Final = 600


class BuildError(Exception):
    """A compiler refused; the text is what it said."""


def missing_tools(*names: str) -> str:
    """Names the programs that aren't on the PATH; "" when all are."""
    absent = [name for name in names if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


def missing_go() -> str:
    """Why Go programs can't be built here; "" when they can."""
    if reason := missing_tools("go", "protoc", "protoc-gen-go", "protoc-gen-go-grpc"):
        return reason
    needed = [GO_PACKAGES / "src" / name for name in ("google.golang.org/grpc", "google.golang.org/protobuf")]
    absent = [str(path) for path in needed if not path.is_dir()]
    return f"no Go library sources at {', '.join(absent)}" if absent else ""


def go_program(
    source: Path, *, protos: Path = PROTOS, schemas: Sequence[str] = SCHEMAS, package: str = "lauradb/clusterpb"
) -> Path:
    """Builds the Go program of the files in `source`'s folder against code generated from `schemas` below `protos`.

    The schemas name no Go package, so the mapping is given on the command line; the program imports the generated code
    as `package`. Only Debian's packages are used: modules are off, and so is the proxy.

    Returns:
        The binary.

    Raises:
        BuildError: protoc or the compiler failed.
    """
    sources = sorted(source.parent.glob("*.go"))
    folder = _folder(source.parent.name + "-go", [*sources, *(protos / name for name in schemas)])
    binary = folder / "program"
    if not binary.exists():
        target = folder / "gopath" / "src"
        target.mkdir(parents=True, exist_ok=True)
        mapping = ",".join(["paths=import", *(f"M{name}={package}" for name in schemas)])
        plugins = [f"--go_out={mapping}:{target}", f"--go-grpc_out={mapping}:{target}"]
        run(["protoc", f"-I{protos}", *plugins, *schemas])
        _into(binary, ["go", "build"], list(map(str, sources)), _go_environment(folder))
    return binary


def cpp_program(source: Path) -> Path:
    """Builds the one-file C++ program `source` against code generated from the schemas.

    Returns:
        The binary.

    Raises:
        BuildError: protoc or the compiler failed.
    """
    folder = _folder(source.parent.name + "-cpp", [source, *(PROTOS / name for name in SCHEMAS)])
    binary = folder / "program"
    if not binary.exists():
        plugin = shutil.which("grpc_cpp_plugin")
        outputs = [f"--cpp_out={folder}", f"--grpc_out={folder}", f"--plugin=protoc-gen-grpc={plugin}"]
        run(["protoc", f"-I{PROTOS}", *outputs, *SCHEMAS])
        flags = run(["pkg-config", "--cflags", "--libs", "grpc++", "protobuf"]).split()
        sources = [str(source), *map(str, folder.rglob("*.pb.cc"))]
        _into(binary, ["g++", "-std=c++17", "-O2", f"-I{folder}"], [*sources, *flags])
    return binary


def run(command: list[str], environment: Mapping[str, str] | None = None) -> str:
    """Runs a tool to its end and returns what it printed.

    Raises:
        BuildError: It failed; carries its error output.
    """
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=COMPILE_TIMEOUT_S, env=environment
    )
    if done.returncode:
        raise BuildError(f"{command[0]} failed:\n{done.stderr.strip()}")
    return done.stdout


def _into(binary: Path, compiler: list[str], inputs: list[str], environment: Mapping[str, str] | None = None) -> None:
    """Compiles beside the final name and renames, so that a build cut short leaves no binary behind."""
    draft = binary.with_suffix(f".{os.getpid()}")  # two builders may meet, in a parallel test run
    run([*compiler, "-o", str(draft), *inputs], environment)
    draft.rename(binary)


def _go_environment(folder: Path) -> dict[str, str]:
    fixed = {
        "GO111MODULE": "off",
        "GOPATH": f"{folder / 'gopath'}:{GO_PACKAGES}",
        "GOPROXY": "off",
        "GOCACHE": str(BUILD / "go-cache"),
        "GOFLAGS": "",
    }
    return {**os.environ, **fixed}


def _folder(name: str, inputs: Iterable[Path]) -> Path:
    digest = sha256(b"\0".join(path.read_bytes() for path in inputs)).hexdigest()[:12]
    folder = BUILD / f"{name}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
