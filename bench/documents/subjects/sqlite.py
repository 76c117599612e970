"""SQLite: JSON text in a table, read by its JSON functions; a thread and a connection for each client."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import orjson

from bench.documents.subject import Database, Session, Subject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

BUSY_S: Final = 60.0
TABLE: Final = "CREATE TABLE packages (id INTEGER PRIMARY KEY, body TEXT NOT NULL)"
SIZE: Final = "body ->> '$.size'"
INDEX: Final = f"CREATE INDEX sizes ON packages ({SIZE})"
INSERT: Final = "INSERT INTO packages VALUES (?, ?)"
FIND: Final = "SELECT body FROM packages WHERE id = ?"
BETWEEN: Final = f"SELECT body FROM packages WHERE {SIZE} >= ? AND {SIZE} < ?"  # noqa: S608  # a constant
RARE: Final = "SELECT body FROM packages WHERE body ->> '$.rarity' = 'rare'"
INCREMENT: Final = "UPDATE packages SET body = json_set(body, '$.installed', body ->> '$.installed' + 1) WHERE id = ?"
DELETE: Final = "DELETE FROM packages WHERE id = ?"
PURGE: Final = "DELETE FROM packages WHERE id >= ?"
TOTALS: Final = f"SELECT body ->> '$.section', count(*), sum({SIZE}) FROM packages GROUP BY 1"  # noqa: S608  # a constant
INSTALLED: Final = "SELECT sum(body ->> '$.installed') FROM packages"


def connect(file: Path) -> sqlite3.Connection:
    """Autocommit; each commit is on disk."""
    connection = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


class SqliteSession:
    """One client: a connection, used on one thread of the pool at a time."""

    def __init__(self, connection: sqlite3.Connection, pool: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._pool = pool

    async def _run(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def _rows(self, statement: str, *values: Any) -> list[Any]:
        rows: list[Any] = await self._run(lambda: self._connection.execute(statement, values).fetchall())
        return rows

    async def _changed(self, statement: str, *values: Any) -> int:
        return int(await self._run(lambda: self._connection.execute(statement, values).rowcount))

    async def insert(self, documents: Sequence[dict[str, Any]]) -> int:
        def work() -> int:
            rows = [(each["_id"], orjson.dumps(each).decode()) for each in documents]
            self._connection.execute("BEGIN IMMEDIATE")
            done = self._connection.executemany(INSERT, rows).rowcount
            self._connection.execute("COMMIT")
            return done

        return int(await self._run(work))

    async def find(self, identity: int) -> str:
        [(body,)] = await self._rows(FIND, identity)
        return str(orjson.loads(body)["name"])

    async def between(self, low: int, high: int) -> int:
        return len([orjson.loads(body) for (body,) in await self._rows(BETWEEN, low, high)])

    async def rare(self) -> int:
        return len([orjson.loads(body) for (body,) in await self._rows(RARE)])

    async def increment(self, identity: int) -> int:
        return await self._changed(INCREMENT, identity)

    async def delete(self, identity: int) -> int:
        return await self._changed(DELETE, identity)

    async def purge(self, first: int) -> int:
        return await self._changed(PURGE, first)

    async def totals(self) -> dict[str, tuple[int, int]]:
        return {section: (packages, kib) for section, packages, kib in await self._rows(TOTALS)}

    async def installed(self) -> int:
        [(total,)] = await self._rows(INSTALLED)
        return int(total)


class Sqlite:
    """One file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @asynccontextmanager
    async def sessions(self, count: int) -> AsyncIterator[list[Session]]:
        """As many connections and threads."""
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(count))
            connections = [connect(self._file) for _ in range(count)]
            for connection in connections:
                stack.callback(connection.close)
            yield [SqliteSession(connection, pool) for connection in connections]

    async def index_sizes(self) -> None:
        """On the expression that queries use."""
        connection = connect(self._file)
        connection.execute(INDEX)
        connection.close()

    def cpu_s(self) -> float:
        """Of this process: the library has none of its own."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    def memory(self) -> None:
        """None that could be told from the clients'."""

    def commits(self) -> None:
        """One for each call that writes: nothing is grouped."""


@asynccontextmanager
async def start(folder: Path) -> AsyncIterator[Database]:
    """An empty file."""
    file = folder / "packages.sqlite"
    connection = connect(file)
    connection.execute(TABLE)
    connection.close()
    yield Sqlite(file)


SUBJECT: Final = Subject("SQLite JSON", lambda: sqlite3.sqlite_version, start, most_clients=16)
"""Writers wait for each other in naps of up to a tenth of a second: of 256 clients each call takes ten."""
