"""How many connections may be open: counted from accept to close, and apart until it is known who they are.

A connection is unproven from accept until its client certificate is verified, or until its HTTP/2 preface and SETTINGS
are here. Whoever only opens sockets stays unproven, so each address may have but a share of those. More of one address
wait their turn, unread: a thousand honest clients behind one address come in one after the other, each within
milliseconds. Who waits holds a place, but gives it to any newcomer that finds none, so that silent sockets of one
address never keep others out.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_SUBNET_BYTES: Final = 8


class _State(Enum):
    """WAITING → UNPROVEN → PROVEN → GONE; each of them may skip to GONE, and an unlimited address to PROVEN."""

    WAITING = 0
    UNPROVEN = 1
    PROVEN = 2
    GONE = 3


class Place:
    """One connection's place.

    Attributes:
        origin: What is counted as one address; see `origin_of`.
        begin: Called once, when it is its turn: maybe before `Admission.enter` returns.
        turn_away: Called when somebody else needs the place; must call `leave`.
    """

    __slots__ = ("_admission", "begin", "origin", "state", "turn_away")

    def __init__(
        self, admission: Admission, origin: str, begin: Callable[[], None], turn_away: Callable[[], None]
    ) -> None:
        self._admission = admission
        self.origin = origin
        self.begin = begin
        self.turn_away = turn_away
        self.state = _State.WAITING

    def prove(self) -> None:
        """The peer is no mere socket. Saying it again is harmless."""
        if self.state is _State.UNPROVEN:
            self.state = _State.PROVEN
            self._admission.count_out(self.origin)

    def leave(self) -> None:
        """The connection is closed. Saying it again is harmless."""
        if self.state is not _State.GONE:
            before, self.state = self.state, _State.GONE
            self._admission.forget(self, waited=before is _State.WAITING)
            if before is _State.UNPROVEN:
                self._admission.count_out(self.origin)


class Admission:
    """The counts of one server.

    Args:
        most: Connections in all.
        most_unproven: Unproven ones of one address.
    """

    def __init__(self, most: int, most_unproven: int) -> None:
        self._most = most
        self._most_unproven = most_unproven
        self._total = 0
        self._unproven: Counter[str] = Counter()
        self._waiting: dict[str, dict[Place, None]] = {}

    def enter(self, host: str, begin: Callable[[], None], turn_away: Callable[[], None]) -> Place | None:
        """A place for a connection of `host` ("" for a Unix socket); None where there is none left.

        Unix sockets have no address, and who may open one is what the file's mode says: only the total counts them, as
        they are proven at once.
        """
        if self._total >= self._most and not self.turn_one_away():
            return None
        self._total += 1
        place = Place(self, origin_of(host), begin, turn_away)
        if self._unproven[place.origin] >= self._most_unproven:
            self._waiting.setdefault(place.origin, {})[place] = None
        else:
            self._let_in(place)
        return place

    def turn_one_away(self) -> bool:
        """Frees a place: the last one of the address that has most of them waiting. False if nobody waits."""
        if not self._waiting:
            return False
        longest = max(self._waiting.values(), key=len)
        next(reversed(longest)).turn_away()
        return True

    def forget(self, place: Place, *, waited: bool) -> None:
        """One connection less."""
        self._total -= 1
        if waited:
            self._leave_queue(place)

    def count_out(self, origin: str) -> None:
        """One unproven connection less, so the next one's turn has come."""
        self._unproven[origin] -= 1
        queue = self._waiting.get(origin)
        if queue:
            place = next(iter(queue))
            self._leave_queue(place)
            self._let_in(place)
        elif not self._unproven[origin]:
            del self._unproven[origin]

    def _leave_queue(self, place: Place) -> None:
        queue = self._waiting[place.origin]
        del queue[place]
        if not queue:
            del self._waiting[place.origin]

    def _let_in(self, place: Place) -> None:
        if place.origin:
            place.state = _State.UNPROVEN
            self._unproven[place.origin] += 1
        else:
            place.state = _State.PROVEN
        place.begin()


def origin_of(host: str) -> str:
    """What counts as one address: an IPv4 address, or the 64 bits of an IPv6 address that a customer gets whole.

    A dual-stack listener sees IPv4 clients as `::ffff:a.b.c.d`; those are as different as their IPv4 addresses.
    """
    if ":" not in host:
        return host
    address = ipaddress.IPv6Address(host)
    return str(address.ipv4_mapped) if address.ipv4_mapped else address.packed[:_SUBNET_BYTES].hex()
