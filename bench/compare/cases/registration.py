"""Nodes join a cluster of 100 through the native server, durable when answered, and leave again."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import lmdb
import uvloop

from bench import data
from bench.compare.case import Case
from bench.compare.line import Line, ended_streams
from laura_fast.metadata.embedded import EmbeddedMetadata
from laura_fast.pb.lauradb.cluster import cluster_pb2
from laura_fast.storage.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Callable

NODES: Final = 100
JOINS: Final = 10
MEMORY: Final = Path("/dev/shm")  # noqa: S108  # the one place where a sync costs no disk's mood
JOINED: Final = b"\x08\x01"
"""`success = true`, first in the answer."""


def prepare() -> Case:
    """A server with its store in memory-backed files: the sync is made, and counted, but the disk is not measured."""
    # An object, not a path: it cleans up by itself when the environment can't be opened, as under valgrind.
    scratch = tempfile.TemporaryDirectory(prefix="laura-fast-", dir=MEMORY if MEMORY.is_dir() else None)
    opened, restore = _watch_lmdb()
    environment = Environment.open(Path(scratch.name))
    restore()
    line = Line(uvloop.new_event_loop(), EmbeddedMetadata(environment))
    nodes = data.nodes(NODES + JOINS)
    joins = [data.registration(node, omit_members=True).SerializeToString() for node in nodes]
    leaves = [cluster_pb2.NodeDeregistrationRequest(node_id=node.id).SerializeToString() for node in nodes]
    for first in range(0, NODES, JOINS):
        line.call(line.requests("RegisterNode", joins[first : first + JOINS]), JOINS)

    def begin() -> tuple[bytes, bytes]:
        return line.requests("RegisterNode", joins[NODES:]), line.requests("DeregisterNode", leaves[NODES:])

    def work(reads: tuple[bytes, bytes]) -> list[bytes]:
        answers, left = (line.call(read, JOINS) for read in reads)
        assert left, "nobody left"
        return answers

    def counts() -> dict[str, float]:
        before = _syncs(opened[0])
        for join, leave in zip(joins[NODES:], leaves[NODES:], strict=True):  # alone: nobody shares a commit
            answer = b"".join(line.call(line.requests("RegisterNode", [join]), 1))
            assert ended_streams(answer) == 1, "no answer"
            assert JOINED in answer, "refused"
            line.call(line.requests("DeregisterNode", [leave]), 1)
        alone = _syncs(opened[0]) - before
        return {"syncs": alone / (2 * JOINS), "wire bytes": float(len(answer))}

    def close() -> None:
        line.close()
        environment.close()
        scratch.cleanup()

    return Case(2 * JOINS, begin, work, counts, close, threaded=True)


def _watch_lmdb() -> tuple[list[Any], Callable[[], None]]:
    """Environments that are opened until the second value is called."""
    opened: list[Any] = []
    module: Any = lmdb
    real = module.open

    def watched(*arguments: Any, **options: Any) -> Any:
        opened.append(real(*arguments, **options))
        return opened[-1]

    def restore() -> None:
        module.open = real

    module.open = watched
    return opened, restore


def _syncs(environment: Any) -> int:
    """LMDB syncs once per committed transaction unless it was told not to."""
    flags = environment.flags()
    return int(environment.info()["last_txnid"]) if flags["sync"] and flags["metasync"] else 0
