"""The servers that a client knows: its seeds, and those that other servers named."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from laura_fast.limits.client import MAX_LEARNT_SERVERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laura_fast.client.link import Link


class Links:
    """Links by address, in a ring.

    Attributes:
        current: The server to ask first: the one that answered last.
    """

    def __init__(self, seeds: Sequence[str], open_link: Callable[[str], Link]) -> None:
        self._open = open_link
        self._links = {address: open_link(address) for address in seeds}
        self._most = len(self._links) + MAX_LEARNT_SERVERS
        self.current = next(iter(self._links.values()))

    def __len__(self) -> int:
        return len(self._links)

    def at(self, address: str) -> Link | None:
        """The link to this server, which is in the ring from now on; None where the client knows too many already."""
        if address not in self._links and len(self._links) < self._most:
            self._links[address] = self._open(address)
        return self._links.get(address)

    def round(self) -> list[Link]:
        """All of them, the current one first."""
        links = list(self._links.values())
        place = links.index(self.current)
        return links[place:] + links[:place]

    def rotate(self) -> None:
        """The next one is asked first."""
        self.current = (self.round() * 2)[1]

    async def close(self) -> None:
        """Ends all connections; calls in flight fail."""
        await asyncio.gather(*(link.channel.close() for link in self._links.values()))
