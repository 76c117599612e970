"""What an operator asks of a replica set, through any of its members."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from laura_fast.errors import ClientError, RefusedError, RemoteError, UnreachableError
from laura_fast.pb.laura.fast.v1 import admin_pb2, admin_pb2_grpc, replica_set_pb2, replica_set_pb2_grpc

Answer = TypeVar("Answer")

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    import grpc

    from laura_fast.client.cluster import ClusterClient
    from laura_fast.pb.laura.fast.v1.replica_set_pb2 import ReplicaMember, ReplicaSetConfiguration, ReplicaSetState

    Edit = Callable[[ReplicaSetConfiguration], ReplicaMember]

AGAIN: Final = frozenset({"CHANGE_PENDING", "NOT_CAUGHT_UP", "VERSION_MISMATCH", "NOT_PRIMARY"})
"""Reasons why something is refused, before anything happened, that go away by themselves."""
PAUSE_S: Final = 0.1
LOOK_S: Final = 2.0
"""How long a member gets to tell its state: a set is looked at when something is wrong, and nobody wants to wait."""


class ReplicaSetClient:
    """A set, looked at and changed. Methods find the primary by themselves.

    They raise `RemoteError` with the server's reason, `UnreachableError` when nobody could answer, and `RefusedError`
    where there is nothing to do what was asked with.
    """

    def __init__(self, cluster: ClusterClient) -> None:
        self._cluster = cluster

    async def state(self, timeout_s: float | None = None) -> ReplicaSetState:
        """The set as some member sees it."""
        return await self._cluster.caller.once(_get_state, timeout_s)

    async def states(self, timeout_s: float = LOOK_S) -> dict[str, ReplicaSetState | ClientError]:
        """The set as each of its members sees it, by id; why not, for those that did not answer."""
        known = await self.state(timeout_s)
        members = [*known.configuration.members]
        told = await asyncio.gather(*(self._state_at(member.address, timeout_s) for member in members))
        found = {member.id: state for member, state in zip(members, told, strict=True)}
        return found if known.observer_id in found else {known.observer_id: known, **found}

    async def _state_at(self, address: str, timeout_s: float) -> ReplicaSetState | ClientError:
        try:
            return await self._cluster.caller.once(_get_state, timeout_s, [address])
        except ClientError as error:
            return error

    async def add(self, member: ReplicaMember, timeout_s: float) -> ReplicaSetConfiguration:
        """Makes a node a member; with a vote only once it has caught up.

        Raises:
            RefusedError: It is one already, elsewhere.
            RemoteError: NOT_CAUGHT_UP: it is a member without a vote; the same call again goes on from there.
        """

        def edit(configuration: ReplicaSetConfiguration, *, votes: bool) -> ReplicaMember:
            present = _find(configuration, member.id)
            if present and present.address != member.address:
                raise RefusedError(f"{member.id} is a member already, at {present.address}")
            wanted = replica_set_pb2.ReplicaMember()
            wanted.CopyFrom(member)
            wanted.votes = member.votes and (votes or bool(present and present.votes))
            return wanted

        deadline = self._cluster.timing.monotonic() + timeout_s
        added = await self._change(lambda configuration: edit(configuration, votes=False), timeout_s)
        if not member.votes:
            return added
        left_s = max(0.0, deadline - self._cluster.timing.monotonic())
        return await self._change(lambda configuration: edit(configuration, votes=True), left_s)

    async def edit(
        self, member_id: str, change: Callable[[ReplicaMember], object], timeout_s: float
    ) -> ReplicaSetConfiguration:
        """Changes a member.

        Raises:
            RefusedError: There is no such member.
        """

        def edit(configuration: ReplicaSetConfiguration) -> ReplicaMember:
            present = _find(configuration, member_id)
            if present is None:
                ids = ", ".join(member.id for member in configuration.members)
                raise RefusedError(f"{configuration.name} has no member {member_id}; its members are {ids}")
            change(present)
            return present

        return await self._change(edit, timeout_s)

    async def remove(self, member_id: str, timeout_s: float) -> ReplicaSetConfiguration:
        """Takes a member out of the set."""
        name = (await self.state(timeout_s)).configuration.name
        request = replica_set_pb2.ChangeReplicaSetRequest(replica_set=name, remove=member_id)
        return await self._patiently(lambda: self._send(request, timeout_s), timeout_s)

    async def step_down(
        self, *, catch_up_s: float, freeze_s: float, force: bool, timeout_s: float
    ) -> admin_pb2.StepDownResponse:
        """Lets the primary hand over; answers who leads then. It is asked once: a repetition would hit the next one."""
        request = admin_pb2.StepDownRequest(
            catch_up_ms=round(catch_up_s * 1000), freeze_ms=round(freeze_s * 1000), force=force
        )

        async def call(channel: grpc.aio.Channel, seconds: float) -> admin_pb2.StepDownResponse:
            return await admin_pb2_grpc.AdminServiceStub(channel).StepDown(request, timeout=seconds)

        async def attempt() -> admin_pb2.StepDownResponse:
            state = await self._primarys_state(timeout_s)
            request.replica_set = state.configuration.name
            address = next(each.address for each in state.configuration.members if each.id == state.primary_id)
            return await self._cluster.caller.once(call, timeout_s, [address])

        return await self._patiently(attempt, timeout_s)

    async def _primarys_state(self, timeout_s: float) -> ReplicaSetState:
        """A view in which somebody leads; an election under way is waited for."""
        timing = self._cluster.timing
        deadline = timing.monotonic() + timeout_s
        while not (state := await self.state(timeout_s)).primary_id:
            if timing.monotonic() + PAUSE_S >= deadline:
                raise RefusedError(f"{state.configuration.name} has no primary now, as {state.observer_id} sees it")
            await timing.sleep(PAUSE_S)
        return state

    async def _change(self, edit: Edit, timeout_s: float) -> ReplicaSetConfiguration:
        async def attempt() -> ReplicaSetConfiguration:
            configuration = (await self._primarys_state(timeout_s)).configuration
            request = replica_set_pb2.ChangeReplicaSetRequest(
                replica_set=configuration.name, expected_version=configuration.version, put=edit(configuration)
            )
            return await self._send(request, timeout_s)

        return await self._patiently(attempt, timeout_s)

    async def _patiently(self, attempt: Callable[[], Awaitable[Answer]], timeout_s: float) -> Answer:
        """Tries again while the reason of the refusal is one that goes away."""
        timing = self._cluster.timing
        deadline = timing.monotonic() + timeout_s
        while True:
            try:
                return await attempt()
            except (RemoteError, UnreachableError) as error:
                if not _reasons(error) <= AGAIN or timing.monotonic() + PAUSE_S >= deadline:
                    raise
            await timing.sleep(PAUSE_S)

    async def _send(
        self, request: replica_set_pb2.ChangeReplicaSetRequest, timeout_s: float
    ) -> ReplicaSetConfiguration:
        async def call(channel: grpc.aio.Channel, seconds: float) -> ReplicaSetConfiguration:
            stub: Any = replica_set_pb2_grpc.ReplicaSetServiceStub(channel)
            answer: replica_set_pb2.ChangeReplicaSetResponse = await stub.ChangeReplicaSet(request, timeout=seconds)
            return answer.configuration

        return await self._cluster.caller.until(call, timeout_s)


async def _get_state(channel: grpc.aio.Channel, seconds: float) -> ReplicaSetState:
    stub: Any = replica_set_pb2_grpc.ReplicaSetServiceStub(channel)
    state: ReplicaSetState = await stub.GetReplicaSet(replica_set_pb2.GetReplicaSetRequest(), timeout=seconds)
    return state


def _reasons(error: RemoteError | UnreachableError) -> set[str]:
    return {each.reason for each in (error.failures if isinstance(error, UnreachableError) else (error,))}


def _find(configuration: ReplicaSetConfiguration, member_id: str) -> ReplicaMember | None:
    return next((member for member in configuration.members if member.id == member_id), None)
