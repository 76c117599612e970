"""PostgreSQL: JSONB in a table, asked through asyncpg; a connection for each client."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import orjson

from bench.documents.subject import Database, Session, Subject
from bench.documents.subjects.postmaster import DURABLE, make_cluster, running, version
from bench.rivals.process import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from bench.documents.subjects.postmaster import Postmaster

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


class Postgres:
    """One server with an empty table."""

    def __init__(self, postmaster: Postmaster) -> None:
        self._postmaster = postmaster
        self.cpu_s, self.memory = postmaster.cpu_s, postmaster.memory

    @asynccontextmanager
    async def sessions(self, count: int) -> AsyncIterator[list[Session]]:
        """As many connections; statistics are fresh, as autovacuum would have made them."""
        async with connections(self._postmaster, count) as opened:
            await opened[0].execute("VACUUM ANALYZE packages")
            yield [PostgresSession(each) for each in opened]

    async def index_sizes(self) -> None:
        """On the expression that queries use."""
        await self._postmaster.execute(INDEX)

    def commits(self) -> None:
        """Its statistics of syncs come up to ten seconds late."""


@asynccontextmanager
async def connections(postmaster: Postmaster, count: int) -> AsyncIterator[list[Any]]:
    """So many, closed with the block."""
    async with AsyncExitStack() as stack:
        opened = [await postmaster.connect() for _ in range(count)]
        for each in opened:
            stack.push_async_callback(each.close)
        yield opened


@asynccontextmanager
async def start(folder: Path) -> AsyncIterator[Database]:
    """A fresh cluster with an empty table. Raises as `Postmaster.until_ready`."""
    make_cluster(folder)
    port = free_port()
    settings = [f"port={port}", f"unix_socket_directories={folder}", "listen_addresses=", "shared_buffers=1GB"]
    settings += [*DURABLE, f"max_connections={CONNECTIONS}"]
    with running(folder, {"host": str(folder), "port": port}, settings) as postmaster:
        await postmaster.until_ready()
        await postmaster.execute(TABLE)
        yield Postgres(postmaster)


SUBJECT: Final = Subject("PostgreSQL JSONB", version, start)
