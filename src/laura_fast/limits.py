"""Every bound on what a peer can make this server hold, with the reason for its value.

A queue, buffer, map or loop without a bound named here is a defect. Values that an operator may tune are the defaults
of `config`; the rest are constants because a wrong value is an outage or an attack.
"""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# --- messages -------------------------------------------------------------------------------------------------------
MAX_MESSAGE_BYTES: Final = 48 * MIB
"""A 16 MiB document, its pre-image and framing; gRPC's own default of 4 MiB can't carry one document."""

# --- membership -----------------------------------------------------------------------------------------------------
MAX_NODES: Final = 20_000
"""A full topology stays under the 4 MiB that LauraDB's clients accept, at about 200 bytes a node."""

MAX_TOPOLOGY_BYTES: Final = 4 * MIB - 64 * KIB
"""All encoded members together, whatever their number: the same 4 MiB, held against nodes with the longest tags too."""

MAX_NODE_ID_BYTES: Final = 255
"""Fits in a storage key (511 bytes) with its prefix, and in a DNS name."""

MAX_HOST_BYTES: Final = 253
"""The longest DNS name (RFC 1035 §2.3.4, without the root label)."""

MAX_TAGS: Final = 16
"""Tags are repeated in every topology answer; a node with hundreds would be paid for by every client."""

MAX_TAG_KEY_BYTES: Final = 64
MAX_TAG_VALUE_BYTES: Final = 128
"""Sixteen tags of this size are 3 KiB: one hostile registration can't bloat the topology."""

MAX_SEED_NODES: Final = 64
"""Hints only: what is beyond is not dialled, and the registration goes on."""

MAX_TOMBSTONES: Final = 20_000
"""As many as live nodes. The oldest is forgotten first: a very late heartbeat then reads "not registered"."""

MAX_REASON_BYTES: Final = 1 * KIB
"""A deregistration reason is kept in a tombstone."""

MAX_WATCHERS: Final = 2_000
"""Each watcher holds a stream and a position; more belong behind a proxy."""

TOPOLOGY_HISTORY_VERSIONS: Final = 4_096
"""Deltas kept for resuming watchers; older positions get a fresh snapshot."""

TOPOLOGY_HISTORY_MEMBERS: Final = 65_536
"""Changed members in all kept deltas together: thousands of versions that each touch every node would be gigabytes."""

MAX_LONG_POLLS: Final = 10_000
"""GetTopology calls parked with wait_ms; beyond, the answer is immediate."""

MAX_PENDING_CHANGES: Final = 50_000
"""Membership changes waiting for the disk; beyond, registrations are refused as overloaded."""

# --- storage --------------------------------------------------------------------------------------------------------
STORAGE_MAP_BYTES: Final = 1024 * 1024 * MIB
"""Address space, not disk or memory: reserved once, because LMDB can't grow a map under a live reader."""

STORAGE_TABLES: Final = 256
"""Named tables of one environment; every one costs a slot in every transaction."""

STORAGE_READERS: Final = 512
"""Read transactions open at once, over all threads."""

MAX_COMMIT_JOBS: Final = 1_000
"""Jobs that share one commit: enough to amortise the fsync, few enough that the first does not wait for long."""

# --- connections ----------------------------------------------------------------------------------------------------
MAX_METADATA_BYTES: Final = 16 * KIB
"""Decoded header list of one call: tokens and tracing fit; a header bomb costs no more than this."""

MAX_PING_STRIKES: Final = 2
"""Pings closer than the minimum interval that are forgiven, as gRPC does: clocks jitter, an attacker does not stop."""

# --- observability --------------------------------------------------------------------------------------------------
MAX_OBSERVED_METHODS: Final = 1_000
"""Methods counted apart; several times what the schemas hold. The rest share one line, so no label set explodes."""

# --- HTTP/2 header compression --------------------------------------------------------------------------------------
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
