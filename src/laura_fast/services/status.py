"""An `RpcError` as gRPC status: code, message, and `google.rpc` details in `grpc-status-details-bin`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

if TYPE_CHECKING:
    from typing import NoReturn

    from laura_fast.errors import RpcError

DOMAIN = "laura-fast"
_STATUS_BY_CODE = {status.value[0]: status for status in grpc.StatusCode}


def to_status(error: RpcError) -> status_pb2.Status:
    """The full status of an error: ErrorInfo always, RetryInfo where a retry helps."""
    info = any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata))
    details = [info]
    if error.retry_after_ms is not None:
        retry = any_pb2.Any()
        delay = duration_pb2.Duration(
            seconds=error.retry_after_ms // 1000, nanos=error.retry_after_ms % 1000 * 1_000_000
        )
        retry.Pack(error_details_pb2.RetryInfo(retry_delay=delay))
        details.append(retry)
    return status_pb2.Status(code=int(error.code), message=error.message, details=details)


def explain(context: grpc.aio.ServicerContext[Any, Any], error: RpcError) -> None:
    """Puts the details of `error` into the trailing metadata, for whoever ends the call with its code and message."""
    context.set_trailing_metadata(rpc_status.to_status(to_status(error)).trailing_metadata)


async def abort_with(context: grpc.aio.ServicerContext[Any, Any], error: RpcError) -> NoReturn:
    """Ends the call with the status of `error`."""
    status = rpc_status.to_status(to_status(error))
    await context.abort(status.code, status.details, status.trailing_metadata)
    raise AssertionError("abort returned")
