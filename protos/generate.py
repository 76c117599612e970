"""Generates `src/laura_fast/pb` from the schemas beside this file.

`--check` writes nothing and exits 1 when the committed files differ from what would be generated.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

PROTOS = Path(__file__).resolve().parent
TARGET = PROTOS.parent / "src" / "laura_fast" / "pb"
# Generated modules import each other by proto path; the package lives below laura_fast.pb.
IMPORT = re.compile(r"^(from|import) (lauradb\b|laura\b|grpc\.testing\b)", re.MULTILINE)
REFERENCE = re.compile(r"(?<![\w.])(lauradb\.cluster|laura\.fast\.v1|grpc\.testing)\.(\w+_pb2)\b")


def main(arguments: list[str]) -> int:
    """Generates the package, or compares it with the committed one."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = generate(Path(scratch))
    committed = {
        path.relative_to(TARGET): path.read_text() for path in TARGET.rglob("*") if path.suffix in {".py", ".pyi"}
    }
    if fresh == committed:
        return 0
    if "--check" in arguments:
        differing = sorted(
            str(name) for name in fresh.keys() | committed.keys() if fresh.get(name) != committed.get(name)
        )
        print("generated code is out of date (run: make generate):", *differing, sep="\n  ", file=sys.stderr)
        return 1
    for stale in committed.keys() - fresh.keys():
        (TARGET / stale).unlink()
    for name, text in fresh.items():
        (TARGET / name).parent.mkdir(parents=True, exist_ok=True)
        (TARGET / name).write_text(text)
    return 0


def generate(scratch: Path) -> dict[Path, str]:
    """Runs the compiler into `scratch` and returns file name → text, package files included."""
    schemas = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    outputs = [f"--{plugin}_out={scratch}" for plugin in ("python", "grpc_python", "mypy", "mypy_grpc")]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={PROTOS}", *outputs, *schemas]
    subprocess.run(command, check=True, capture_output=True)
    files = {path.relative_to(scratch): rebase(path.read_text()) for path in scratch.rglob("*.py*")}
    packages = {parent for name in files for parent in name.parents}
    return files | {
        package / "__init__.py": '"""Generated from protos/; see protos/generate.py."""\n' for package in packages
    }


def rebase(text: str) -> str:
    """Moves the imports of one generated module below `laura_fast.pb`."""
    text = IMPORT.sub(r"\1 laura_fast.pb.\2", text)
    return REFERENCE.sub(r"laura_fast.pb.\1.\2", text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
