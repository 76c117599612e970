"""Each of the four kinds of call becomes locust requests with the RPC's name, its errors included."""

from __future__ import annotations

from concurrent import futures
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from common.interceptors import interceptors, rpc_name

from laura_fast.pb.lauradb.cluster import cluster_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

ACK = cluster_pb2.HeartbeatResponse(ack=True)
REFUSAL = cluster_pb2.NodeRegistrationResponse(success=False, message="node a already registered")


def fail(_: Any, context: grpc.ServicerContext) -> Any:
    context.abort(grpc.StatusCode.NOT_FOUND, "node a not registered")


def fail_stream(_: Any, context: grpc.ServicerContext) -> Iterator[Any]:
    yield ACK
    context.abort(grpc.StatusCode.NOT_FOUND, "node a not registered")


def drained(requests: Iterator[Any], _: Any) -> Any:
    assert sum(1 for _ in requests) == 2
    return ACK


def handlers() -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    parse, serialise = cluster_pb2.HeartbeatRequest.FromString, cluster_pb2.HeartbeatResponse.SerializeToString
    return {
        "Unary": grpc.unary_unary_rpc_method_handler(lambda *_: ACK, parse, serialise),
        "Fails": grpc.unary_unary_rpc_method_handler(fail, parse, serialise),
        "Refuses": grpc.unary_unary_rpc_method_handler(
            lambda *_: REFUSAL, parse, cluster_pb2.NodeRegistrationResponse.SerializeToString
        ),
        "Answers": grpc.unary_stream_rpc_method_handler(lambda *_: iter([ACK, ACK]), parse, serialise),
        "AnswersThenFails": grpc.unary_stream_rpc_method_handler(fail_stream, parse, serialise),
        "Requests": grpc.stream_unary_rpc_method_handler(drained, parse, serialise),
        "Both": grpc.stream_stream_rpc_method_handler(lambda requests, _: (ACK for _ in requests), parse, serialise),
    }


@pytest.fixture
def fired() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def channel(fired: list[dict[str, Any]]) -> Iterator[grpc.Channel]:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", handlers()),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield grpc.intercept_channel(channel, *interceptors(lambda **event: fired.append(event)))
    server.stop(None).wait()


REQUEST = cluster_pb2.HeartbeatRequest(node_id="a")
CODEC: Any = (cluster_pb2.HeartbeatRequest.SerializeToString, cluster_pb2.HeartbeatResponse.FromString)


def names(fired: list[dict[str, Any]]) -> list[str]:
    return [event["name"] for event in fired]


def test_unary(channel: grpc.Channel, fired: list[dict[str, Any]]) -> None:
    channel.unary_unary("/test.Service/Unary", *CODEC)(REQUEST)
    assert names(fired) == ["Service/Unary"]
    assert fired[0]["exception"] is None
    assert fired[0]["response_time"] > 0
    assert fired[0]["response_length"] == ACK.ByteSize()


def test_unary_called_as_a_future(channel: grpc.Channel, fired: list[dict[str, Any]]) -> None:
    future = channel.unary_unary("/test.Service/Unary", *CODEC).future(REQUEST)
    assert future.result() == ACK
    future.add_done_callback(lambda _: None)
    assert names(fired) == ["Service/Unary"]


def test_a_status_other_than_ok_is_a_failure_with_a_text_that_can_be_grouped(
    channel: grpc.Channel, fired: list[dict[str, Any]]
) -> None:
    with pytest.raises(grpc.RpcError):
        channel.unary_unary("/test.Service/Fails", *CODEC)(REQUEST)
    assert str(fired[0]["exception"]) == "NOT_FOUND: node a not registered"


def test_success_false_in_the_message_is_a_failure(channel: grpc.Channel, fired: list[dict[str, Any]]) -> None:
    codec: Any = (CODEC[0], cluster_pb2.NodeRegistrationResponse.FromString)
    channel.unary_unary("/test.Service/Refuses", *codec)(REQUEST)
    assert str(fired[0]["exception"]) == "node a already registered"


def test_a_stream_of_answers_is_timed_to_its_first(channel: grpc.Channel, fired: list[dict[str, Any]]) -> None:
    assert len(list(channel.unary_stream("/test.Service/Answers", *CODEC)(REQUEST))) == 2
    assert names(fired) == ["Service/Answers"]


def test_a_stream_that_breaks_later_is_a_failure_too(channel: grpc.Channel, fired: list[dict[str, Any]]) -> None:
    with pytest.raises(grpc.RpcError):
        list(channel.unary_stream("/test.Service/AnswersThenFails", *CODEC)(REQUEST))
    assert [event["exception"] is None for event in fired] == [True, False]


def test_a_stream_that_we_cancel_is_no_failure(channel: grpc.Channel, fired: list[dict[str, Any]]) -> None:
    stream = channel.unary_stream("/test.Service/Answers", *CODEC)(REQUEST)
    stream.cancel()
    with pytest.raises(grpc.RpcError):
        list(stream)
    assert not any(event["exception"] for event in fired)


def test_a_stream_of_requests(channel: grpc.Channel, fired: list[dict[str, Any]]) -> None:
    channel.stream_unary("/test.Service/Requests", *CODEC)(iter([REQUEST, REQUEST]))
    assert names(fired) == ["Service/Requests"]


def test_each_exchange_of_a_two_way_stream(channel: grpc.Channel, fired: list[dict[str, Any]]) -> None:
    list(channel.stream_stream("/test.Service/Both", *CODEC)(iter([REQUEST] * 3)))
    assert names(fired) == ["Service/Both"] * 3


def test_the_package_is_left_out_of_the_name() -> None:
    assert rpc_name(b"/lauradb.cluster.ClusterService/Heartbeat") == "ClusterService/Heartbeat"
