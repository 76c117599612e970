"""Heartbeats of 100 members through the native server, ten to a read: bytes in, bytes out."""

from __future__ import annotations

from typing import Final

import uvloop

from bench import data
from bench.compare.case import Case
from bench.compare.line import Line, ended_streams
from laura_fast.metadata.memory import MemoryMetadata

NODES: Final = 100
PER_READ: Final = 10
ACKNOWLEDGED: Final = b"\x00\x00\x00\x00\x09\x08\x01"
"""The prefix of a message of nine bytes that begins with `ack = true`."""


def prepare() -> Case:
    """A server whose members know the topology."""
    line = Line(uvloop.new_event_loop(), MemoryMetadata())
    nodes = data.nodes(NODES)
    joins = [data.registration(node, omit_members=True).SerializeToString() for node in nodes]
    for first in range(0, NODES, PER_READ):
        line.call(line.requests("RegisterNode", joins[first : first + PER_READ]), PER_READ)
    version = line.membership.topology.version
    beats = [data.beat(node, known_version=version).SerializeToString() for node in nodes]

    def begin() -> list[bytes]:
        return [line.requests("Heartbeat", beats[first : first + PER_READ]) for first in range(0, NODES, PER_READ)]

    def work(reads: list[bytes]) -> int:
        feed, written = line.feed, 0
        for read in reads:
            written += sum(map(len, feed(read)))
        return written

    def counts() -> dict[str, float]:
        answers = b"".join(b"".join(line.feed(read)) for read in begin())
        assert answers.count(ACKNOWLEDGED) == ended_streams(answers) == NODES, "not every beat was acknowledged"
        return {"wire bytes": work(begin()) / NODES}

    counts()
    return Case(NODES, begin, work, counts, line.close)
