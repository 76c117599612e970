"""How long a node with a large data file takes to serve again after SIGKILL in the middle of its writes."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import bson
import grpc

from bench.documents.measure import WrongAnswerError
from bench.documents.subjects.laura import LauraSession
from bench.replication.filling import fill
from bench.replication.members import Members
from laura_fast.client.channel import open_channel

if TYPE_CHECKING:
    from pathlib import Path

ALONE: Final = "n1"
SECTION: Final = "payload"
PAYLOAD_BYTES: Final = 4_000
AT_ONCE: Final = 1_000
KILL_AFTER_S: Final = 0.3


async def recovery(folder: Path, file_bytes: int, rounds: int) -> tuple[list[float], int]:
    """Seconds from exec to readiness, and how large the file was.

    Raises:
        WrongAnswerError: An acknowledged document is missing afterwards.
    """
    seconds: list[float] = []
    with Members(folder, (ALONE,)) as members:
        members.start(ALONE)
        await members.primary()
        numbers = _Numbers()
        while members.data_bytes(ALONE) < file_bytes:
            await fill(members.address(ALONE), [numbers.document() for _ in range(AT_ONCE)])
        numbers.acknowledged = numbers.sent
        for _ in range(rounds):
            await _kill_while_writing(members, numbers)
            started = time.perf_counter()
            members.start(ALONE)
            seconds.append(time.perf_counter() - started)
            await members.primary()
            [(held, _)] = (await members.totals(ALONE, "section")).values()
            if not numbers.acknowledged <= held <= numbers.sent:
                raise WrongAnswerError(f"{held} documents are left of {numbers.acknowledged} acknowledged ones")
            numbers.acknowledged = numbers.sent = held
        return seconds, members.data_bytes(ALONE)


class _Numbers:
    """Which documents were sent, and how many of them were acknowledged."""

    def __init__(self) -> None:
        self.sent = self.acknowledged = 0

    def document(self) -> dict[str, Any]:
        """The next one."""
        self.sent += 1
        return {"_id": self.sent, "section": SECTION, "size": 1, "payload": bson.Binary(bytes(PAYLOAD_BYTES))}


async def _kill_while_writing(members: Members, numbers: _Numbers) -> None:
    async with open_channel(members.address(ALONE), None) as channel:
        writing = asyncio.create_task(_write(LauraSession(channel), numbers))
        await asyncio.sleep(KILL_AFTER_S)
        await asyncio.to_thread(members.kill, ALONE)
        await writing


async def _write(session: LauraSession, numbers: _Numbers) -> None:
    """One document after the other, until the server is gone."""
    while True:
        try:
            numbers.acknowledged += await session.insert([numbers.document()])
        except grpc.aio.AioRpcError:
            return
