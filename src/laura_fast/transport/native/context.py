"""What a handler sees of its call: the `grpc.aio.ServicerContext` of this transport."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

from laura_fast.errors import Code
from laura_fast.observability import log
from laura_fast.transport.native.metadata import checked
from laura_fast.wire.grpc.compression import DEFLATE, GZIP, accepted_codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from laura_fast.transport.native.calls import Call
    from laura_fast.transport.native.hosting import Host
    from laura_fast.transport.native.requests import Request
    from laura_fast.wire.grpc.compression import Codec

    Metadata = Sequence[tuple[str, str | bytes]]

_log = log.get("laura_fast.transport")
_CODES = {int(code): code for code in Code}
_CODECS = {grpc.Compression.Gzip: GZIP, grpc.Compression.Deflate: DEFLATE, grpc.Compression.NoCompression: None}


class Context(grpc.aio.ServicerContext[Any, Any]):
    """The context of one call. A unary call that is answered where it is read has no `Call` behind it.

    What a handler may set has its default on the class, because most calls set nothing
    (paid for by bench/test_heartbeat.py).
    """

    _code: Any = None
    _details: Any = ""
    _initial: Metadata | None = None
    _trailing: Metadata = ()
    _codec: Codec | None = None
    _compress_next = True
    _callbacks: tuple[Callable[[Any], None], ...] = ()
    _abortion: grpc.aio.AbortError | None = None
    _cancelled = False
    _done = False
    touched = False
    """The handler decided something about the answer, so it is not the constant one."""

    request_compressed = False
    """Whether the last request message came compressed; grpc.aio has no such thing."""

    def __init__(self, request: Request, host: Host, started: float, call: Call | None = None) -> None:
        self._request = request
        self._host = host
        self._call = call
        self.started = started

    # --- messages ------------------------------------------------------------------------------------------------

    async def read(self) -> Any:
        return await self._streaming().read()

    async def write(self, message: Any) -> None:
        await self._streaming().write(message)

    async def send_initial_metadata(self, initial_metadata: Any) -> None:
        if self._initial is not None or (self._call is not None and self._call.headers_sent):
            raise grpc.aio.UsageError("Send initial metadata failed: already sent")
        self.touched = True
        self._initial = checked(initial_metadata)
        if self._call is not None:
            self._call.send_headers()
            self._call.host.flush_soon()

    def _streaming(self) -> Call:
        if self._call is None:
            raise grpc.aio.UsageError("a unary call has no stream to read or write")
        return self._call

    # --- the end of the call -------------------------------------------------------------------------------------

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()) -> NoReturn:
        if self._abortion is not None:
            raise grpc.aio.UsageError("Abort already called!")
        if code in (grpc.StatusCode.OK, 0):
            code, details = grpc.StatusCode.UNKNOWN, f"abort with OK: {details}"
        self.touched = True
        self._code = code
        self._details = details or self._details
        if trailing_metadata:
            self._trailing = checked(trailing_metadata)
        self._abortion = grpc.aio.AbortError("Locally aborted.")
        raise self._abortion

    async def abort_with_status(self, status: grpc.Status) -> NoReturn:
        await self.abort(status.code, status.details or "", status.trailing_metadata or ())

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        self.touched = True
        self._trailing = checked(trailing_metadata)

    def set_code(self, code: Any) -> None:
        self.touched = True
        self._code = code

    def set_details(self, details: str) -> None:
        self.touched = True
        self._details = details

    def trailing_metadata(self) -> Any:
        return self._trailing

    def code(self) -> Any:
        return self._code

    def details(self) -> Any:
        return self._details

    # --- compression ---------------------------------------------------------------------------------------------

    def set_compression(self, compression: grpc.Compression) -> None:
        if self._call is not None and self._call.headers_sent:
            raise RuntimeError("Compression setting must be specified before sending initial metadata")
        self.touched = True
        self._codec = accepted_codec(_CODECS[compression], self._request.prepared.accept_encoding)

    def disable_next_message_compression(self) -> None:
        self._compress_next = False

    def next_codec(self) -> Codec | None:
        """How to pack the next message."""
        codec = self._codec if self._compress_next else None
        self._compress_next = True
        return codec

    # --- the peer ------------------------------------------------------------------------------------------------

    def invocation_metadata(self) -> Any:
        return self._request.prepared.metadata

    def peer(self) -> str:
        return self._host.peer

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        return self._host.auth_context()

    def peer_identity_key(self) -> str | None:
        names = self.auth_context()
        known = ("x509_subject_alternative_name", "x509_common_name")
        return next((name for name in known if name in names), None)

    def peer_identities(self) -> Iterable[bytes] | None:
        key = self.peer_identity_key()
        return None if key is None else self.auth_context()[key]

    # --- time ----------------------------------------------------------------------------------------------------

    def time_remaining(self) -> Any:
        timeout_s = self._request.timeout_s
        return None if timeout_s is None else max(0.0, self.started + timeout_s - time.monotonic())

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        if self._done:
            callback(self)
        else:
            self.touched = True
            self._callbacks += (callback,)

    def cancelled(self) -> bool:
        return self._cancelled

    def done(self) -> bool:
        return self._done

    # --- for the transport ---------------------------------------------------------------------------------------

    @property
    def initial(self) -> Metadata:
        """Metadata for the first header block."""
        return self._initial or ()

    @property
    def codec(self) -> Codec | None:
        """What the first header block says about compression."""
        return self._codec

    @property
    def aborted(self) -> bool:
        """The handler called `abort`, even if it swallowed the exception."""
        return self._abortion is not None

    def outcome(self) -> tuple[Code, str]:
        """Status code and message as the handler left them."""
        code = self._code
        number = code.value[0] if isinstance(code, grpc.StatusCode) else int(code or 0)
        details = self._details
        return _CODES.get(number, Code.UNKNOWN), details.decode() if isinstance(details, bytes) else str(details or "")

    def attach(self, call: Call) -> None:
        """From now on there is a stream behind the call."""
        self._call = call

    def finish(self, *, cancelled: bool = False) -> None:
        """The call is over: tells whoever asked to hear."""
        if self._done:
            return
        self._done, self._cancelled = True, cancelled
        for callback in self._callbacks:
            try:
                callback(self)
            except Exception:  # noqa: BLE001  # a callback's bug ends nothing but itself
                _log.exception("done_callback_failed", method=self._request.prepared.path)
