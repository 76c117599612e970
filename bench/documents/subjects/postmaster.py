"""PostgreSQL's server: started as the user of its package on a core of its own, asked how much it used."""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import shutil
import signal
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import psutil

from bench.documents.subject import Memory
from bench.processes import POLL_S, SERVER_CPU, pinned
from bench.rivals import procfs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

USER: Final = "postgres"
DURABLE: Final = ("fsync=on", "synchronous_commit=on", "max_wal_size=8GB")


class Postmaster:
    """One postmaster with its children.

    Attributes:
        at: Where it is reached, as `asyncpg.connect` takes it.
    """

    def __init__(self, at: Mapping[str, Any], log: Path, process: subprocess.Popen[bytes]) -> None:
        self.at = {"user": USER, "database": "postgres", **at}
        self._log = log
        self._child = process
        self._process = psutil.Process(process.pid)

    async def connect(self) -> Any:
        """A connection of its own."""
        return await asyncpg.connect(**self.at)

    async def until_ready(self) -> None:
        """Returns when it takes connections.

        Raises:
            RuntimeError: It ended instead; with what it said.
        """
        while self._child.poll() is None:
            try:
                connection = await self.connect()
            except (OSError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(POLL_S)
            else:
                await connection.close()
                return
        told = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"PostgreSQL did not start:\n{told}")

    async def execute(self, statement: str) -> None:
        """Runs it on a connection of its own."""
        connection = await self.connect()
        await connection.execute(statement)
        await connection.close()

    def cpu_s(self) -> float:
        """Of all that live: clients keep their connections while they are measured."""
        used = 0.0
        for each in self._living():
            with suppress(OSError):  # a worker of the server's own has ended
                used += procfs.cpu_seconds(each.pid)
        return used

    def memory(self) -> Memory:
        """Shared buffers are resident, not anonymous."""
        held = [told for each in self._living() if (told := _held(each.pid))]
        return Memory(*map(sum, zip(*held, strict=True)))

    def _living(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]


def _held(pid: int) -> Memory | None:
    """What a process has for itself, and its share of what it has with others; None if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError):
        return None
    kib = {name: int(size.split()[0]) for name, size in (line.split(":") for line in lines)}
    return Memory((kib["Private_Clean"] + kib["Private_Dirty"]) * 1024, kib["Pss"] * 1024)


def programs() -> Path | None:
    """Where Debian has the newest installed server, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def version() -> str | None:
    """Of the installed server."""
    if not (folder := programs()):
        return None
    told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"[\d.]+", told)
    return match[0] if match else None


def hand_over(folder: Path) -> None:
    """Makes the folder, of the user that its programs run as: the server refuses to run as root."""
    folder.mkdir(exist_ok=True)
    user = pwd.getpwnam(USER)
    shutil.chown(folder, user.pw_uid, user.pw_gid)


def command(program: str, *arguments: str) -> list[str]:
    """Runs one of its programs as its user."""
    installed = programs()
    assert installed, "PostgreSQL is not installed"
    user = pwd.getpwnam(USER)
    become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [*(become if not os.getuid() else ()), str(installed / program), *arguments]


def make_cluster(folder: Path) -> None:
    """Makes the files of an empty cluster in `folder/data`."""
    hand_over(folder)
    flags = ("--auth=trust", "--no-sync", "--encoding=UTF8", "--no-locale")
    subprocess.run(command("initdb", "-D", f"{folder}/data", *flags), check=True, capture_output=True)


@contextmanager
def running(folder: Path, at: Mapping[str, Any], settings: Sequence[str]) -> Iterator[Postmaster]:
    """Runs the cluster of `folder/data` for the length of the block; `at` as of `Postmaster`."""
    flags = [flag for setting in settings for flag in ("-c", setting)]
    with pinned(frozenset({SERVER_CPU})), (folder / "log").open("wb") as log:
        process = subprocess.Popen(command("postgres", "-D", f"{folder}/data", *flags), stderr=log)
    try:
        yield Postmaster(at, folder / "log", process)
    finally:
        process.send_signal(signal.SIGINT)  # its fast stop, which waits for no client
        process.wait()
