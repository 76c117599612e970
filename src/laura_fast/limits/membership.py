"""The cluster's nodes: what they register and report, and who watches them."""

from typing import Final

from laura_fast.limits.units import KIB, MIB

# --- members ----------------------------------------------------------------------------------------------------------

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

MAX_REPORT_BYTES: Final = 512
"""A node's last beat is kept as it came; one made longer, by a long id or unknown fields, is cut to what it tells."""

MAX_PENDING_CHANGES: Final = 50_000
"""Membership changes waiting for the disk; beyond, registrations are refused as overloaded."""

# --- watchers ---------------------------------------------------------------------------------------------------------

MAX_WATCHERS: Final = 2_000
"""Each watcher holds a stream and a position; more belong behind a proxy."""

TOPOLOGY_HISTORY_VERSIONS: Final = 4_096
"""Deltas kept for resuming watchers; older positions get a fresh snapshot."""

TOPOLOGY_HISTORY_MEMBERS: Final = 65_536
"""Changed members in all kept deltas together: thousands of versions that each touch every node would be gigabytes."""

MAX_LONG_POLLS: Final = 10_000
"""GetTopology calls parked with wait_ms; beyond, the answer is immediate."""
