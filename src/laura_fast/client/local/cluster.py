"""A local set up and down. Both can be repeated: what runs is left alone, what half runs is completed or ended."""

from __future__ import annotations

import asyncio
import fcntl
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from laura_fast.client.cluster import ClusterClient
from laura_fast.client.local import plan as plans
from laura_fast.client.local.process import MemberProcess
from laura_fast.client.replica_set import ReplicaSetClient
from laura_fast.client.retry import RetryPolicy
from laura_fast.errors import ClientError, ConfigError
from laura_fast.pb.laura.fast.v1.replica_set_pb2 import ReplicaSetState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from laura_fast.client.local.plan import Plan

POLL_S: Final = 0.05
SERVING: Final = frozenset({"primary", "secondary", "arbiter"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a local set shall be.

    Attributes:
        replicas: How many members.
        replica_set: Its name.
        host: Where they listen.
        port: Of the first, the others follow; 0 = any that are free.
        election_timeout: As `serve` takes it.
        ready_file: Where ids, roles and addresses are told; empty = nowhere.
    """

    replicas: int
    replica_set: str
    host: str
    port: int
    election_timeout: str
    ready_file: str


class LocalSet:
    """The set whose processes and data are in one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()

    async def up(self, wanted: Wanted, timeout_s: float) -> list[dict[str, Any]]:
        """Starts what does not run; returns ids, roles and addresses once one member leads and all others follow.

        Raises:
            ConfigError: Another set is in the directory, or another command works on it.
            ClientError: It did not get that far; what this call started is stopped again.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone():
            plan = self._plan(wanted)
            started: list[MemberProcess] = []
            try:
                self._start(plan, wanted, started)
                members = await self._settled(plan, timeout_s)
            except BaseException:
                await _ended(started, timeout_s)
                raise
            plans.tell(plan, members)
            return members

    async def down(self, timeout_s: float) -> int:
        """Stops every process, hard when it takes longer; returns how many ran. The data stays.

        Raises:
            ConfigError: There is no set in the directory, or another command works on it.
        """
        if (plan := plans.load(self._directory)) is None:
            raise ConfigError(f"there is no local cluster in {self._directory}")
        with self._alone():
            plans.take_away(plan)
            processes = self._processes(plan)
            running = [process for process in processes if process.running]
            await _ended(processes, timeout_s)
            return len(running)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other command works on the same directory meanwhile."""
        with (self._directory / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ConfigError(f"another command works on {self._directory} now") from None
            yield

    def _plan(self, wanted: Wanted) -> Plan:
        plan = plans.load(self._directory)
        if plan is None:
            ports = plans.free_ports(wanted.host, wanted.replicas)
            if wanted.port:
                ports = [wanted.port + number for number in range(wanted.replicas)]
            plan = plans.make(wanted.replica_set, wanted.host, ports)
        if (len(plan.members), plan.replica_set) != (wanted.replicas, wanted.replica_set):
            told = f"a set {plan.replica_set} of {len(plan.members)} members"
            raise ConfigError(
                f"{self._directory} holds {told}; change its members with rs, or choose another directory"
            )
        ready_file = str(Path(wanted.ready_file).absolute()) if wanted.ready_file else plan.ready_file
        plan = msgspec.structs.replace(plan, ready_file=ready_file)
        plans.save(self._directory, plan)
        return plan

    def _processes(self, plan: Plan) -> list[MemberProcess]:
        return [MemberProcess(member.id, self._directory / member.id) for member in plan.members]

    def _start(self, plan: Plan, wanted: Wanted, started: list[MemberProcess]) -> None:
        common = ("--replica-set", plan.replica_set, "--members", plan.setting)
        for member, process in zip(plan.members, self._processes(plan), strict=True):
            if not process.running:
                host, _, port = member.address.rpartition(":")
                where = ("--host", host.strip("[]"), "--port", port, "--election-timeout", wanted.election_timeout)
                started.append(process)
                process.start((*common, *where))

    async def _settled(self, plan: Plan, timeout_s: float) -> list[dict[str, Any]]:
        """Ids, roles and addresses, once every member serves and knows the primary."""
        processes = self._processes(plan)
        try:
            async with asyncio.timeout(timeout_s):
                while not _all_ready(processes):  # noqa: ASYNC110 - other processes have no events
                    await asyncio.sleep(POLL_S)
                async with ClusterClient([member.address for member in plan.members], policy=_ONCE) as cluster:
                    roles: list[dict[str, Any]] = []
                    while not roles and _all_ready(processes):
                        await asyncio.sleep(POLL_S)
                        roles = await _roles(plan, ReplicaSetClient(cluster))
                    return roles
        except TimeoutError:
            told = f"the members were not ready within {timeout_s:g} s; their logs are in {self._directory}"
            raise ClientError(told) from None


_ONCE: Final = RetryPolicy(attempt_timeout_s=2.0, max_passes=1)


def _all_ready(processes: list[MemberProcess]) -> bool:
    """Whether all say that they serve.

    Raises:
        ClientError: One has ended.
    """
    for process in processes:
        if not process.running:
            raise ClientError(f"member {process.id} ended by itself:\n{process.last_words()}")
    return all(process.ready for process in processes)


async def _roles(plan: Plan, client: ReplicaSetClient) -> list[dict[str, Any]]:
    """Nothing while some member does not serve yet, or has not heard of the primary."""
    told: dict[str, Any] = {}
    with suppress(ClientError):
        told = await client.states()
    states = [told.get(member.id) for member in plan.members]
    known = [state for state in states if isinstance(state, ReplicaSetState) and state.observer_state in SERVING]
    if len(known) < len(states) or len({state.primary_id for state in known} - {""}) != 1:
        return []
    if not all(state.primary_id for state in known):
        return []
    roles = {state.observer_id: state.observer_state for state in known}
    return [{"id": member.id, "role": roles[member.id], "address": member.address} for member in plan.members]


async def _ended(processes: list[MemberProcess], timeout_s: float) -> None:
    """Stops them, hard when it takes longer."""
    for hard in (False, True):
        for process in processes:
            process.end(hard=hard)
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while any(process.running for process in processes):  # noqa: ASYNC110 - not all are our children
                    await asyncio.sleep(POLL_S)
    for process in processes:
        process.forget()
