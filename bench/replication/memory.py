"""What a primary holds in memory for a member that is dead and a reader that does not read."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Final

import grpc

from bench.documents.measure import WrongAnswerError, closed_loop
from bench.replication.members import Members
from bench.replication.subject import Spending
from bench.replication.subjects.laura import inserters
from laura_fast.pb.lauradb.cluster import replication_pb2, replication_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from bench.replication.subject import Writer

WRITERS: Final = 50


async def memory(folder: Path, writes: int) -> tuple[int, int]:
    """Anonymous memory of the primary in bytes, after a tenth of the writes and after all the others.

    Raises:
        WrongAnswerError: The slow reader misses an entry when it reads on in the end.
    """
    with Members(folder) as members:
        for name in members.names:
            members.start(name)
        primary = await members.primary()
        members.kill(next(name for name in members.names if name != primary))
        async with grpc.aio.insecure_channel(members.address(primary)) as channel:
            stub: Any = replication_pb2_grpc.ReplicationServiceStub(channel)
            request = replication_pb2.ReplicationStreamRequest(replica_id="slow", start_oplog_id=1, follow=True)
            slow = stub.StreamOplog(request)
            await slow.read()
            numbers = iter(range(writes + writes // 10))
            await _insert(members, primary, itertools.islice(numbers, writes // 10))
            before = members.rss_anon_bytes(primary)
            await _insert(members, primary, numbers)
            after = members.rss_anon_bytes(primary)
            await _read_on(slow, await members.newest(primary))
        return before, after


async def _insert(members: Members, primary: str, numbers: Iterator[int]) -> None:
    def write() -> Callable[[Writer], Awaitable[bool]] | None:
        number = next(numbers, None)
        return None if number is None else lambda writer: writer.write(number)

    async with inserters(members.address(primary), WRITERS) as writers:
        await closed_loop(Spending(members.cpu_s), writers, write, math.inf)


async def _read_on(slow: Any, newest: int) -> None:
    """Reads the rest of a stream to this entry."""
    expected = None
    while expected is None or expected <= newest:
        for entry in (await slow.read()).entries:
            if expected not in {None, entry.op_id}:
                raise WrongAnswerError(f"the slow reader was given entry {entry.op_id} instead of {expected}")
            expected = entry.op_id + 1
