"""All servers under test, in the order of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.rivals.subjects import etcd, grpc_aio, grpc_cpp, grpc_go, grpc_sync, grpclib_uvloop, nghttpd, ours, redis

if TYPE_CHECKING:
    from bench.rivals.rival import Rival

ALL: tuple[Rival, ...] = (
    ours.GRPCIO,
    ours.NATIVE,
    grpc_aio.RIVAL,
    grpc_sync.RIVAL,
    grpclib_uvloop.RIVAL,
    grpc_go.RIVAL,
    grpc_cpp.RIVAL,
    etcd.RIVAL,
    etcd.OPEN_STREAMS,
    nghttpd.RIVAL,
    redis.RIVAL,
)
BASELINES = (ours.NATIVE.name, ours.GRPCIO.name)
"""What the ratios are taken against: the first of these that ran."""
