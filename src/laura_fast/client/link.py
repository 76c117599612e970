"""One server and the channel to it. TLS files that were replaced are read again when a connection is needed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.errors import TlsMaterialError
from laura_fast.observability import log

if TYPE_CHECKING:
    import grpc

    from laura_fast.client.channel import ClientTls, OpenChannel

_log = log.get("laura_fast.client")


class Link:
    """A channel that an agent of many months can use: certificates expire before it does.

    Attributes:
        address: ``host:port``.
        channel: The channel of now.

    Raises:
        TlsMaterialError: TLS files that can't be used.
    """

    def __init__(self, address: str, tls: ClientTls | None, open_channel: OpenChannel) -> None:
        self.address = address
        self._tls = tls
        self._open = open_channel
        self._stamp = tls.stamp() if tls else None
        self.channel: grpc.aio.Channel = open_channel(address, tls)

    async def renew(self) -> None:
        """Called when the server could not be reached: takes new TLS files into use; unusable ones keep the old."""
        if self._tls is None or (stamp := self._tls.stamp()) == self._stamp:
            return
        try:
            channel = self._open(self.address, self._tls)
        except TlsMaterialError as error:
            _log.warning("tls_files_not_reloaded", server=self.address, error=str(error))
            return
        self._stamp, old, self.channel = stamp, self.channel, channel
        _log.info("tls_files_reloaded", server=self.address)
        await old.close()
