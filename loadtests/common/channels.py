"""gRPC channels for many users in one gevent process. Importing this module switches gRPC to gevent, once.

locust has patched the standard library by the time a locustfile is imported; gRPC has to be told after that and before
its first channel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import grpc
from gevent import monkey
from grpc.experimental.gevent import init_gevent

from common.interceptors import interceptors

if TYPE_CHECKING:
    from common.interceptors import Fire

if not monkey.is_module_patched("socket"):
    raise RuntimeError(
        "import this from a locustfile: gevent must have patched the standard library before gRPC starts"
    )
init_gevent()

USERS_PER_CONNECTION: Final = 50
"""Half of what the server accepts as streams of one connection, since a user may hold a stream and call besides."""

MAX_MESSAGE_BYTES: Final = 48 * 1024 * 1024
OPTIONS: Final = (
    ("grpc.use_local_subchannel_pool", 1),  # otherwise all channels to one address share one connection
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)


class Channels:
    """Shares connections among users, `USERS_PER_CONNECTION` on each."""

    def __init__(self, fire: Fire) -> None:
        self._fire = fire
        self._users: dict[Any, int] = {}

    def take(self, target: str) -> Any:
        """A channel with a place for one more user.

        Args:
            target: `host:port`; a scheme that a browser put before it is ignored.
        """
        for channel, users in self._users.items():
            if users < USERS_PER_CONNECTION:
                self._users[channel] += 1
                return channel
        channel = grpc.insecure_channel(target.rpartition("//")[2].rstrip("/"), options=OPTIONS)
        channel = grpc.intercept_channel(channel, *interceptors(self._fire))
        self._users[channel] = 1
        return channel

    def give_back(self, channel: Any) -> None:
        """Frees the place; the connection closes with its last user."""
        self._users[channel] -= 1
        if not self._users[channel]:
            del self._users[channel]
            channel.close()
