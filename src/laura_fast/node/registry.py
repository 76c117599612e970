"""Who beats: liveness of every member, in 2^k stripes with a lock each, usable from any thread.

A beat takes one stripe lock and touches one record; its cost does not depend on how many nodes there are
(`bench/test_registry.py`). What a beat finds out (a node is back, a node claims another role) is only noted here: the
record's id goes to a queue, once until it is collected, and the membership writer makes a version of it.

Invariants:
    1. No method ever holds two stripe locks, nor the publish lock inside a stripe lock.
    2. A record is in the queue at most once, so the queue never outgrows the registry.
    3. The published topology's version never goes back.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Final

from laura_fast.domain.membership.detector import judge
from laura_fast.domain.membership.topology import TopologySnapshot
from laura_fast.domain.membership.values import NodeRole, NodeState, Observation
from laura_fast.errors import NotFoundError
from laura_fast.limits import membership as limits
from laura_fast.node import reports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from laura_fast.domain.membership.detector import Patience, Verdict
    from laura_fast.domain.membership.values import Member

RESEND_S: Final = 30.0
"""A topology that a heartbeat's answer carried is sent again after this long, in case that answer was lost."""

_HEALTHY: Final = NodeState.HEALTHY
_ROLES: Final = {int(role): role for role in NodeRole}


class Record:
    """What is known of one node beyond the topology. Read and written under its stripe's lock.

    Attributes:
        node_id: The node.
        incarnation: Of the holder of the id; an older one is not served.
        state: The detector's verdict, ahead of the published one by at most one batch.
        claimed_role: What the node last said it is.
        last_beat: Listening time of the last beat, or of the moment from which one was expected.
        beaten: A beat arrived since the server started.
        report: The last beat that told figures; see `reports`.
        clock_skew_ms: The node's clock minus ours at its last beat; None = it told no time.
        sent_version: The topology last attached to a heartbeat's answer.
        sent_at: When that was.
        noted: The id is in the queue.
        slot: Where the timing wheel holds the one valid visit; None = nowhere. Belongs to the detector alone.
    """

    __slots__ = (
        "beaten",
        "claimed_role",
        "clock_skew_ms",
        "incarnation",
        "last_beat",
        "node_id",
        "noted",
        "report",
        "sent_at",
        "sent_version",
        "slot",
        "state",
    )

    def __init__(self, member: Member, now: float) -> None:
        self.node_id = member.id
        self.incarnation = member.incarnation
        self.state = member.state
        self.claimed_role: int = member.role
        self.last_beat = now
        self.beaten = False
        self.report = reports.NOTHING
        self.clock_skew_ms: int | None = None
        self.sent_version = 0
        self.sent_at = now
        self.noted = False
        self.slot: int | None = None


class _Stripe:
    __slots__ = ("lock", "records")

    def __init__(self) -> None:
        self.lock = Lock()
        self.records: dict[str, Record] = {}


class Registry:
    """Liveness records and the published topology."""

    def __init__(self, stripes: int = 64, *, always_attach: bool = False) -> None:
        """Makes `stripes` stripes, a power of two."""
        self._mask = stripes - 1
        self._stripes = [_Stripe() for _ in range(stripes)]
        self._always_attach = always_attach
        self._publish_lock = Lock()
        self.topology = TopologySnapshot()
        self.noted: deque[str] = deque()

    def heartbeat(  # noqa: PLR0917 - by position: keywords would cost the hot path
        self,
        node_id: str,
        incarnation: int,
        role: int,
        report: bytes,
        clock_skew_ms: int | None,
        known_version: int | None,
        now: float,
    ) -> TopologySnapshot | None:
        """Renews a node's lease.

        Args:
            node_id: Who beats.
            incarnation: 0 = not given.
            role: UNKNOWN (0) renews only, and the argument that follows is not looked at.
            report: What the beat told besides.
            clock_skew_ms: For the metric; never decides anything.
            known_version: The topology the node says it holds; None = it does not say.
            now: Listening time in seconds.

        Returns:
            The topology to attach to the answer, or None.

        Raises:
            NotFoundError: Nobody of that id, or the caller's incarnation was taken over.
        """
        stripe = self._stripes[hash(node_id) & self._mask]
        lock = stripe.lock
        lock.acquire()  # a `with` statement costs twice as much (bench.compare)
        try:
            record = stripe.records.get(node_id)
            if record is None or 0 < incarnation < record.incarnation:
                raise not_registered(node_id)
            record.last_beat = now
            record.beaten = True
            record.clock_skew_ms = clock_skew_ms
            if role:
                record.report = report
                if role != record.claimed_role:
                    record.claimed_role = role
                    self._note(record)
            if record.state is not _HEALTHY:
                record.state = _HEALTHY
                self._note(record)
            topology = self.topology
            version = topology.version
            if not self._always_attach:
                if known_version is not None:
                    if known_version >= version:
                        return None
                elif record.sent_version >= version and now - record.sent_at < RESEND_S:
                    return None
            record.sent_version = version
            record.sent_at = now
            return topology
        finally:
            lock.release()

    def add(self, member: Member, now: float) -> Record:
        """Begins to expect beats of a member; replaces the record of an earlier incarnation."""
        record = Record(member, now)
        stripe = self._stripe(member.id)
        with stripe.lock:
            stripe.records[member.id] = record
        return record

    def remove(self, node_id: str) -> None:
        """Forgets a node: its later beats are refused."""
        stripe = self._stripe(node_id)
        with stripe.lock:
            stripe.records.pop(node_id, None)

    def find(self, node_id: str) -> Record | None:
        """The record of a node, if it is expected to beat."""
        stripe = self._stripe(node_id)
        with stripe.lock:
            return stripe.records.get(node_id)

    def visit(self, record: Record, now: float, patience: Patience) -> Verdict | None:
        """Judges one record; None if it is no longer the node's. A verdict worse than before is noted."""
        stripe = self._stripe(record.node_id)
        with stripe.lock:
            if stripe.records.get(record.node_id) is not record:
                return None
            record.last_beat = min(record.last_beat, now)  # a beat heard in a deaf stretch counts from its end
            verdict = judge(record.state, now - record.last_beat, patience)
            if verdict.state is not record.state:
                record.state = verdict.state
                self._note(record)
            return verdict

    def collect(self) -> Iterator[tuple[Record, Observation]]:
        """Takes every noted node out of the queue, with what is known of it now."""
        for _ in range(len(self.noted)):
            node_id = self.noted.popleft()
            stripe = self._stripe(node_id)
            with stripe.lock:
                record = stripe.records.get(node_id)
                if record is None or not record.noted:  # left, or replaced by its next incarnation
                    continue
                record.noted = False
                role = _ROLES.get(record.claimed_role, NodeRole.UNKNOWN)
                seen = Observation(node_id, record.incarnation, record.state, role)
            yield record, seen

    def note(self, node_id: str) -> None:
        """Puts a node in the queue again: what was collected of it could not be made durable."""
        stripe = self._stripe(node_id)
        with stripe.lock:
            if record := stripe.records.get(node_id):
                self._note(record)

    def publish(self, topology: TopologySnapshot) -> None:
        """Makes a topology the current one.

        Raises:
            AssertionError: Its version is lower than the current one's.
        """
        with self._publish_lock:
            assert topology.version >= self.topology.version, "a version never goes back"  # noqa: S101 - invariant 3
            self.topology = topology

    def _note(self, record: Record) -> None:
        if not record.noted:
            record.noted = True
            self.noted.append(record.node_id)

    def _stripe(self, node_id: str) -> _Stripe:
        return self._stripes[hash(node_id) & self._mask]


def not_registered(node_id: str) -> NotFoundError:
    """The refusal of a beat; its text is part of the wire contract. An id too long to be one is cut."""
    shown = node_id[: limits.MAX_NODE_ID_BYTES]
    return NotFoundError(f"node {shown} not registered", "NODE_NOT_REGISTERED", metadata={"node_id": shown})
