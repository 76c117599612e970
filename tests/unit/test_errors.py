"""The error tree and its gRPC form."""

import grpc
import pytest
from google.rpc import error_details_pb2

from laura_fast import errors
from laura_fast.services.status import to_status


def _subclasses(kind: type[errors.LauraError]) -> set[type[errors.LauraError]]:
    return {kind}.union(*map(_subclasses, kind.__subclasses__()))


def test_codes_are_those_of_grpc() -> None:
    assert {code.name: int(code) for code in errors.Code} == {
        status.name: status.value[0] for status in grpc.StatusCode
    }


@pytest.mark.parametrize("kind", sorted(_subclasses(errors.RpcError) - {errors.RpcError}, key=str))
def test_every_rpc_error_has_its_own_code(kind: type[errors.RpcError]) -> None:
    assert kind.code not in (errors.Code.OK, errors.Code.UNKNOWN)


def test_status_carries_reason_and_retry_delay() -> None:
    status = to_status(errors.OverloadedError("full", "OVERLOADED", metadata={"limit": "1"}, retry_after_ms=1500))
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(retry)
    assert (status.code, status.message, info.reason, info.domain, dict(info.metadata)) == (
        8,
        "full",
        "OVERLOADED",
        "laura-fast",
        {"limit": "1"},
    )
    assert (retry.retry_delay.seconds, retry.retry_delay.nanos) == (1, 500_000_000)
