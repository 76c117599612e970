"""What must be true when everything is over."""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents.codec import decode
from laura_fast.pb.laura.fast.v1 import options_pb2
from laura_fast.pb.lauradb.cluster import routing_pb2, routing_pb2_grpc
from tests.e2e.chaos.load import COUNTERS, REGISTERS, THINGS, payload
from tests.e2e.chaos.members import NAMES

if TYPE_CHECKING:
    from tests.e2e.chaos.load import Tally
    from tests.e2e.chaos.members import Members

LEVEL_S = 30.0
PAGE_S = 30.0
FATAL = {"none", "error", "critical"}
"""Levels of log lines that no fault explains; "none": a trace that went past the logs."""


async def check(members: Members, tally: Tally) -> str:
    """Compares what each member holds with what clients were told.

    Returns:
        The hash of the documents, the same on each member.

    Raises:
        AssertionError: Something was lost, counted twice, read stale, or differs between members.
    """
    at = await _level(members)
    held = await asyncio.gather(*(_everything(members, name) for name in NAMES))
    assert await _level(members) == at, "the logs grew while they were read"
    hashes = {hashlib.sha256(b"".join(each[name] for name in sorted(each))).hexdigest() for each in map(_joined, held)}
    assert len(hashes) == 1, f"members differ at {at}: {hashes}"
    _check_documents(tally, held[0])
    strange = await asyncio.to_thread(tally.history.strange)
    assert not strange, f"register {strange} can't have answered so"
    check_logs(members)
    return hashes.pop()


def _check_documents(tally: Tally, held: dict[str, list[bytes]]) -> None:
    things = {each["_id"]: each["payload"] for each in map(decode, held[THINGS])}
    assert things.keys() == tally.things, f"lost or unasked: {sorted(things.keys() ^ tally.things)[:20]}"
    assert all(text == payload(thing) for thing, text in things.items())
    counters = {each["_id"]: each["n"] for each in map(decode, held[COUNTERS])}
    assert counters == dict(tally.increments), f"counted {counters}, answered {dict(tally.increments)}"


def check_logs(members: Members) -> None:
    """One primary a term, and nothing went wrong inside."""
    elected: dict[int, str] = {}
    for name in NAMES:
        for event in members.events(name):
            assert event.get("level") not in FATAL, f"{name}: {event}"
            if event.get("event") == "role" and event["role"] == "primary":
                assert elected.setdefault(event["term"], name) == name, f"two primaries in term {event['term']}"


async def _level(members: Members) -> tuple[int, int]:
    """The end of the log, once it is the same for all."""
    deadline = time.monotonic() + LEVEL_S
    while True:
        views = await members.views()
        ends = {_end(view) for view in views.values()}
        if len(views) == len(NAMES) and len(ends) == 1:
            return ends.pop()
        assert time.monotonic() < deadline, f"not level: {ends}"
        await asyncio.sleep(0.1)


def _end(view: Any) -> tuple[int, int]:
    mine = next(each.applied for each in view.members if each.member.id == view.observer_id)
    return mine.term, mine.op_id


async def _everything(members: Members, name: str) -> dict[str, list[bytes]]:
    return {collection: await _documents(members, name, collection) for collection in (THINGS, COUNTERS, REGISTERS)}


async def _documents(members: Members, name: str, namespace: str) -> list[bytes]:
    """All of a collection, as this very member has it."""
    database, _, collection = namespace.partition(".")
    stub: Any = routing_pb2_grpc.RouterServiceStub(members.channel(name))
    nearest = options_pb2.ReadPreference(mode=options_pb2.ReadPreference.Mode.NEAREST)
    request = routing_pb2.QueryRequest(database=database, collection=collection, read_preference=nearest)
    found: list[bytes] = []
    while True:
        page = await stub.Query(request, timeout=PAGE_S)
        found += page.documents
        if not page.more_available:
            return sorted(found)
        request.cursor_id = page.cursor_id


def _joined(held: dict[str, list[bytes]]) -> dict[str, bytes]:
    return {name: b"".join(documents) for name, documents in held.items()}
