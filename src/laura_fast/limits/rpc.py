"""gRPC: messages and methods on both sides, and how far a channel goes for its calls."""

from typing import Final

from laura_fast.limits.units import KIB, MIB

# --- messages and methods ---------------------------------------------------------------------------------------------

MAX_MESSAGE_BYTES: Final = 48 * MIB
"""A 16 MiB document, its pre-image and framing; gRPC's own default of 4 MiB can't carry one document."""

MAX_READY_MESSAGES: Final = 64
"""Whole messages of a stream that are kept as they came. Each is an object, and a window may hold thousands of empty
ones: more go into one buffer, which costs them more time and us no more memory than their octets."""

MAX_MEMOISED_TIMEOUTS: Final = 256
"""Encoded `grpc-timeout` fields remembered for the process: programs use a few constants, retries use any number."""

MAX_OBSERVED_METHODS: Final = 1_000
"""Methods counted apart; several times what the schemas hold. The rest share one line, so no label set explodes."""

# --- channels ---------------------------------------------------------------------------------------------------------

CHANNEL_CLOSE_S: Final = 0.1
"""A closed channel's sockets have so long for TLS's farewell, which C-core never answers: its calls are over, so
nothing is lost by hanging up."""

CHANNEL_CONNECTIONS: Final = 8
"""Connections of one channel: at the usual 100 streams each, 800 calls at once; more wait their turn. A server that
allows one stream per connection must not be flooded with sockets."""

REPLAY_BYTES: Final = 64 * KIB
"""Request messages of a stream kept until the answer begins, so that a server that refused it unseen gets it again."""

TRANSPARENT_RETRIES: Final = 3
"""Times that a call refused unseen is sent again by itself; a server that refuses for ever must not be asked for ever
(gRFC A6 asks for one, but several connections of a draining server may each refuse)."""
