"""Kills a serving database again and again under load, and counts what is there in the end.

Every request has an id and is repeated under it until it is answered, some also afterwards. So whatever a kill
interrupted: each answered insert must be there once, each increment must have counted once, each answer must stay the
same. ::

    python -m tests.e2e.killing --kills 200 --record
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import math
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import grpc

from laura_fast import __version__
from laura_fast.domain.documents.codec import decode, encode
from laura_fast.pb.lauradb.cluster import routing_pb2, routing_pb2_grpc
from tests.e2e.processes import ServerProcess, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = (("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200))
LOST = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
"""What a kill looks like to a client; nothing else is forgiven."""

ANSWER_S = 20.0
READY_S = 300.0
COUNTERS = 8
WIDE = 2_500
"""Documents that one update changes: more than one transaction takes."""

WRITERS = 8
HEAD = """# A serving database, killed under load

Caveats first: kill -9 ends a process, not the machine, so this says nothing of power cuts; one machine, shared with
other work.
"""
RUN = """
`python -m tests.e2e.killing --kills {asked} --seed {seed}`: a `serve` of its own was killed with SIGKILL {kills} times
at random moments, while eighteen clients inserted, incremented, swept 2,500 documents with one update and deleted.
Every request had an id and was repeated under it until it was answered ({retries} times), some once more behind their
answer ({repetitions} times).

| what | number |
|---|---|
| requests answered | {requests} |
| documents inserted, each there once | {inserted} |
| of these deleted, each once | {deleted} |
| increments, each counted once | {increments} |
| updates of 2,500 documents, each counted once on every one | {sweeps} |
| answers that differed from an earlier one, writes missing or counted twice | 0 |
| seconds | {seconds} |
"""


@dataclass
class Tally:
    """What was answered, and what the server must hold because of it."""

    kills: int = 0
    requests: int = 0
    retries: int = 0
    repetitions: int = 0
    inserted: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    increments: Counter[int] = field(default_factory=Counter)
    sweeps: int = 0


class Load:
    """Clients that write without pause, through every kill."""

    def __init__(self, address: str, seed: object) -> None:
        self.tally = Tally()
        self._random = Random(f"{seed}")  # noqa: S311 - test data
        self._channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        self._stub: Any = routing_pb2_grpc.RouterServiceStub(self._channel)
        self._stopping = asyncio.Event()
        self._number = 0

    async def prepare(self) -> None:
        """The documents that are updated."""
        counters = [encode({"_id": number, "n": 0}) for number in range(COUNTERS)]
        wide = [encode({"_id": number, "n": 0}) for number in range(WIDE)]
        await self._settled(self._stub.Insert, _request(routing_pb2.InsertRequest, "counters", documents=counters))
        await self._settled(self._stub.Insert, _request(routing_pb2.InsertRequest, "wide", documents=wide))

    async def run(self) -> None:
        """Writes until `stop`."""
        workers = (
            *(self._work(self._insert) for _ in range(WRITERS)),
            *(self._work(self._count) for _ in range(WRITERS)),
        )
        await asyncio.gather(*workers, self._work(self._delete), self._work(self._sweep))

    def stop(self) -> None:
        """Lets every request that is under way be answered, and sends no more."""
        self._stopping.set()

    async def _work(self, act: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            await act()

    async def _insert(self) -> None:
        self._number += 1
        ids = [f"{self._number}-{part}" for part in range(self._random.choice((1, 1, 3, 20)))]
        documents = [encode({"_id": each, "payload": "x" * self._random.randrange(200)}) for each in ids]
        answer = await self._settled(
            self._stub.Insert, _request(routing_pb2.InsertRequest, "things", documents=documents)
        )
        assert (answer.inserted_count, len(answer.errors)) == (len(ids), 0), answer
        self.tally.inserted.update(ids)

    async def _count(self) -> None:
        counter = self._random.randrange(COUNTERS)
        query, update = encode({"_id": counter}), encode({"$inc": {"n": 1}})
        answer = await self._settled(
            self._stub.Update, _request(routing_pb2.UpdateRequest, "counters", query=query, update=update)
        )
        assert (answer.matched_count, answer.modified_count) == (1, 1), answer
        self.tally.increments[counter] += 1

    async def _sweep(self) -> None:
        request = _request(routing_pb2.UpdateRequest, "wide", query=b"", update=encode({"$inc": {"n": 1}}), multi=True)
        answer = await self._settled(self._stub.Update, request)
        assert (answer.matched_count, answer.modified_count) == (WIDE, WIDE), answer
        self.tally.sweeps += 1

    async def _delete(self) -> None:
        await asyncio.sleep(0.01)
        there = self.tally.inserted - self.tally.deleted
        if not there:
            return
        victim = self._random.choice(sorted(there))
        request = _request(routing_pb2.DeleteRequest, "things", query=encode({"_id": victim}))
        assert (await self._settled(self._stub.Delete, request)).deleted_count == 1
        self.tally.deleted.add(victim)

    async def _settled(self, call: Any, request: Any) -> Any:
        """The answer, however many times it takes; now and then the request comes once more behind it."""
        self.tally.requests += 1
        request.request_id, request.client_id = f"r{self.tally.requests}", "killing"
        answer = await self._answered(call, request)
        if self._random.random() < 0.1:
            self.tally.repetitions += 1
            assert await self._answered(call, request) == answer
        return answer

    async def _answered(self, call: Any, request: Any) -> Any:
        while True:
            try:
                return await call(request, timeout=ANSWER_S, wait_for_ready=True)
            except grpc.aio.AioRpcError as error:
                if error.code() not in LOST:
                    raise
                self.tally.retries += 1

    async def close(self) -> None:
        await self._channel.close()

    async def check(self) -> None:
        """Compares what is there with what was answered."""
        things = {document["_id"] for document in await self._find("things")}
        assert things == self.tally.inserted - self.tally.deleted
        counters = {document["_id"]: document["n"] for document in await self._find("counters")}
        assert counters == {number: self.tally.increments[number] for number in range(COUNTERS)}
        assert {document["n"] for document in await self._find("wide")} == {self.tally.sweeps}

    async def _find(self, collection: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        request = routing_pb2.QueryRequest(database="killed", collection=collection)
        while True:
            page = await self._answered(self._stub.Query, request)
            found += map(decode, page.documents)
            if not page.more_available:
                return found
            request.cursor_id = page.cursor_id


def _request(kind: Any, collection: str, **fields: Any) -> Any:
    return kind(database="killed", collection=collection, **fields)


async def kill_often(directory: Path, kills: int, seed: object, *arguments: str, longest_s: float = math.inf) -> Tally:
    """Kills a server so often, at random moments under load, and checks it after the last start.

    Args:
        directory: Of the server.
        kills: How often.
        seed: Of all that is random.
        arguments: For the server.
        longest_s: No more kills after this time.

    Raises:
        AssertionError: An answered write is missing, counted twice, or was answered in two ways.
    """
    random = Random(f"{seed} kills")  # noqa: S311 - test data
    end = time.monotonic() + longest_s
    server = await asyncio.to_thread(_started, directory, 0, *arguments)
    try:
        address = server.address
        load = Load(address, seed)
        await load.prepare()
        work = asyncio.create_task(load.run())
        for _ in range(kills):
            await asyncio.wait([work], timeout=random.choice((0.02, 0.1, 0.3)) + random.random() * 0.3)
            if work.done() or time.monotonic() > end:
                break
            await asyncio.to_thread(server.kill)
            load.tally.kills += 1
            if load.tally.kills % 10 == 0:
                print(f"{load.tally.kills} kills, {load.tally.requests} requests", file=sys.stderr, flush=True)
            server = await asyncio.to_thread(_started, directory, int(address.rpartition(":")[2]), *arguments)
        load.stop()
        await work
        await load.check()
        await load.close()
        return load.tally
    finally:
        await asyncio.to_thread(server.kill)


def _started(directory: Path, port: int, *arguments: str) -> ServerProcess:
    """A server that is ready, however busy the machine is."""
    server = ServerProcess(directory, *arguments, port=port)
    until(lambda: server.ready or not server.running, f"ready file; the log ends {server.log[-1_000:]}", READY_S)
    return server


def record(runs: list[dict[str, Any]]) -> Path:
    """Writes the runs to results/."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    folder = ROOT / "results" / f"{dt.datetime.now(dt.UTC):%Y-%m-%d}-{commit}-killed-database"
    folder.mkdir()
    told = {"version": __version__, "commit": commit, "python": platform.python_version(), "runs": runs}
    (folder / "raw.json").write_text(json.dumps(told, indent=2) + "\n")
    (folder / "summary.md").write_text(HEAD + "".join(RUN.format(**run) for run in runs))
    return folder


def main() -> int:
    """Runs and prints what happened."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--seconds", type=float, default=math.inf, help="no more kills after this time")
    parser.add_argument("--record", action="store_true", help="write to results/")
    chosen = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        tally = asyncio.run(kill_often(Path(directory), chosen.kills, chosen.seed, longest_s=chosen.seconds))
    told = asdict(tally) | {
        "inserted": len(tally.inserted),
        "deleted": len(tally.deleted),
        "increments": tally.increments.total(),
        "asked": chosen.kills,
        "seed": chosen.seed,
        "seconds": round(time.monotonic() - started),
    }
    print(json.dumps(told))
    if chosen.record:
        print(record([told]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
