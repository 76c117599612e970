"""Every exception of laura_fast, in one tree.

::

    LauraError
    ├── ConfigError            the operator's fault: exit code 2
    ├── StartupError           the machine's state forbids the start: exit code 1
    │   ├── AddressInUseError
    │   ├── DataDirectoryError
    │   └── TlsMaterialError
    ├── RpcError               answered to the caller: carries its gRPC code and its reason
    │   ├── InvalidArgumentError · NotFoundError · AlreadyExistsError · PermissionDeniedError
    │   ├── FailedPreconditionError · OutOfRangeError · AbortedError
    │   └── OverloadedError · UnavailableError · DeadlineError · UnimplementedError · DataLossError
    ├── CompareFailedError     cluster state is not what the writer expected: nothing was applied
    ├── StorageFailedError     the disk failed or is closed: fatal, never retried
    ├── ClientError            a call of ours to a cluster did not succeed
    │   ├── UnreachableError   no server answered in time: carries what each of them said
    │   ├── RemoteError        a server answered with a status other than OK
    │   └── RefusedError       a server answered OK and said no (a duplicate node id)
    └── ProtocolError          the peer broke a wire protocol: ends its stream or its connection, nothing else

Anything else that escapes a handler is our bug: it is logged with its traceback and answered as INTERNAL.
Each class carries its kind, so no layer needs a table that maps exceptions to codes.
"""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Code(IntEnum):
    """Canonical status codes of gRPC (grpc/doc/statuscodes.md)."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class LauraError(Exception):
    """Root of the tree."""


class ConfigError(LauraError):
    """A setting that can't be used. The message names key, value and allowed range."""


class StartupError(LauraError):
    """The server can't start on this machine as it is now."""


class AddressInUseError(StartupError):
    """The address to listen on can't be bound."""


class DataDirectoryError(StartupError):
    """The data directory can't be used: locked by another process, not writable, or of an unknown format."""


class TlsMaterialError(StartupError):
    """Key, certificate or CA file unreadable, malformed, or not belonging together."""


class RpcError(LauraError):
    """An answer other than OK.

    Attributes:
        code: The gRPC status code.
        reason: ``google.rpc.ErrorInfo.reason``, UPPER_SNAKE.
        metadata: ``google.rpc.ErrorInfo.metadata``.
        retry_after_ms: Delay for ``google.rpc.RetryInfo``; None where a retry does not help.
    """

    code: ClassVar[Code] = Code.UNKNOWN

    def __init__(
        self,
        message: str,
        reason: str,
        *,
        metadata: Mapping[str, str] | None = None,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.retry_after_ms = retry_after_ms


class InvalidArgumentError(RpcError):
    """The request is malformed whatever the state of the cluster."""

    code = Code.INVALID_ARGUMENT


class NotFoundError(RpcError):
    """The named thing does not exist."""

    code = Code.NOT_FOUND


class AlreadyExistsError(RpcError):
    """The named thing exists with other content."""

    code = Code.ALREADY_EXISTS


class PermissionDeniedError(RpcError):
    """The caller's identity does not allow the call."""

    code = Code.PERMISSION_DENIED


class FailedPreconditionError(RpcError):
    """The state of the cluster must change before the call can succeed."""

    code = Code.FAILED_PRECONDITION


class OutOfRangeError(RpcError):
    """A position beyond the end."""

    code = Code.OUT_OF_RANGE


class AbortedError(RpcError):
    """A conflict; the caller retries at a higher level."""

    code = Code.ABORTED


class OverloadedError(RpcError):
    """A named limit was reached."""

    code = Code.RESOURCE_EXHAUSTED


class UnavailableError(RpcError):
    """Not ready now; a retry may succeed."""

    code = Code.UNAVAILABLE


class DeadlineError(RpcError):
    """The call's time is over."""

    code = Code.DEADLINE_EXCEEDED


class UnimplementedError(RpcError):
    """The method exists in the contract but not in this server."""

    code = Code.UNIMPLEMENTED


class DataLossError(RpcError):
    """What the disk holds is not what was written to it."""

    code = Code.DATA_LOSS


class CompareFailedError(LauraError):
    """A compare-and-swap found another value.

    Attributes:
        key: The first key whose value differed.
    """

    def __init__(self, key: bytes) -> None:
        super().__init__(f"the value of {key!r} is not the expected one")
        self.key = key


class StorageFailedError(LauraError):
    """A commit could not be made durable. What the disk holds now is unknown until the environment is reopened."""


class ClientError(LauraError):
    """A call of ours to a cluster did not succeed."""


class RemoteError(ClientError):
    """A server answered with a status other than OK.

    Attributes:
        address: The server, ``host:port``.
        code: Its gRPC status code.
        message: Its text.
        reason: Its ``google.rpc.ErrorInfo.reason``; empty where it sent none.
        retry_after_s: Its ``google.rpc.RetryInfo``; None where it sent none.
        metadata: Its ``google.rpc.ErrorInfo.metadata``.
    """

    def __init__(
        self,
        address: str,
        code: Code,
        message: str,
        reason: str = "",
        retry_after_s: float | None = None,
        *,
        metadata: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(f"{address}: {code.name}: {message}")
        self.address = address
        self.code = code
        self.message = message
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.metadata = metadata


class UnreachableError(ClientError):
    """No server answered in time.

    Attributes:
        failures: The last failure of each server, in the order they were tried.
    """

    def __init__(self, failures: Sequence[RemoteError]) -> None:
        super().__init__("; ".join(str(failure) for failure in failures))
        self.failures = tuple(failures)


class RefusedError(ClientError):
    """A server answered OK and said no. The message is the server's."""


class ProtocolError(LauraError):
    """The peer broke a wire protocol.

    Attributes:
        error_code: HTTP/2 error code to answer with (RFC 9113 §7).
        stream_id: Stream to reset; 0 ends the connection.
    """

    def __init__(self, message: str, error_code: int, stream_id: int = 0) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.stream_id = stream_id
