"""PostgreSQL: a primary whose commits wait until its standby has them on disk, asked through asyncpg over TCP."""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from bench.documents.subjects.postgres import TABLE, PostgresSession, connections
from bench.documents.subjects.postmaster import DURABLE, USER, command, hand_over, make_cluster, running, version
from bench.replication.subject import Group, Inserter, Subject, Writer, until
from bench.rivals.process import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from bench.documents.subjects.postmaster import Postmaster
    from bench.replication.subject import Totals

CONNECTIONS: Final = 1_100
STANDBY: Final = "standby"
NAMES: Final = ("primary", STANDBY)
TELL_NOW: Final = "SELECT pg_stat_force_next_flush()"
"""A connection tells its counts once a second at most, unless it is told to."""
SYNCS: Final = "SELECT wal_sync FROM pg_stat_wal"
SYNCHRONOUS: Final = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"


class Postgres:
    """A primary and its standby."""

    members = NAMES

    def __init__(self, primary: Postmaster, standby: Postmaster) -> None:
        self._servers = dict(zip(NAMES, (primary, standby), strict=True))
        self._primary = primary
        self._writers: list[Any] = []

    async def until_synchronous(self) -> None:
        """Returns when commits wait for the standby."""
        async with connections(self._primary, 1) as [connection]:

            async def synchronous() -> bool:
                return bool(await connection.fetchval(SYNCHRONOUS))

            await until(synchronous, "no synchronous standby")

    @asynccontextmanager
    async def writers(self, count: int) -> AsyncIterator[Sequence[Writer]]:
        async with connections(self._primary, count) as opened:
            self._writers = opened
            yield [Inserter(PostgresSession(each)) for each in opened]

    async def totals(self, member: str) -> Totals:
        async with connections(self._servers[member], 1) as [connection]:
            return await PostgresSession(connection).totals()

    async def syncs(self) -> int:
        await asyncio.gather(*(each.execute(TELL_NOW) for each in self._writers))
        return int(await self._writers[0].fetchval(SYNCS))

    def cpu_s(self) -> float:
        return sum(each.cpu_s() for each in self._servers.values())


@asynccontextmanager
async def start(folder: Path) -> AsyncIterator[Group]:
    """Two servers with an empty table."""
    await asyncio.to_thread(folder.chmod, 0o711)  # their user passes through
    with ExitStack() as stack:
        primary = await _server(stack, folder / NAMES[0], make_cluster)
        await primary.execute(TABLE)
        standby = await _server(stack, folder / STANDBY, lambda home: _copy(primary, home))
        await primary.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'")
        await primary.execute("SELECT pg_reload_conf()")
        group = Postgres(primary, standby)
        await group.until_synchronous()
        yield group


async def _server(stack: ExitStack, home: Path, prepare: Callable[[Path], None]) -> Postmaster:
    prepare(home)
    port = free_port()
    settings = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=256MB"]
    settings += [*DURABLE, f"max_connections={CONNECTIONS}", f"cluster_name={home.name}"]
    postmaster = stack.enter_context(running(home, {"host": "127.0.0.1", "port": port}, settings))
    await postmaster.until_ready()
    return postmaster


def _copy(primary: Postmaster, home: Path) -> None:
    """Makes the files of a standby, which begins where the primary is now."""
    hand_over(home)
    source = ["-h", primary.at["host"], "-p", str(primary.at["port"]), "-U", USER]
    copy = command("pg_basebackup", *source, "-D", f"{home}/data", "--write-recovery-conf", "--checkpoint=fast")
    subprocess.run(copy, check=True, capture_output=True)


SUBJECT: Final = Subject("PostgreSQL", version, start)
