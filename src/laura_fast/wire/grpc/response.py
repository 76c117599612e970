"""What the header blocks of an answer mean to a gRPC client (gRPC over HTTP/2, "Responses")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.errors import Code, UnimplementedError
from laura_fast.wire.grpc.compression import codec_for
from laura_fast.wire.grpc.framing import BrokenMessageError
from laura_fast.wire.grpc.metadata import decode_metadata
from laura_fast.wire.grpc.status import code_for_http_status, parse_status
from laura_fast.wire.http2.errors import MalformedFieldsError
from laura_fast.wire.http2.request import check_fields

if TYPE_CHECKING:
    from laura_fast.wire.grpc.compression import Codec
    from laura_fast.wire.http2.hpack_table import Field, Fields

Outcome = tuple[Code, str]
"""How a call ended, and the text to it."""

_OK_STATUS: Final = 200
_STATUS_DIGITS: Final = 3
_TYPE: Final = b"application/grpc"
_OUR_TYPES: Final = frozenset({_TYPE, _TYPE + b"+proto"})

NO_TRAILERS: Final[Outcome] = Code.INTERNAL, "the server ended the stream without a status"


class ResponseBlock:
    """A checked header block, read once for all answers that have the same.

    Attributes:
        status: HTTP status; None in trailers.
        content_length: As stated, or None.
        metadata: The application's part.
        codec: How compressed messages are packed. None also for an encoding that is not ours: a message that is
            really compressed is then refused as INTERNAL (gRPC compression.md).
        ordinary: See `laura_fast.wire.http2.answer_blocks.Block`.
        problem: Why what follows this first block is no gRPC answer; None if it is.
        outcome: How the call ended, where this is the last block.
    """

    __slots__ = ("codec", "content_length", "metadata", "ordinary", "outcome", "problem", "status")

    def __init__(self, fields: Fields) -> None:
        """Checks the fields.

        Raises:
            MalformedFieldsError: RFC 9113 §8.2 or §8.3.2 is broken, or binary metadata is not base64.
        """
        self.status = None
        if fields and fields[0][0] == b":status":
            self.status, fields = _status(fields[0][1]), fields[1:]
        self.content_length = check_fields([_trimmed_message(field) for field in fields])
        try:
            self.metadata = tuple(decode_metadata(fields))
        except (BrokenMessageError, UnicodeDecodeError) as error:
            raise MalformedFieldsError(str(error)) from None
        first = dict(reversed(fields))
        self.codec = _codec(first.get(b"grpc-encoding", b"identity"))
        self.problem = None if self.status is None else _problem(self.status, first.get(b"content-type", b""))
        self.outcome = self.problem if self.problem and b"grpc-status" not in first else parse_status(first)
        if self.status is None:
            self.ordinary = self.outcome[0] is Code.OK
        else:
            self.ordinary = self.status == _OK_STATUS and self.problem is None and self.content_length is None


def _trimmed_message(field: Field) -> Field:
    """A status message may begin and end with spaces, whatever RFC 9113 §8.2.1 says: C-core and others send them so."""
    return (field[0], field[1].strip(b" ")) if field[0] == b"grpc-message" else field


def _status(value: bytes) -> int:
    """Three digits (RFC 9110 §15); what they mean is judged later, as 800 is an answer too."""
    if len(value) != _STATUS_DIGITS or not value.isdigit():
        raise MalformedFieldsError(f":status {value!r}")
    return int(value)


def _codec(encoding: bytes) -> Codec | None:
    try:
        return codec_for(encoding)
    except UnimplementedError:
        return None


def _problem(status: int, content_type: bytes) -> Outcome | None:
    """What an answer that is not gRPC stands for (gRPC http-grpc-status-mapping.md)."""
    if status != _OK_STATUS:
        return code_for_http_status(status), f"the server answered with HTTP status {status}"
    name = content_type.partition(b";")[0].strip().lower()
    if name in _OUR_TYPES:
        return None
    code = Code.INTERNAL if name.startswith(_TYPE + b"+") else Code.UNKNOWN
    return code, f"the server answered with content-type {content_type.decode('latin-1')!r}"
