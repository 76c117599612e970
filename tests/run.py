"""The one test command: runs every check in order and stops at the first that fails."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINT = {
    "ruff": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "types": ["mypy"],
    "layers": ["lint-imports"],
    "generated": [sys.executable, "protos/generate.py", "--check"],
}
TESTS = {
    "tests": [sys.executable, "-m", "pytest", "-q", "-n", "3", "--dist", "worksteal", "tests"],
    "benchmarks run": [sys.executable, "-m", "pytest", "-q", "bench", "--benchmark-disable"],
    "not slower": [sys.executable, "-m", "bench.compare", "--ci", "--out", "build/compare"],
}
STEPS = {"lint": LINT, "tests": TESTS}


def main() -> int:
    """Runs the chosen steps; returns the first exit code that is not 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=STEPS, help="run one group of checks")
    chosen = parser.parse_args().only
    for group, commands in STEPS.items():
        if chosen in (None, group):
            for name, command in commands.items():
                if code := run(name, command):
                    return code
    return 0


def run(name: str, command: list[str]) -> int:
    """Runs one check from the root of the repository and reports its name, verdict and time."""
    started = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    print(f"[{'ok' if code == 0 else 'FAILED'}] {name} ({time.monotonic() - started:.1f} s)", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
