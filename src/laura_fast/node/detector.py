"""The failure detector at work: files each record in the timing wheel and looks at it when it could have expired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.domain.membership.detector import ListeningTime, Patience, TimingWheel, judge

if TYPE_CHECKING:
    from laura_fast.domain.membership.values import Member
    from laura_fast.node.ports import Clock
    from laura_fast.node.registry import Record, Registry
    from laura_fast.node.settings import MembershipSettings

TICKS_PER_BEAT = 4


class FailureDetector:
    """Belongs to the event loop's thread; the registry's records it shares with others are judged under their locks."""

    def __init__(self, registry: Registry, clock: Clock, settings: MembershipSettings) -> None:
        beat_s = settings.heartbeat_interval_ms / 1000
        self.period_s = beat_s / TICKS_PER_BEAT
        self._registry = registry
        self._clock = clock
        self._patience = Patience(settings.suspect_after_ms / 1000, settings.down_after_ms / 1000)
        now = clock.monotonic()
        self._listening = ListeningTime(now, self.period_s, beat_s)
        self._wheel: TimingWheel[Record] = TimingWheel(self.period_s, now)

    def now(self) -> float:
        """Listening time in seconds."""
        return self._clock.monotonic() - self._listening.deaf_s

    def expect(self, member: Member) -> None:
        """Gives a member its full time from now on, whatever was known of it."""
        self.watch(self._registry.add(member, self.now()))

    def watch(self, record: Record) -> None:
        """Files a record under the earliest moment that could make it worse. The visit filed before becomes void."""
        look_again_s = judge(record.state, 0.0, self._patience).look_again_s
        record.slot = None if look_again_s is None else self._wheel.file(record, record.last_beat + look_again_s)

    def tick(self) -> None:
        """Looks at every record that is due. What got worse is in the registry's queue afterwards."""
        now = self._listening.tick(self._clock.monotonic())
        for slot, record in self._wheel.advance(now):
            if record.slot == slot:
                self._visit(record, now)

    def _visit(self, record: Record, now: float) -> None:
        verdict = self._registry.visit(record, now, self._patience)
        again = verdict and verdict.look_again_s
        record.slot = None if again is None else self._wheel.file(record, record.last_beat + again)
