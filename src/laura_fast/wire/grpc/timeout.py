"""The `grpc-timeout` field: at most eight digits and a unit."""

from __future__ import annotations

from typing import Final

from laura_fast.wire.grpc.framing import BrokenMessageError

_NANOSECONDS: Final = {b"n": 1, b"u": 10**3, b"m": 10**6, b"S": 10**9, b"M": 60 * 10**9, b"H": 3600 * 10**9}
_MAX_DIGITS: Final = 8
_MAX_VALUE: Final = 10**_MAX_DIGITS - 1


def parse_timeout(value: bytes) -> float:
    """Seconds until the call's deadline.

    Raises:
        BrokenMessageError: Not a timeout by the specification; guessing a deadline would be worse than refusing.
    """
    digits, unit = value[:-1], _NANOSECONDS.get(value[-1:])
    if unit is None or not digits.isdigit() or len(digits) > _MAX_DIGITS:
        raise BrokenMessageError("malformed grpc-timeout", "MALFORMED_TIMEOUT")
    return int(digits) * unit / 1e9


def format_timeout(seconds: float) -> bytes:
    """The finest value that holds `seconds`, rounded up, so that the server never gives up before the client.

    A deadline that has passed is the shortest timeout; one that eight digits of hours can't hold is the longest.
    """
    nanoseconds = max(1, round(seconds * 1e9))
    for unit, size in _NANOSECONDS.items():
        count = -(-nanoseconds // size)
        if count <= _MAX_VALUE:
            return b"%d%s" % (count, unit)
    return b"%dH" % _MAX_VALUE
