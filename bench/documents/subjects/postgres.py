"""PostgreSQL: JSONB in a table, asked through asyncpg; a connection for each client."""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import shutil
import subprocess
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import orjson
import psutil

from bench.documents.subject import Database, Memory, Session, Subject
from bench.processes import POLL_S, SERVER_CPU, pinned
from bench.rivals.process import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

USER: Final = "postgres"
CONNECTIONS: Final = 300
TABLE: Final = "CREATE TABLE packages (id bigint PRIMARY KEY, body jsonb NOT NULL)"
SIZE: Final = "((body ->> 'size')::bigint)"
INDEX: Final = f"CREATE INDEX sizes ON packages ({SIZE})"
INSERT: Final = "INSERT INTO packages SELECT (each ->> '_id')::bigint, each FROM unnest($1::jsonb[]) AS each"
FIND: Final = "SELECT body FROM packages WHERE id = $1"
BETWEEN: Final = f"SELECT body FROM packages WHERE {SIZE} >= $1 AND {SIZE} < $2"  # noqa: S608  # a constant
RARE: Final = "SELECT body FROM packages WHERE body ->> 'rarity' = 'rare'"
INCREMENT: Final = (
    "UPDATE packages SET body = jsonb_set(body, '{installed}', to_jsonb((body ->> 'installed')::bigint + 1))"
    " WHERE id = $1"
)
DELETE: Final = "DELETE FROM packages WHERE id = $1"
PURGE: Final = "DELETE FROM packages WHERE id >= $1"
TOTALS: Final = f"SELECT body ->> 'section', count(*), sum({SIZE})::bigint FROM packages GROUP BY 1"  # noqa: S608  # a constant
INSTALLED: Final = "SELECT sum((body ->> 'installed')::bigint)::bigint FROM packages"


class PostgresSession:
    """One client: a connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def insert(self, documents: Sequence[dict[str, Any]]) -> int:
        return _count(await self._connection.execute(INSERT, [orjson.dumps(each).decode() for each in documents]))

    async def find(self, identity: int) -> str:
        return str(orjson.loads(await self._connection.fetchval(FIND, identity))["name"])

    async def between(self, low: int, high: int) -> int:
        return len([orjson.loads(row[0]) for row in await self._connection.fetch(BETWEEN, low, high)])

    async def rare(self) -> int:
        return len([orjson.loads(row[0]) for row in await self._connection.fetch(RARE)])

    async def increment(self, identity: int) -> int:
        return _count(await self._connection.execute(INCREMENT, identity))

    async def delete(self, identity: int) -> int:
        return _count(await self._connection.execute(DELETE, identity))

    async def purge(self, first: int) -> int:
        return _count(await self._connection.execute(PURGE, first))

    async def totals(self) -> dict[str, tuple[int, int]]:
        return {section: (packages, kib) for section, packages, kib in await self._connection.fetch(TOTALS)}

    async def installed(self) -> int:
        return int(await self._connection.fetchval(INSTALLED))


def _count(told: str) -> int:
    """The number of rows in "UPDATE 1", "INSERT 0 1"."""
    return int(told.rsplit(maxsplit=1)[-1])


def _held(pid: int) -> Memory | None:
    """What a process has for itself, and its share of what it has with others; None if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError):
        return None
    kib = {name: int(size.split()[0]) for name, size in (line.split(":") for line in lines)}
    return Memory((kib["Private_Clean"] + kib["Private_Dirty"]) * 1024, kib["Pss"] * 1024)


class Postgres:
    """One postmaster with its children."""

    def __init__(self, folder: Path, port: int, pid: int) -> None:
        self._at = {"host": str(folder), "port": port, "user": USER, "database": "postgres"}
        self._folder = folder
        self._process = psutil.Process(pid)

    def log(self) -> str:
        """The end of what it wrote."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]

    async def connect(self) -> Any:
        """A connection over the server's Unix socket."""
        return await asyncpg.connect(**self._at)

    @asynccontextmanager
    async def sessions(self, count: int) -> AsyncIterator[list[Session]]:
        """As many connections; statistics are fresh, as autovacuum would have made them."""
        async with AsyncExitStack() as stack:
            connections = [await self.connect() for _ in range(count)]
            for connection in connections:
                stack.push_async_callback(connection.close)
            await connections[0].execute("VACUUM ANALYZE packages")
            yield [PostgresSession(connection) for connection in connections]

    async def index_sizes(self) -> None:
        """On the expression that queries use."""
        connection = await self.connect()
        await connection.execute(INDEX)
        await connection.close()

    def cpu_s(self) -> float:
        """Of all that live: clients keep their connections while they are measured."""
        used = [each.cpu_times() for each in self._living()]
        return sum(times.user + times.system for times in used)

    def memory(self) -> Memory:
        """Shared buffers are resident, not anonymous."""
        held = [told for each in self._living() if (told := _held(each.pid))]
        return Memory(*map(sum, zip(*held, strict=True)))

    def commits(self) -> None:
        """Its statistics of syncs come up to ten seconds late."""

    def _living(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]


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


@asynccontextmanager
async def start(folder: Path) -> AsyncIterator[Database]:
    """A fresh cluster with an empty table.

    Raises:
        RuntimeError: It ended at once; with what it said.
    """
    port = free_port()
    with _running(folder, port) as process:
        database = Postgres(folder, port, process.pid)
        await _until_ready(database, process)
        yield database


@contextmanager
def _running(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = _prepare(folder)
    settings = [f"port={port}", f"unix_socket_directories={folder}", "listen_addresses=", "shared_buffers=1GB"]
    settings += ["fsync=on", "synchronous_commit=on", f"max_connections={CONNECTIONS}", "max_wal_size=8GB"]
    flags = [flag for setting in settings for flag in ("-c", setting)]
    with pinned(frozenset({SERVER_CPU})), (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command("postgres"), "-D", f"{folder}/data", *flags], stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _prepare(folder: Path) -> Any:
    """Makes the cluster's files. The server refuses to run as root, so its programs run as the user of its package."""
    installed = programs()
    assert installed, "PostgreSQL is not installed"
    user = pwd.getpwnam(USER)
    shutil.chown(folder, user.pw_uid, user.pw_gid)
    become = (
        ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"] if not os.getuid() else []
    )

    def command(program: str) -> list[str]:
        return [*become, str(installed / program)]

    made = [*command("initdb"), "-D", f"{folder}/data", "--auth=trust", "--no-sync", "--encoding=UTF8", "--no-locale"]
    subprocess.run(made, check=True, capture_output=True)
    return command


async def _until_ready(database: Postgres, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            connection = await database.connect()
        except (OSError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(POLL_S)
        else:
            await connection.execute(TABLE)
            await connection.close()
            return
    raise RuntimeError(f"PostgreSQL did not start:\n{database.log()}")


SUBJECT: Final = Subject("PostgreSQL JSONB", version, start)
