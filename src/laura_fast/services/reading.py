"""The read options of a request, checked: what this server can't honour is refused, never ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.errors import InvalidArgumentError
from laura_fast.node.database import concerns
from laura_fast.pb.laura.fast.v1 import options_pb2

if TYPE_CHECKING:
    from laura_fast.pb.lauradb.cluster import routing_pb2


def check_reading(request: routing_pb2.QueryRequest | routing_pb2.AggregationRequest) -> None:
    """Raises RpcError for an option that can't be, or not here."""
    concerns.check_no_transaction(request.txn_id)
    if request.max_examined < 0:
        raise InvalidArgumentError(f"max_examined is negative: {request.max_examined}", "NEGATIVE_NUMBER")
    concern(request)


def concern(request: routing_pb2.QueryRequest | routing_pb2.AggregationRequest) -> concerns.ReadConcern:
    """The read concern of a request; that of one that has none is local, as in MongoDB.

    Raises:
        InvalidArgumentError: READ_CONCERN: there is no such concern.
    """
    if request.read_concern not in options_pb2.ReadConcern.values():
        raise InvalidArgumentError(f"read_concern {request.read_concern} is not known", "READ_CONCERN")
    name = options_pb2.ReadConcern.Name(request.read_concern or options_pb2.LOCAL)
    return concerns.ReadConcern(name)


def preference(request: routing_pb2.QueryRequest | routing_pb2.AggregationRequest) -> concerns.ReadPreference:
    """The read preference of a request; that of one that has none is the primary.

    Raises:
        InvalidArgumentError: READ_PREFERENCE: there is no such mode.
    """
    return _preference(request.read_preference) if request.HasField("read_preference") else concerns.ReadPreference()


def _preference(preference: options_pb2.ReadPreference) -> concerns.ReadPreference:
    if preference.mode not in options_pb2.ReadPreference.Mode.values():
        raise InvalidArgumentError(f"read_preference.mode {preference.mode} is not known", "READ_PREFERENCE")
    name = options_pb2.ReadPreference.Mode.Name(preference.mode)
    tag_sets = tuple(dict(tag_set.tags) for tag_set in preference.tag_sets)
    return concerns.ReadPreference(name, tag_sets, preference.max_staleness_s)
