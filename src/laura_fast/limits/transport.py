"""The native transport's server: sockets, the time that peers may take, and what it holds of their calls."""

from typing import Final

from laura_fast.limits.units import KIB, MIB

# --- accepting --------------------------------------------------------------------------------------------------------

LISTEN_BACKLOG: Final = 1024
"""Connections the kernel holds for us: a cluster that starts at once connects within one backlog."""

MAX_ACCEPTS_PER_TURN: Final = 64
"""Connections accepted before the loop serves the others."""

UNAUTHENTICATED_PER_ADDRESS: Final = 100
"""Connections of one address in their handshake (silent sockets, slow TLS): a tenth of all places. As those beyond wait
and are not refused, a client that opens a thousand at once only takes turns, and an attacker holds up itself alone."""

WAITING_TIMEOUTS: Final = 2
"""How many connection timeouts somebody waits for one of those places: after one, all that were silent are gone."""

ACCEPT_PAUSE_S: Final = 0.5
"""Time between two looks whether there are descriptors again: trying at once would only spin."""

DESCRIPTORS_FOR_CONNECTIONS: Final = 0.8
"""Share of the process's descriptors at which accepting pauses (a flood of connections): storage, logs and metrics
need the rest."""

DESCRIPTORS_TO_ACCEPT_AGAIN: Final = 0.75
"""Share at which accepting goes on: well below, so that each closed connection does not start and stop it."""

OWN_DESCRIPTORS: Final = 256
"""Descriptors of a server without connections, generously: storage, logs, metrics and their clients."""

# --- times ------------------------------------------------------------------------------------------------------------

FRAME_S: Final = 10.0
"""A frame or header block that has begun must be whole by then (slowloris)."""

BODY_S: Final = 10.0
BODY_BYTES_PER_SECOND: Final = 1 * KIB
"""A request message that has begun must go on at this rate, measured over this time, while its window is open
(slow POST). A stream between two messages may be silent for as long as it likes."""

STALL_S: Final = 30.0
"""A stream whose peer has taken nothing of what is queued for so long is reset (CVE-2019-9517)."""

IDLE_CONNECTION_S: Final = 300.0
"""A connection without a call for so long is ended gracefully; whoever needs it connects again."""

DRAIN_ANSWER_S: Final = 2.0
"""How long a peer may take to notice that we drain, before streams it opens are refused."""

LINGER_S: Final = 1.0
"""How long a socket stays open behind a GOAWAY, so that the peer can read it."""

HANDLER_EXIT_S: Final = 5.0
"""How long a stopping server waits for cancelled handlers to end."""

SWEEP_SHORTEST_S: Final = 0.05
SWEEP_LONGEST_S: Final = 1.0
"""Interval of looking at all connections: a quarter of the shortest time to keep, within these."""

REFUSAL_DELAY_S: Final = 0.05
"""How long a refusal waits for the first message of a request that may have none."""

# --- messages ---------------------------------------------------------------------------------------------------------

MAX_PREPARED: Final = 1024
MAX_PREPARED_BYTES: Final = 1 * KIB
"""Header blocks whose meaning a server remembers for all its connections, and the largest of them: about 2 MiB."""

MAX_ANSWER_LAYOUTS: Final = 1024
"""Message lengths whose frame layout is remembered: answers to heartbeats have a few dozen."""

MAX_TRAILERS_KEPT: Final = 64
"""Last header blocks of answers that are remembered: those that are sent in one moment are often the same."""

MESSAGE_WINDOW_BYTES: Final = 1 * MIB
"""Window granted ahead while a large message arrives, so that it does not wait a round trip per 64 KiB."""

ASSEMBLY_BYTES: Final = 8 * MIB
"""Incomplete request messages of one connection; beyond, they are completed one after the other."""

CONNECTION_QUEUE_BYTES: Final = 4 * MIB
"""Answers that one connection's peer has not taken; beyond, its handlers wait before they run (CVE-2019-9517). Much
less would let a client that reads a few large answers slowly hold up its own heartbeats."""
