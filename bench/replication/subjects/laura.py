"""laura_fast: three members of a replica set, asked through its native channel; `w: majority` is their default."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from bench.documents.subjects.laura import LauraSession
from bench.replication.members import Members
from bench.replication.subject import WRITERS_PER_CONNECTION, Group, Inserter, Subject, Writer
from laura_fast import __version__
from laura_fast.client.channel import open_channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path


class Laura:
    """A set that has a primary."""

    def __init__(self, members: Members, primary: str) -> None:
        self.members = members.names
        self.totals, self.cpu_s = members.totals, members.cpu_s
        self._set = members
        self._primary = primary

    @asynccontextmanager
    async def writers(self, count: int) -> AsyncIterator[Sequence[Writer]]:
        async with inserters(self._set.address(self._primary), count) as found:
            yield found

    async def syncs(self) -> int:
        return self._set.commits(self._primary)


@asynccontextmanager
async def inserters(address: str, count: int) -> AsyncIterator[list[Inserter]]:
    """So many clients of this server."""
    async with AsyncExitStack() as stack:
        connections = range(-(-count // WRITERS_PER_CONNECTION))
        channels = [await stack.enter_async_context(open_channel(address, None)) for _ in connections]
        yield [Inserter(LauraSession(channels[number % len(channels)])) for number in range(count)]


@asynccontextmanager
async def start(folder: Path) -> AsyncIterator[Group]:
    """Three members on data directories of their own."""
    with Members(folder) as members:
        for name in members.names:
            members.start(name)
        yield Laura(members, await members.primary())


SUBJECT: Final = Subject("laura_fast", lambda: __version__, start)
