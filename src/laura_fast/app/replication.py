"""This server's part in a replica set: its log, its peers, and what the rest of the node hears of elections."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Final

import bson
import msgspec

from laura_fast.client.channel import ClientTls, open_channel
from laura_fast.config.members import parse_members
from laura_fast.domain.membership.values import ReplicaSet as PlacedSet
from laura_fast.domain.replication.members import Configuration, ReplicaMember
from laura_fast.errors import ConfigError
from laura_fast.node.replication.concerns import Shared
from laura_fast.node.replication.document_log import DocumentLog
from laura_fast.node.replication.driver import ReplicaSet
from laura_fast.observability import log
from laura_fast.services.replication.peers import GrpcPeers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AsyncExitStack

    from laura_fast.config import Config
    from laura_fast.node.database.database import Database
    from laura_fast.node.membership import Membership
    from laura_fast.node.ports import Clock
    from laura_fast.storage.documents.oplog import OplogEntry

UNDONE: Final = "rollback"
_log = log.get("laura_fast.replication")


async def join_replica_set(
    undo: AsyncExitStack, config: Config, node_id: str, *, database: Database, membership: Membership, clock: Clock
) -> ReplicaSet | None:
    """Makes the member that `config` asks for; None where this server is alone. It begins with `ReplicaSet.start`.

    Raises:
        ConfigError: The members don't form a replica set with this node in it, or the directory belongs to another.
    """
    if not config.replica_set:
        return None
    replica_log = DocumentLog(database.store, _Undone(Path(config.data_dir) / UNDONE).save, asyncio.to_thread)
    configuration = await _configuration(config, node_id, replica_log)
    timeout_s = config.election_timeout_ms / 1000
    peers = GrpcPeers(configuration.name, lambda address: open_channel(address, _tls(config)), timeout_s)
    undo.push_async_callback(peers.close)
    jitter = random.SystemRandom().random
    member = ReplicaSet(node_id, configuration, replica_log, peers, clock, timeout_s=timeout_s, jitter=jitter)
    undo.push_async_callback(member.stop)
    database.replication = Shared(member, replica_log.moments, clock)
    announcements = _Announcements(member, membership)
    undo.push_async_callback(announcements.stop)

    def changed() -> None:
        announcements.changed()
        if member.leads:
            database.index_builds.start()  # what was being built when an office ended

    member.on_change = changed
    membership.elected_primary = lambda: member.primary.id if member.primary else ""
    return member


async def _configuration(config: Config, node_id: str, replica_log: DocumentLog) -> Configuration:
    """The stored one; `--members` only makes the first, and without them this member waits to be added."""
    if kept := replica_log.configuration():
        if kept.name != config.replica_set:
            told = f"replica_set = {config.replica_set} is not allowed; this data directory is of {kept.name}"
            raise ConfigError(told)
        return kept
    if not config.members:
        return Configuration.unknown(config.replica_set)
    members = tuple(ReplicaMember(each, address) for each, address in parse_members(config.members))
    configuration = Configuration(config.replica_set, 1, members)
    if configuration.get(node_id) is None:
        raise ConfigError(f"members = {config.members} is not allowed; node {node_id} must be one of them")
    await replica_log.keep_configuration(configuration)
    return configuration


def _tls(config: Config) -> ClientTls | None:
    """As this server shows itself to clients, it shows itself to its peers."""
    if not config.tls_cert_file:
        return None
    authorities = Path(config.tls_client_ca_file) if config.tls_client_ca_file else None
    return ClientTls(authorities, Path(config.tls_cert_file), Path(config.tls_key_file))


class _Undone:
    """Files of what rollbacks took back, one for each slice, readable with any BSON tool."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def save(self, undone: Sequence[OplogEntry]) -> None:
        """Durable when it returns."""
        path = await asyncio.to_thread(self._write, undone)
        _log.warning("rolled_back", entries=len(undone), saved=str(path))

    def _write(self, undone: Sequence[OplogEntry]) -> Path:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / f"{undone[0].term}-{undone[0].op_id}-{undone[-1].op_id}.bson"
        with path.open("wb") as file:
            for entry in undone:
                file.write(bson.encode(msgspec.structs.asdict(entry)))
            file.flush()
            os.fsync(file.fileno())
        return path


class _Announcements:
    """Tells the topology who leads, one change after the other, always the newest."""

    def __init__(self, member: ReplicaSet, membership: Membership) -> None:
        self._member = member
        self._membership = membership
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._announce())

    def changed(self) -> None:
        """The role, the primary or the configuration changed."""
        self._changed.set()

    async def _announce(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            primary, configuration = self._member.primary, self._member.configuration
            ids = tuple(member.id for member in configuration.members)
            placed = PlacedSet(configuration.name, ids, primary.id if primary else "", self._member.term)
            await self._membership.place((placed,), ())

    async def stop(self) -> None:
        """Ends it."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
