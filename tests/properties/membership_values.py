"""Members, topologies and their parts, as random as the wire contract allows."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hypothesis import strategies as st

from laura_fast.domain.membership.encoding import prefixed
from laura_fast.domain.membership.table import MemberTable
from laura_fast.domain.membership.topology import TopologyDelta, TopologySnapshot
from laura_fast.domain.membership.values import Chunk, Member, NodeRole, NodeState, ReplicaSet, Shard
from laura_fast.services.nodes import encode_node

INT64: Final = st.integers(-(2**63), 2**63 - 1)
POSITIVE: Final = st.integers(1, 2**63 - 1)
TEXT: Final = st.text(max_size=12)
IDS: Final = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)


def _with_entry(member: Member) -> Member:
    return replace(member, entry=prefixed(encode_node(member)))


MEMBERS: Final = st.builds(
    Member,
    id=IDS,
    host=TEXT,
    port=st.integers(0, 65_535),
    role=st.sampled_from(NodeRole),
    priority=INT64,
    tags=st.dictionaries(TEXT, TEXT, max_size=3),
    state=st.sampled_from(NodeState),
    incarnation=POSITIVE,
    entry=st.just(b""),
).map(_with_entry)

REPLICA_SETS: Final = st.tuples(
    st.builds(ReplicaSet, id=TEXT, node_ids=st.tuples(IDS, IDS), primary_id=TEXT, term=INT64)
)
_CHUNKS: Final = st.builds(Chunk, id=TEXT, min_key=st.binary(max_size=9), max_key=st.binary(max_size=9))
SHARDS: Final = st.tuples(st.builds(Shard, id=TEXT, node_id=TEXT, chunks=st.tuples(_CHUNKS, _CHUNKS)))


TOPOLOGIES: Final = st.builds(
    TopologySnapshot,
    POSITIVE,
    st.lists(MEMBERS, max_size=5, unique_by=lambda member: member.id).map(MemberTable.of),
    primary_id=TEXT,
    replica_sets=REPLICA_SETS,
    shards=SHARDS,
)

DELTAS: Final = st.builds(
    TopologyDelta,
    POSITIVE,
    st.lists(MEMBERS, max_size=3).map(tuple),
    st.lists(IDS, max_size=3).map(tuple),
    primary_id=TEXT,
    replica_sets=REPLICA_SETS,
    shards=SHARDS,
)
