"""Message compression: identity, deflate and gzip, inflated with a cap."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

from laura_fast.errors import UnimplementedError
from laura_fast.wire.grpc.framing import BrokenMessageError, too_large

_LEVEL: Final = 6
"""zlib's own balance; gRPC C-core uses the same."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One message encoding.

    Attributes:
        name: What `grpc-encoding` calls it.
        window_bits: Container and window, as zlib counts them.
    """

    name: bytes
    window_bits: int

    def compress(self, message: bytes) -> bytes:
        """The packed message."""
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, self.window_bits)
        return packer.compress(message) + packer.flush()

    def decompress(self, packed: bytes, max_bytes: int) -> bytes:
        """The message; of a bomb, no more than the limit and one octet is ever inflated.

        Raises:
            OverloadedError: The message is larger than `max_bytes`.
            BrokenMessageError: `packed` is damaged, cut short, or goes on behind its end.
        """
        unpacker = zlib.decompressobj(self.window_bits)
        try:
            message = unpacker.decompress(packed, max_bytes + 1)
        except zlib.error as error:
            raise BrokenMessageError(f"damaged {self.name.decode()} message", "DAMAGED_COMPRESSION") from error
        if len(message) > max_bytes:
            raise too_large(len(message), max_bytes)
        if not unpacker.eof or unpacker.unused_data:
            raise BrokenMessageError(f"damaged {self.name.decode()} message", "DAMAGED_COMPRESSION")
        return message


GZIP: Final = Codec(b"gzip", 16 + zlib.MAX_WBITS)
DEFLATE: Final = Codec(b"deflate", zlib.MAX_WBITS)
"""gRPC's deflate is zlib's container (RFC 1950), as HTTP's."""

_CODECS: Final[dict[bytes, Codec | None]] = {b"identity": None, b"deflate": DEFLATE, b"gzip": GZIP}
ACCEPTED: Final = b",".join(_CODECS)
"""Value of `grpc-accept-encoding`. No spaces: grpc-js 1.14 does not trim, and stops compressing if it finds any."""


def codec_for(encoding: bytes) -> Codec | None:
    """The codec that a `grpc-encoding` names; None for identity.

    Raises:
        UnimplementedError: Not one of ours; the answer must carry `grpc-accept-encoding` (gRPC compression.md).
    """
    try:
        return _CODECS[encoding]
    except KeyError:
        raise UnimplementedError(
            f"grpc-encoding {encoding.decode('latin-1')!r} is not supported",
            "UNSUPPORTED_ENCODING",
            metadata={"accepted": ACCEPTED.decode()},
        ) from None


def accepted_codec(wanted: Codec | None, accept_encoding: bytes) -> Codec | None:
    """`wanted` if the peer's `grpc-accept-encoding` names it; otherwise identity."""
    if wanted is None or wanted.name not in (name.strip() for name in accept_encoding.split(b",")):
        return None
    return wanted
