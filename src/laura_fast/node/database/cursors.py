"""Where a page ended, as a token that the client keeps: the server holds nothing for a cursor.

A token is `version · MAC · payload` in URL-safe Base64. The MAC (HMAC-SHA-256, cut to 128 bits) is keyed with a secret
that is part of the durable state, so that a token outlives a restart and can't be made or changed by anybody else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from laura_fast.errors import InvalidArgumentError, NotFoundError, OverloadedError
from laura_fast.limits import database as limits
from laura_fast.node.database.access import Place  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from laura_fast.node.database.commands import QueryCommand
    from laura_fast.node.ports import Clock

SECRET_BYTES: Final = 32
_VERSION: Final = b"\x02"
_MAC_BYTES: Final = 16
_FINGERPRINT_BYTES: Final = 16
_INVALID: Final = "CURSOR_INVALID"


class Position(NamedTuple):
    """The last document of a page.

    Attributes:
        mode: How the pages are made (`searching.Mode`).
        access: Which index they are read from; empty where that does not matter.
        place: Where the document is.
        left: Documents that the query's limit still allows; 0 = no limit.
        now_ms: What `$$NOW` was for the first page, in milliseconds since 1970.
    """

    mode: str
    access: str
    place: Place
    left: int
    now_ms: int


class _Payload(msgspec.Struct, frozen=True, array_like=True):
    fingerprint: bytes
    expires_ms: int
    position: Position


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Payload).decode


class Cursors:
    """Makes tokens and reads them."""

    def __init__(self, secret: bytes, clock: Clock, lifetime_ms: int) -> None:
        self._secret = secret
        self._clock = clock
        self._lifetime_ms = lifetime_ms

    def token(self, command: QueryCommand, position: Position) -> str:
        """The `cursor_id` that continues `command` behind `position`.

        Raises:
            OverloadedError: CURSOR_KEY_TOO_LONG. The sort key is too long to be carried about.
        """
        if sum(map(len, position.place)) > limits.CURSOR_KEY_BYTES:
            text = f"the last document's sort key has more than {limits.CURSOR_KEY_BYTES} bytes; sort otherwise"
            raise OverloadedError(text, "CURSOR_KEY_TOO_LONG")
        # The clock of the wall, as a token must outlive the process; a step of it only moves the end of some tokens.
        expires_ms = self._clock.wall_ms() + self._lifetime_ms
        payload = _encode(_Payload(_fingerprint(command), expires_ms, position))
        return base64.urlsafe_b64encode(_VERSION + self._mac(payload) + payload).decode()

    def position(self, command: QueryCommand) -> Position:
        """Where the page before ended, from `command.cursor_id`.

        Raises:
            InvalidArgumentError: CURSOR_INVALID: not a token of this cluster, or changed on its way.
                CURSOR_OTHER_QUERY: it belongs to a query that differs in more than its batch size.
            NotFoundError: CURSOR_EXPIRED.
        """
        payload = self._opened(command.cursor_id)
        if not hmac.compare_digest(payload.fingerprint, _fingerprint(command)):
            text = "cursor_id belongs to another query: only batch_size may change from page to page"
            raise InvalidArgumentError(text, "CURSOR_OTHER_QUERY")
        if self._clock.wall_ms() >= payload.expires_ms:
            raise NotFoundError("the cursor has expired; run the query again", "CURSOR_EXPIRED")
        return payload.position

    def _opened(self, cursor_id: str) -> _Payload:
        try:
            raw = base64.b64decode(cursor_id.encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise _invalid() from None
        mac, payload = raw[1 : 1 + _MAC_BYTES], raw[1 + _MAC_BYTES :]
        if raw[:1] != _VERSION or not hmac.compare_digest(mac, self._mac(payload)):
            raise _invalid()
        return _decode(payload)

    def _mac(self, payload: bytes) -> bytes:
        return hmac.digest(self._secret, _VERSION + payload, "sha256")[:_MAC_BYTES]


def _invalid() -> InvalidArgumentError:
    return InvalidArgumentError("cursor_id is not a cursor of this server, or was changed", _INVALID)


def _fingerprint(command: QueryCommand) -> bytes:
    parts = (command.namespace.encode(), command.query, command.projection, command.sort)
    numbers = f"{command.limit} {command.skip}".encode()
    digest = hashlib.blake2b(digest_size=_FINGERPRINT_BYTES)
    for part in (*parts, numbers):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
