"""What one connection may send, and what is remembered for it: frames, windows, streams, header blocks.

Most answer a known attack on HTTP/2; tests/adversity has the table.
"""

from typing import Final

from laura_fast.limits.units import KIB, MIB

# --- connections ------------------------------------------------------------------------------------------------------

MAX_PING_STRIKES: Final = 2
"""Pings closer than the minimum interval that are forgiven, as gRPC does: clocks jitter, an attacker does not stop."""

MAX_FRAME_BYTES: Final = 16 * KIB
"""SETTINGS_MAX_FRAME_SIZE we advertise: the smallest allowed, so half a frame never pins more than this."""

MAX_SETTINGS_ENTRIES: Final = 32
"""RFC 9113 defines six; a frame full of entries is work for nothing (CVE-2019-9515)."""

SETTINGS_BURST: Final = 20
SETTINGS_PER_SECOND: Final = 20
"""Each SETTINGS must be acknowledged; a peer has reason for a handful in its life (CVE-2019-9515)."""

RESET_BURST: Final = 200
RESETS_PER_SECOND: Final = 20
"""Streams reset by the peer, or by us for the peer's fault; answers rapid reset and MadeYouReset (CVE-2023-44487,
CVE-2025-8671). Two windows full of cancelled calls pass, a loop does not. Each stream that was not reset earns one
more: a busy client whose deadlines pass, or which cancels what it no longer needs, is no attacker."""

GLITCH_BURST: Final = 1000
GLITCHES_PER_SECOND: Final = 1000
GLITCHES_EARNED: Final = 10
"""Frames that move no call forward: PRIORITY, unknown types, WINDOW_UPDATE. Each DATA frame or new stream earns ten, as
clients update windows for what they receive (CVE-2019-9513)."""

EMPTY_FRAME_BURST: Final = 10
EMPTY_FRAMES_PER_SECOND: Final = 100 / 60
"""DATA, HEADERS or CONTINUATION frames that carry nothing and end nothing (CVE-2019-9518)."""

MAX_FRAMES_PER_TURN: Final = 256
"""Frames handled before other connections get the loop: one full window of 100 calls, about a millisecond."""

# --- streams ----------------------------------------------------------------------------------------------------------

CONNECTION_WINDOW_BYTES: Final = 1 * MIB
"""Receive window of a connection; credited on arrival, so one slow handler can't starve the others."""

STREAM_WINDOW_BYTES: Final = 65_535
"""Receive window of a stream beyond the message being assembled: 100 streams that nobody reads hold 6.4 MiB."""

SEND_TURN_BYTES: Final = 64 * KIB
"""DATA bytes that one connection writes per turn of the loop; the rest waits for the next turn."""

SEND_TURN_MESSAGE_BYTES: Final = 512
"""What a message counts against `SEND_TURN_BYTES` beside its size: a handler that never waits yields after 128."""

STREAM_QUEUE_BYTES: Final = 64 * KIB
"""Bytes queued for a stream whose window is closed; beyond, the handler waits (CVE-2019-9517, slow readers)."""

MAX_REMEMBERED_RESETS: Final = 256
"""Streams we ended before the peer did: frames of theirs still on the way are dropped silently (RFC 9113 §5.1)."""

LAST_STREAM_ID_BEFORE_DRAIN: Final = 2**30
"""A connection that used half its stream ids is replaced gracefully before they run out (RFC 9113 §5.1.1)."""

# --- header blocks ----------------------------------------------------------------------------------------------------

MAX_METADATA_BYTES: Final = 16 * KIB
"""Decoded header list of one call: tokens and tracing fit; a header bomb costs no more than this."""

MAX_HEADER_BLOCK_BYTES: Final = 32 * KIB
MAX_CONTINUATION_FRAMES: Final = 8
"""Encoded header block, checked while it arrives; answers the CONTINUATION flood (CVE-2024-27316)."""

MAX_MEMOISED_BLOCKS: Final = 64
MAX_MEMOISED_BLOCK_BYTES: Final = 512
"""Header blocks whose meaning a connection remembers: 32 KiB at most, and a client repeats a few."""

# --- header compression -----------------------------------------------------------------------------------------------

HPACK_TABLE_BYTES: Final = 4 * KIB
"""Dynamic table of each direction, RFC 9113's default: what one connection can make either side remember."""

HEADER_FIELDS: Final = 100
"""Fields of one block; thousands of tiny ones cost more than their bytes (CVE-2019-9516)."""

HEADER_LIST_ABUSE_FACTOR: Final = 2
"""A list of so many times either limit is no mistake: the connection ends instead of the stream."""

HPACK_SIZE_UPDATES: Final = 2
"""Table size updates at the start of a block: RFC 7541 §4.2 never needs more than two."""

HPACK_INTEGER_OCTETS: Final = 5
"""Continuation octets of one integer: 35 bits are beyond every limit here, and zeroes could go on for ever."""

HUFFMAN_MEMO_ENTRIES: Final = 1024
HUFFMAN_MEMO_BYTES: Final = 64
"""Decoded Huffman strings remembered for the whole process, and the longest of them: about 200 KiB in all."""
