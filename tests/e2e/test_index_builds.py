"""An index build that a kill ended goes on when the server is back, and the index is that of the documents."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from laura_fast.domain.documents.codec import decode, encode
from laura_fast.pb.laura.fast.v1 import documents_pb2 as pb
from laura_fast.pb.lauradb.cluster import routing_pb2
from tests.contract.router_kit import Router

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.processes import ServerProcess

BATCHES, BATCH = 8, 1_000
INDEX = encode({"key": {"n": -1, "tags": 1}, "unique": True})


async def test_a_killed_build_goes_on(serve: Callable[..., ServerProcess]) -> None:
    server = serve()
    async with grpc.aio.insecure_channel(server.address) as channel:
        router = Router(channel)
        for begin in range(0, BATCHES * BATCH, BATCH):
            await router.insert(*({"_id": n, "n": n, "tags": ["a", "b"]} for n in range(begin, begin + BATCH)))
        created = asyncio.ensure_future(_create(router))
        while await _states(router) != {"_id_": pb.READY, "n_-1_tags_1": pb.BUILDING}:
            assert not created.done(), "the build was over before anybody saw it"
        await asyncio.to_thread(server.kill)
        with pytest.raises(grpc.aio.AioRpcError):
            await created
    async with grpc.aio.insecure_channel(serve().address) as channel:
        await _is_whole(Router(channel))


async def _is_whole(router: Router) -> None:
    assert "n_-1_tags_1" in await _states(router), "nobody asked for it again"
    answer = await _create(router)
    assert not answer.created
    assert await _states(router) == {"_id_": pb.READY, "n_-1_tags_1": pb.READY}
    reports = [report async for report in router.documents.Verify(pb.VerifyRequest())]
    assert (reports[-1].complete, list(reports[-1].problems)) == (True, [])
    assert reports[-1].index_entries_checked == 2 * BATCHES * BATCH
    query = routing_pb2.QueryRequest(**router.where, query=encode({"n": 77, "tags": "b"}))
    told = decode((await router.documents.Explain(pb.ExplainRequest(query=query, execute=True))).explanation)
    assert (told["index"], told["executed"]["examined"]) == ("n_-1_tags_1", 1)


async def _create(router: Router) -> Any:
    return await router.documents.CreateIndex(pb.CreateIndexRequest(**router.where, definition=INDEX))


async def _states(router: Router) -> dict[str, int]:
    answer = await router.documents.ListIndexes(pb.ListIndexesRequest(**router.where))
    return {index.name: index.state for index in answer.indexes}
