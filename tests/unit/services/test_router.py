"""What RouterService does with a write beside handing it on: whose it is, and how long it may take."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.errors import DeadlineError
from laura_fast.node.database.replication import Alone
from laura_fast.pb.laura.fast.v1 import options_pb2
from laura_fast.pb.lauradb.cluster import routing_pb2
from laura_fast.services.router import RouterServicer
from laura_fast.services.shard_map import HomeShard
from laura_fast.testing.clock import VirtualClock

if TYPE_CHECKING:
    from laura_fast.node.database.commands import Origin


class Caller:
    """The context of one call."""

    def __init__(self, seconds: float | None = None, **names: list[bytes]) -> None:
        self._seconds = seconds
        self._names = names

    def time_remaining(self) -> float | None:
        return self._seconds

    def auth_context(self) -> dict[str, list[bytes]]:
        return self._names


class SlowDatabase:
    """Answers when told; remembers who asked."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.replication = Alone(None, VirtualClock())  # type: ignore[arg-type]  # no read asks it
        self.origins: list[Origin] = []
        self.seconds: list[float | None] = []

    async def delete(self, _command: Any, origin: Origin, seconds: float | None, respond: Any) -> Any:
        self.origins.append(origin)
        self.seconds.append(seconds)
        await self.gate.wait()
        return respond(1)


@pytest.fixture
def database() -> SlowDatabase:
    return SlowDatabase()


@pytest.fixture
def router(database: SlowDatabase) -> RouterServicer:
    home = HomeShard("n1", lambda: "[::]:27018")
    return RouterServicer(database, home, VirtualClock(), longest_s=30)  # type: ignore[arg-type]  # what it asks of it


def _delete(**fields: Any) -> routing_pb2.DeleteRequest:
    return routing_pb2.DeleteRequest(database="shop", collection="orders", request_id="r", **fields)


async def test_a_write_that_outlasts_its_wtimeout_says_what_to_do(router: RouterServicer) -> None:
    request = _delete(write_concern=options_pb2.WriteConcern(wtimeout_ms=1))
    with pytest.raises(DeadlineError, match="repeat its request_id") as caught:
        await router.Delete(request, Caller())  # type: ignore[arg-type]
    assert caught.value.reason == "WRITE_CONCERN_TIMEOUT"


async def test_an_endless_wtimeout_is_no_error(router: RouterServicer, database: SlowDatabase) -> None:
    database.gate.set()
    request = _delete(write_concern=options_pb2.WriteConcern(wtimeout_ms=(1 << 63) - 1))
    answer = routing_pb2.DeleteResponse.FromString(await router.Delete(request, Caller()))  # type: ignore[arg-type]
    assert answer.deleted_count == 1


@pytest.mark.parametrize(
    ("client_id", "names", "client"),
    [
        ("app", {"peer_dns": [b"n1"]}, "app"),
        ("", {"peer_uri": [b"spiffe://laura/node/n1"], "peer_dns": [b"n1"]}, "spiffe://laura/node/n1"),
        ("", {"peer_dns": [b"n1"]}, "n1"),
        ("", {}, ""),
    ],
)
async def test_a_request_belongs_to_its_client_or_to_its_certificate(
    router: RouterServicer, database: SlowDatabase, client_id: str, names: dict[str, list[bytes]], client: str
) -> None:
    database.gate.set()
    await router.Delete(_delete(client_id=client_id), Caller(**names))  # type: ignore[arg-type]
    assert database.origins == [(client, "r")]


@pytest.mark.parametrize(("left", "taken"), [(None, 30), (5.0, 5.0), (99.0, 30)])
async def test_the_nearer_deadline_counts(
    router: RouterServicer, database: SlowDatabase, left: float | None, taken: float
) -> None:
    database.gate.set()
    await router.Delete(_delete(), Caller(left))  # type: ignore[arg-type]
    assert database.seconds == [taken]
