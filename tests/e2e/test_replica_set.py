"""Three real servers form a replica set: what was acknowledged survives kill -9 of every member in turn."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from bench.rivals.process import free_port
from laura_fast.client import ClusterClient
from laura_fast.client.documents import Concern, DocumentClient, Mode, Reading
from laura_fast.errors import ClientError
from tests.e2e.processes import ServerProcess, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("n1", "n2", "n3")
NAMESPACE = "shop.orders"
WRITES = 10
DOCUMENTS = 3_000


class Members:
    """The processes, by id."""

    def __init__(self, directory: Path) -> None:
        self.ports = {name: free_port() for name in NAMES}
        self.running: dict[str, ServerProcess] = {}
        self._directory = directory

    @property
    def addresses(self) -> list[str]:
        return [f"127.0.0.1:{port}" for port in self.ports.values()]

    def start(self, name: str) -> None:
        members = ",".join(f"{each}=127.0.0.1:{port}" for each, port in self.ports.items())
        flags = ("--node-id", name, "--replica-set", "rs0", "--members", members, "--election-timeout", "1s")
        self.running[name] = ServerProcess(self._directory / name, *flags, port=self.ports[name])

    def kill(self, name: str) -> None:
        self.running.pop(name).kill()

    def wipe(self, name: str) -> None:
        """The directory of a member that does not run is lost."""
        shutil.rmtree(self._directory / name)

    def primary(self) -> str:
        """The last one that was elected and still runs, once there is one."""

        def elected() -> str:
            terms = {_term(process.log): name for name, process in self.running.items()}
            return terms[max(terms)] if max(terms) else ""

        return until(elected, "primary")


def _term(log: str) -> int:
    """The last term in which this process says that it was elected; 0 = it never was, or is primary no more."""
    roles = [line for line in log.splitlines() if '"event":"role"' in line]
    if not roles or '"role":"primary"' not in roles[-1]:
        return 0
    return int(roles[-1].partition('"term":')[2].partition(",")[0])


@pytest.fixture
def members(tmp_path: Path) -> Iterator[Members]:
    found = Members(tmp_path)
    try:
        for name in NAMES:
            found.start(name)
        for name in NAMES:
            assert found.running[name].address
        yield found
    finally:
        for name in list(found.running):
            found.kill(name)


@pytest.mark.timeout(180)
async def test_acknowledged_writes_survive_the_death_of_every_member(members: Members) -> None:
    async with ClusterClient(members.addresses) as cluster:
        client = DocumentClient(cluster, timeout_s=30)
        written = 0
        for _ in NAMES:
            for _ in range(WRITES):
                await client.insert(NAMESPACE, [{"_id": written}])
                written += 1
            victim = members.primary()
            members.kill(victim)
            await client.insert(NAMESPACE, [{"_id": written}])
            written += 1
            members.start(victim)
            assert members.running[victim].address
        held = [document["_id"] async for document in client.find(NAMESPACE, sort={"_id": 1})]
        assert held == list(range(written))


@pytest.mark.timeout(180)
async def test_a_member_that_lost_its_directory_copies_everything_and_then_counts_again(members: Members) -> None:
    async with ClusterClient(members.addresses) as cluster:
        client = DocumentClient(cluster, timeout_s=30)
        await client.insert(NAMESPACE, [{"_id": each, "text": "x" * 1_000} for each in range(DOCUMENTS)])
        primary = members.primary()
        victim, other = (name for name in NAMES if name != primary)
        members.kill(victim)
        members.wipe(victim)
        members.start(victim)
        until(lambda: "initial_sync_complete" in members.running[victim].log, "sync")
        members.kill(other)
        await client.insert(NAMESPACE, [{"_id": DOCUMENTS}])  # a majority needs the one that copied
        members.start(other)
        assert members.running[other].address
        members.kill(primary)
        held = [document["_id"] async for document in client.find(NAMESPACE, sort={"_id": 1})]
        assert held == list(range(DOCUMENTS + 1))


async def test_a_client_that_knows_a_secondary_finds_the_primary(members: Members) -> None:
    primary = members.primary()
    secondary = next(name for name in NAMES if name != primary)
    async with ClusterClient([f"127.0.0.1:{members.ports[secondary]}"]) as cluster:
        client = DocumentClient(cluster)
        await client.insert(NAMESPACE, [{"_id": 1}])
        assert await client.find_one(NAMESPACE) == {"_id": 1}
        assert cluster.address == f"127.0.0.1:{members.ports[primary]}"


@pytest.mark.parametrize("concern", [Concern.LOCAL, Concern.MAJORITY])
async def test_secondaries_show_a_client_what_it_wrote(members: Members, concern: Concern) -> None:
    primary = members.primary()
    async with ClusterClient(members.addresses) as cluster:
        client = DocumentClient(cluster, reading=Reading(Mode.SECONDARY, concern=concern))
        for number in range(WRITES):
            await client.insert(NAMESPACE, [{"_id": number}])
            assert await client.find_one(NAMESPACE, {"_id": number}) == {"_id": number}
        assert cluster.address == f"127.0.0.1:{members.ports[primary]}"


async def test_a_linearizable_read_needs_a_majority(members: Members) -> None:
    primary = members.primary()
    async with ClusterClient([f"127.0.0.1:{members.ports[primary]}"]) as cluster:
        client = DocumentClient(cluster, timeout_s=3, reading=Reading(concern=Concern.LINEARIZABLE))
        await client.insert(NAMESPACE, [{"_id": 1}])
        assert await client.find_one(NAMESPACE) == {"_id": 1}
        for name in NAMES:
            if name != primary:
                members.kill(name)
        with pytest.raises(ClientError):
            await client.find_one(NAMESPACE)
