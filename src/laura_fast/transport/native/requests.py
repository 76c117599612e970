"""From header fields to a prepared request: which method, by when, with what metadata, or which refusal.

Header blocks repeat, so what they mean is worked out once and shared by all connections. Only the deadline differs
from call to call; a request is a `Prepared` and its own deadline.
"""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from laura_fast.errors import RpcError
from laura_fast.limits import transport as limits
from laura_fast.transport.native import answers
from laura_fast.wire.grpc.compression import codec_for
from laura_fast.wire.grpc.metadata import decode_metadata
from laura_fast.wire.grpc.timeout import parse_timeout
from laura_fast.wire.http2.hpack_table import field_bytes
from laura_fast.wire.http2.request import RequestHead, request_head

if TYPE_CHECKING:
    from laura_fast.transport.native.answers import Refusal
    from laura_fast.transport.native.methods import Method, Methods
    from laura_fast.wire.grpc.compression import Codec
    from laura_fast.wire.http2.hpack_table import Fields

_TIMEOUT: Final = b"grpc-timeout"
_CONTENT_TYPE: Final = b"application/grpc"


class Prepared:
    """The meaning of a header block without its deadline.

    Attributes:
        method: None for a refusal.
        refusal: The answer to give instead of calling a method.
        codec: How compressed messages of the request are packed.
        accept_encoding: What the client takes in answers.
    """

    def __init__(self, head: RequestHead, method: Method | None, refusal: Refusal | None) -> None:
        fields = dict(head.fields)
        self.path = head.path.decode("latin-1")
        self.method = method
        self.refusal = refusal
        self.fields = head.fields
        self.content_length = head.content_length
        self.accept_encoding = fields.get(b"grpc-accept-encoding", b"")
        self.codec: Codec | None = None

    @cached_property
    def takes_whole(self) -> bool:
        """One plain message will do to start the handler."""
        return (
            self.method is not None
            and not self.method.request_streaming
            and self.refusal is None
            and self.codec is None
        )

    @cached_property
    def metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        """What the handler may see."""
        return tuple(decode_metadata(self.fields))


class Request:
    """One request, as `ServerConnection` hands it back.

    Attributes:
        timeout_s: From grpc-timeout; None without one.
        takes_whole: See `laura_fast.wire.http2.header_blocks.Request`.
    """

    __slots__ = ("content_length", "method", "prepared", "takes_whole", "timeout_s")

    def __init__(self, prepared: Prepared, timeout_s: float | None) -> None:
        self.prepared = prepared
        self.method: Any = prepared.method
        self.timeout_s = timeout_s
        self.content_length = prepared.content_length
        self.takes_whole = prepared.takes_whole and timeout_s != 0


class Preparer:
    """Makes requests of header fields; one per server.

    Args:
        methods: Where to look for the method.
        plain: Answers are not compressed unless a handler says so.
        by_call: Methods depend on more than the path: interceptors are asked for every call.
    """

    def __init__(self, methods: Methods, *, by_call: bool, plain: bool = True) -> None:
        self._methods = methods
        self._plain = plain
        self._by_call = by_call
        self._known: dict[Fields, Request] = {}

    def prepare(self, common: Fields, own: Fields) -> Request:
        """Judges the fields; see `Host.prepare`.

        Raises:
            RefusedFieldsError: The request is malformed.
        """
        if own and (len(own) > 1 or own[0][0] != _TIMEOUT):
            return self._make(common + own)
        request = self._known.get(common)
        if request is None:
            request = self._make(common)
            self._remember(common, request)
        if not own:
            return request
        return _with_timeout(request.prepared, own[0][1])

    def _remember(self, common: Fields, request: Request) -> None:
        if sum(map(field_bytes, common)) > limits.MAX_PREPARED_BYTES:
            return
        if len(self._known) >= limits.MAX_PREPARED:
            self._known.clear()
        self._known[common] = request

    def _make(self, fields: Fields) -> Request:
        head = request_head(fields)
        refusal = _http_refusal(head)
        if refusal is not None:
            return Request(Prepared(head, None, refusal), None)
        prepared = self._prepared(head)
        stated = dict(head.fields).get(_TIMEOUT)
        return Request(prepared, None) if stated is None else _with_timeout(prepared, stated)

    def _prepared(self, head: RequestHead) -> Prepared:
        method = None if self._by_call else self._methods.find(head.path.decode("latin-1"))
        prepared = Prepared(head, method, None)
        fields = dict(head.fields)
        try:
            prepared.codec = codec_for(fields.get(b"grpc-encoding", b"identity"))
            if any(name.endswith(b"-bin") for name in fields):
                prepared.metadata  # noqa: B018  # decoded now, because a malformed value refuses the call
        except RpcError as error:
            prepared.refusal = answers.refuse(error.code, error.message)
        else:
            if method is None and not self._by_call:
                prepared.refusal = answers.NO_SUCH_METHOD
        if not self._plain:
            prepared.takes_whole = False
        return prepared


def _with_timeout(prepared: Prepared, stated: bytes) -> Request:
    try:
        return Request(prepared, parse_timeout(stated))
    except RpcError as error:
        refused = copy(prepared)
        refused.takes_whole = False
        refused.refusal = answers.refuse(error.code, error.message)
        return Request(refused, None)


def _http_refusal(head: RequestHead) -> Refusal | None:
    """The answer to a request that is not gRPC (gRPC over HTTP/2: 415 for another content-type)."""
    content_type = dict(head.fields).get(b"content-type", b"")
    if head.method != b"POST":
        return answers.HTTP_ANSWERS.get((head.method, head.path), answers.METHOD_NOT_ALLOWED)
    subtype = content_type.removeprefix(_CONTENT_TYPE)
    if not content_type.startswith(_CONTENT_TYPE) or subtype[:1] not in (b"", b"+", b";"):
        return answers.UNSUPPORTED_MEDIA_TYPE
    return None
