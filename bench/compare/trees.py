"""The two sides: the code of a commit and of this checkout, side by side, each with an interpreter that has its needs.

Both are copies, in directories whose names have the same length: paths of different length move what the interpreter
allocates at start, which shows in exact counts and now and then in times.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.compare.errors import BaseUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).resolve().parents[2]
CODE: Final = ("src", "requirements.lock")
CASES: Final = "bench/compare/cases/"
CI_BRANCHES: Final = ("GITHUB_BASE_REF", "CHANGE_TARGET")
"""Variables in which a CI system names the branch that a change is to be merged into."""
CI_COMMITS: Final = ("CI_MERGE_REQUEST_DIFF_BASE_SHA",)
"""Variables in which it names the merge base itself."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Code that can be measured.

    Attributes:
        root: Has `src` in it.
        python: Interpreter with that code's dependencies.
    """

    root: Path
    python: str = sys.executable

    def environment(self, hash_seed: int) -> dict[str, str]:
        """For a process that runs this code; the benchmarks are those of this checkout on both sides."""
        path = f"{self.root / 'src'}{os.pathsep}{ROOT}"
        return {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": str(hash_seed)}


def git(*arguments: str) -> bytes:
    """What git answers.

    Raises:
        BaseUnavailableError: It failed, or isn't there.
    """
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout
    except FileNotFoundError as error:
        raise BaseUnavailableError("git is not installed") from error
    except subprocess.CalledProcessError as error:
        raise BaseUnavailableError(f"git {' '.join(arguments)}: {error.stderr.decode().strip()}") from error


def resolve(revision: str) -> str:
    """The commit that a revision names.

    Raises:
        BaseUnavailableError: There is none; says so when the clone is shallow.
    """
    try:
        return git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
    except BaseUnavailableError as error:
        shallow = Path(ROOT, git("rev-parse", "--git-path", "shallow").decode().strip()).exists()
        reason = "the clone is shallow; fetch with more depth" if shallow else "this repository has no such commit"
        raise BaseUnavailableError(f"{revision}: {reason}") from error


def previous(environment: Mapping[str, str] = os.environ) -> str:
    """The commit to compare with when nobody names one: the merge base where CI tells it, or the parent."""
    for name in CI_COMMITS:
        if commit := environment.get(name):
            return resolve(commit)
    for name in CI_BRANCHES:
        if branch := environment.get(name):
            return git("merge-base", "HEAD", resolve(f"origin/{branch}")).decode().strip()
    return resolve("HEAD~1")


def unchanged_since(commit: str) -> bool:
    """Nothing of what is measured differs from the commit, new files included."""
    known = git("diff", "--name-only", commit, "--", *CODE)
    new = git("ls-files", "--others", "--exclude-standard", "--", *CODE)
    return not known and not new


def cases_of(commit: str) -> set[str]:
    """Names of the benchmarks that the commit has."""
    listed = git("ls-tree", "--name-only", commit, CASES).decode()
    return set(re.findall(rf"^{CASES}([^_]\w*)\.py$", listed, re.MULTILINE))


def export_commit(commit: str, target: Path) -> Tree:
    """The code of a commit, with this interpreter if the lock is the same, or else with one of its own.

    Raises:
        BaseUnavailableError: It has no such code, or its dependencies can't be installed.
    """
    with tarfile.open(fileobj=io.BytesIO(git("archive", "--format=tar", commit, *CODE))) as archive:
        archive.extractall(target, filter="data")
    lock = target / "requirements.lock"
    if lock.read_bytes() == (ROOT / lock.name).read_bytes():
        return Tree(target)
    return Tree(target, _own_interpreter(target.with_name(f"{target.name}-venv"), lock))


def export_checkout(target: Path) -> Tree:
    """The code as it lies here, committed or not; ignored files are left out."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *CODE).decode()
    for name in filter(None, listed.split("\0")):
        if (source := ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    return Tree(target)


def _own_interpreter(venv: Path, lock: Path) -> str:
    python = str(venv / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", str(lock)]
    for command in ([sys.executable, "-m", "venv", str(venv)], install):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise BaseUnavailableError(f"the base's dependencies can't be installed: {done.stderr.strip()[-500:]}")
    return python
