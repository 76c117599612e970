"""Queries as request messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from laura_fast.client.documents.codec import encode
from laura_fast.pb.lauradb.cluster import routing_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from laura_fast.client.documents.namespaces import Namespace


class Options(TypedDict, total=False):
    """The attributes of `Query` beside the filter."""

    projection: Mapping[str, Any] | None
    sort: Mapping[str, Any] | None
    skip: int
    limit: int
    batch_size: int
    max_examined: int


@dataclass(frozen=True, slots=True)
class Query:
    """What to find: filter, then sort, then skip, then limit, then projection.

    Attributes:
        filter: None matches every document.
        projection: Fields to answer; None answers all.
        sort: Field to 1 or -1, the most significant first.
        skip: Documents to leave out at the beginning.
        limit: 0 = no limit.
        batch_size: Documents of a page; 0 leaves it to the server.
        max_examined: Documents that the server may read before it gives up; 0 leaves it to the server.
    """

    filter: Mapping[str, Any] | None = None
    projection: Mapping[str, Any] | None = None
    sort: Mapping[str, Any] | None = None
    skip: int = 0
    limit: int = 0
    batch_size: int = 0
    max_examined: int = 0

    def message(self, namespace: Namespace) -> pb.QueryRequest:
        """The request for the first page.

        Raises:
            InvalidArgumentError: A value that BSON has no type for.
        """
        return pb.QueryRequest(
            database=namespace.database,
            collection=namespace.collection,
            query=optional(self.filter),
            projection=optional(self.projection),
            sort=optional(self.sort),
            skip=self.skip,
            limit=self.limit,
            batch_size=self.batch_size,
            max_examined=self.max_examined,
        )


def aggregation(
    namespace: Namespace, pipeline: Sequence[Mapping[str, Any]], max_examined: int = 0
) -> pb.AggregationRequest:
    """The request for a pipeline.

    Raises:
        InvalidArgumentError: A value that BSON has no type for.
    """
    return pb.AggregationRequest(
        database=namespace.database,
        collection=namespace.collection,
        pipeline=[encode(stage) for stage in pipeline],
        max_examined=max_examined,
    )


def optional(document: Mapping[str, Any] | None) -> bytes:
    """BSON; no bytes for what is left out."""
    return encode(document) if document else b""
