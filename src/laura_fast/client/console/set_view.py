"""A replica set as plain values: each member by its own word where it answered, else by the primary's."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from laura_fast.client.explain import explain
from laura_fast.errors import ClientError
from laura_fast.pb.laura.fast.v1.replica_set_pb2 import ReplicaSetState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laura_fast.pb.laura.fast.v1.replica_set_pb2 import ReplicaMemberState


@dataclass(frozen=True, slots=True)
class SetMemberView:
    """A member; None stands for what is not known.

    Attributes:
        state: "primary", "secondary", "arbiter", "syncing", "removed", "waiting", "down" or "unknown".
        term: Its own; two members in different terms are about to agree, or can't reach each other.
        heard_ms_ago: When the primary last heard it.
        error: Why it did not answer; empty where it did.
    """

    id: str
    address: str
    state: str
    priority: int
    votes: bool
    tags: dict[str, str]
    term: int | None
    applied_op_id: int | None
    durable_op_id: int | None
    lag_entries: int | None
    heard_ms_ago: int | None
    sync_progress: str
    error: str


@dataclass(frozen=True, slots=True)
class ElectionView:
    """An election: who won which term, when by its own clock, and why it was held."""

    term: int
    primary_id: str
    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class SetView:
    """A set.

    Attributes:
        observer_id: Whose word counts for what members don't say themselves.
        committed: Whether a majority has the configuration.
        strangers: State of who answered and is no member, by id: it waits to be added, or was removed.
    """

    name: str
    observer_id: str
    observed_at_ms: int
    term: int
    primary_id: str
    version: int
    committed: bool
    commit_op_id: int
    members: tuple[SetMemberView, ...]
    elections: tuple[ElectionView, ...]
    strangers: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """Everything."""
        return asdict(self)


def set_view(told: Mapping[str, ReplicaSetState | ClientError]) -> SetView:
    """What the members told, by id; whoever is in the latest term, the primary first, speaks for those that are silent.

    Raises:
        ClientError: None of them told anything.
    """
    states = [state for state in told.values() if isinstance(state, ReplicaSetState)]
    if not states:
        raise next(error for error in told.values() if isinstance(error, ClientError))
    best = max(states, key=lambda state: (state.term, state.observer_state == "primary"))
    members = {row.member.id for row in best.members}
    return SetView(
        name=best.configuration.name,
        observer_id=best.observer_id,
        observed_at_ms=best.observed_at_ms,
        term=best.term,
        primary_id=best.primary_id,
        version=best.configuration.version,
        committed=best.configuration_committed,
        commit_op_id=best.commit_op_id,
        members=tuple(_member(row, told.get(row.member.id)) for row in best.members),
        elections=tuple(ElectionView(each.term, each.primary_id, each.at_ms, each.reason) for each in best.elections),
        strangers={state.observer_id: state.observer_state for state in states if state.observer_id not in members},
    )


def _member(row: ReplicaMemberState, told: ReplicaSetState | ClientError | None) -> SetMemberView:
    """`row` is what the best view says of the member, `told` what the member itself answered."""
    answered = told if isinstance(told, ReplicaSetState) else None
    own = next((each for each in answered.members if each.member.id == row.member.id), row) if answered else row
    lagging = row if row.HasField("lag_entries") else own
    return SetMemberView(
        id=row.member.id,
        address=row.member.address,
        state=answered.observer_state if answered else _unseen(row.state, asked=told is not None),
        priority=row.member.priority,
        votes=row.member.votes,
        tags=dict(sorted(row.member.tags.items())),
        term=answered.term if answered else None,
        applied_op_id=own.applied.op_id if own.HasField("applied") else None,
        durable_op_id=own.durable.op_id if own.HasField("durable") else None,
        lag_entries=lagging.lag_entries if lagging.HasField("lag_entries") else None,
        heard_ms_ago=row.heard_ms_ago if row.HasField("heard_ms_ago") else None,
        sync_progress=own.sync_progress,
        error=explain(told) if isinstance(told, ClientError) else "",
    )


def _unseen(state: str, *, asked: bool) -> str:
    """Of a member that did not answer. Where it was not asked, what a secondary does not know stays unknown."""
    return "down" if asked and state == "unknown" else state
