"""The Huffman code of HPACK (RFC 7541 §5.2, Appendix B).

The code is canonical: codes of one length are consecutive in the order of their symbols, and each length goes on where
the shorter one ended. So the symbols of each length are all there is to write down; EOS is the last code of all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from laura_fast.limits.http2 import HUFFMAN_MEMO_BYTES, HUFFMAN_MEMO_ENTRIES
from laura_fast.wire.http2.errors import CompressionError

_EOS: Final = 256
_SYMBOLS_BY_LENGTH: Final[dict[int, bytes]] = {
    5: b"012aceiost",
    6: b" %-./3456789=A_bdfghlmnpru",
    7: b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz",
    8: b"&*,;XZ",
    10: b'!"()?',
    11: b"'+|",
    12: b"#>",
    13: b"\x00$@[]~",
    14: b"^}",
    15: b"<`{",
    19: b"\\\xc3\xd0",
    20: bytes.fromhex("808283a2b8c2e0e2"),
    21: bytes.fromhex("99a1a7acb0b1b3d1d8d9e3e5e6"),
    22: bytes.fromhex("8184858688929a9ca0a3a4a9aaadb2b5b9babbbdbec4c6e4e8e9"),
    23: bytes.fromhex("0187898a8b8c8d8f93959697989b9d9ea5a6a8aeafb4b6b7bcbfc5e7ef"),
    24: bytes.fromhex("098e9091949fabced7e1eced"),
    25: bytes.fromhex("c7cfeaeb"),
    26: bytes.fromhex("c0c1c8c9cacdd2d5dadbeef0f2f3ff"),
    27: bytes.fromhex("cbccd3d4d6dddedff1f4f5f6f7f8fafbfcfdfe"),
    28: bytes.fromhex("02030405060708" + "0b0c0e0f101112131415" + "1718191a1b1c1d1e1f7fdcf9"),
    30: b"\n\r\x16",
}


def _canonical_codes() -> dict[int, str]:
    codes: dict[int, str] = {}
    code = previous = 0
    for length, symbols in _SYMBOLS_BY_LENGTH.items():
        code <<= length - previous
        previous = length
        codes |= {symbol: f"{number:0{length}b}" for number, symbol in enumerate(symbols, code)}
        code += len(symbols)
    codes[_EOS] = f"{code:b}"
    return codes


_CODES: Final = _canonical_codes()
_BITS: Final = [_CODES[symbol] for symbol in range(_EOS)]
_BIT_LENGTHS: Final = bytes(map(len, _BITS))


def encoded_length(data: bytes) -> int:
    """Octets that `encode(data)` takes."""
    return (sum(data.translate(_BIT_LENGTHS)) + 7) // 8


def encode(data: bytes) -> bytes:
    """Huffman code of `data`, padded with the most significant bits of EOS, which are ones."""
    bits = "".join([_BITS[symbol] for symbol in data])
    bits += "1" * (-len(bits) % 8)
    return int(bits or "0", 2).to_bytes(len(bits) // 8, "big")


def _prefixes() -> list[str]:
    """The states of the decoder: every proper prefix of a code; the empty one, between two symbols, is state 0."""
    return sorted({code[:length] for code in _CODES.values() for length in range(len(code))}, key=lambda p: (len(p), p))


_PREFIXES: Final = _prefixes()
_STATES: Final = {prefix: state for state, prefix in enumerate(_PREFIXES)}
_SYMBOLS: Final = {code: symbol for symbol, code in _CODES.items()}
_FAILED: Final = -1
"""State after EOS, which must not appear (RFC 7541 §5.2)."""

_MAX_PADDING_BITS: Final = 7
_ACCEPTING: Final = frozenset(_STATES["1" * bits] for bits in range(_MAX_PADDING_BITS + 1))
"""Where a string may end: after a symbol, or within padding shorter than an octet and made of ones."""

_Row = list[tuple[int, bytes]]


def _step(state: int, octet: int) -> tuple[int, bytes]:
    if state == _FAILED:
        return _FAILED, b""
    prefix, symbols = _PREFIXES[state], bytearray()
    for bit in f"{octet:08b}":
        prefix += bit
        symbol = _SYMBOLS.get(prefix)
        if symbol == _EOS:
            return _FAILED, b""
        if symbol is not None:
            symbols.append(symbol)
            prefix = ""
    return _STATES[prefix], bytes(symbols)


class _Rows(dict[int, _Row]):
    """Transitions by state, made when a string first needs them: text stays within a few dozen of the 256 states."""

    def __missing__(self, state: int) -> _Row:
        return self.setdefault(state, [_step(state, octet) for octet in range(256)])


_ROWS: Final = _Rows()


def decode(data: bytes) -> bytes:
    """Inverse of `encode`.

    Raises:
        CompressionError: EOS in the string, or padding that is too long or not ones (RFC 7541 §5.2).
    """
    return _remembered(data) if len(data) <= HUFFMAN_MEMO_BYTES else _decode(data)


def _decode(data: bytes) -> bytes:
    state, pieces, rows = 0, [], _ROWS
    for octet in data:
        state, piece = rows[state][octet]
        pieces.append(piece)
    if state not in _ACCEPTING:
        raise CompressionError("Huffman string with EOS or wrong padding")
    return b"".join(pieces)


_remembered = lru_cache(HUFFMAN_MEMO_ENTRIES)(_decode)
