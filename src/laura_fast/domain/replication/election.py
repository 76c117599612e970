"""The election machine of one member: Raft (Ongaro 2014, chapters 3, 4.2.3, 6 and 9.6) with MongoDB's priorities.

::

    FOLLOWER  --no primary heard for a timeout-->      ASKING     (pre-vote: no term changes)
    ASKING    --a majority would vote for us-->        CANDIDATE  (term + 1, own vote, on disk first)
    CANDIDATE --a majority voted for us-->             PRIMARY    (the driver writes the no-op of the term)
    ASKING, CANDIDATE --a timeout, or a refusal by so many that it can't be won--> FOLLOWER
    PRIMARY   --no majority heard for a timeout, step-down, or stalled disk--> FOLLOWER
    any       --a higher term in a real vote, a beat or a report--> FOLLOWER of that term
    FOLLOWER  --the primary hands over-->              CANDIDATE  (without pre-vote)

Invariants:

1. A member votes once in a term, and its vote is on disk before it is told.
2. Terms never go back.
3. There is at most one primary in a term (by 1, and because two majorities meet).
4. Who becomes primary has every committed entry: a voter grants only to a log that ends at its own end or later, an
   entry is committed when a majority has it, and from its vote on nobody counts or is counted in an older term, even
   for entries that were on their way to its disk.
5. A pre-vote changes no term, no vote and no timer: a member that comes back from isolation disturbs nobody.
6. A member that is not part of the configuration is not listened to: who was removed can't disturb.
7. A primary's configuration is of its own term, and a voter votes for nobody whose configuration is older than its own:
   by these two a primary of an older configuration is fenced off (Schultz, Dardik and Tripakis 2021, MongoDB's
   protocol without a log of configurations).
8. Who copies everything acknowledges nothing and does not run. If it had a log when its copy began, it goes on voting,
   as MongoDB's members in RECOVERING do, and its vote is judged by the end of that log: to the others it is a follower
   that stands still there. Every entry that it acknowledged is at or before that end, so 4 holds, and its ballot is
   kept, so 1 does. The primary that it copies from is of its own term or a later one, and its log has an entry of its
   term: it ends at that end or later, and so does the copy. Who lost its log and its ballot has no vote before
   its copy is complete.

`State` keeps the ballot by 1 and 2. The parts: `Candidacy` runs for election, `Voting` answers those who do,
`Leadership` and `SteppingDown` are a primary's, `Following` and `takeover` a secondary's, and `Copying` is for 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laura_fast.domain.replication import events, takeover
from laura_fast.domain.replication.candidacy import Candidacy
from laura_fast.domain.replication.copying import Copying
from laura_fast.domain.replication.events import Role, Step
from laura_fast.domain.replication.following import Following
from laura_fast.domain.replication.handover import SteppingDown
from laura_fast.domain.replication.leadership import Leadership
from laura_fast.domain.replication.state import State
from laura_fast.domain.replication.voting import Voting

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.replication.events import Ballot
    from laura_fast.domain.replication.members import Configuration, Position


class Election:
    """One member's: takes events, and lets the part that an event is for act on the `State` that all parts share."""

    def __init__(
        self,
        me: str,
        configuration: Configuration,
        ballot: Ballot,
        last: Position,
        *,
        timeout_s: float,
        jitter: Callable[[], float],
        now: float,
        may_stand: bool = True,
        acknowledged: Position | None = None,
    ) -> None:
        """Begins as a follower that waits a whole timeout.

        Args:
            me: This member's id.
            configuration: In force.
            ballot: From the disk.
            last: End of the log on disk.
            timeout_s: Of elections.
            jitter: Gives numbers in [0, 1).
            now: The time.
            may_stand: See the property.
            acknowledged: See the property.
        """
        self._state = state = State(
            me,
            configuration,
            ballot,
            last,
            timeout_s=timeout_s,
            jitter=jitter,
            now=now,
            may_stand=may_stand,
            acknowledged=acknowledged,
        )
        self._leadership = leadership = Leadership(state, SteppingDown(state), now)
        self._candidacy = candidacy = Candidacy(state, leadership)
        following, copying = Following(state), Copying(state)
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            events.Ticked: self._ticked,
            events.VoteAsked: Voting(state, leadership).vote_asked,
            events.VoteTold: candidacy.vote_told,
            events.PrimaryHeard: following.primary_heard,
            events.MemberHeard: leadership.member_heard,
            events.LogGrew: self._log_grew,
            events.Reconfigured: following.reconfigured,
            events.ChangeAsked: leadership.change_asked,
            events.SyncBegan: copying.sync_began,
            events.SyncEnds: copying.sync_ends,
            events.Synced: copying.synced,
            events.StepDownAsked: leadership.step_down_asked,
            events.RunAsked: candidacy.run_asked,
            events.Stalled: self._stalled,
        }

    def step(self, event: events.Event) -> Step:
        """Takes an event and says what is to be done about it."""
        self._state.out = {}
        self._handlers[type(event)](event)
        out, self._state.out = self._state.out, {}
        return Step(**out)

    def _ticked(self, event: events.Ticked) -> None:
        if self.role is Role.PRIMARY:
            self._leadership.ticked(event.now)
        elif event.now >= self._state.run_at:
            self._candidacy.time_out(event.now)
        elif event.now >= self._state.take_over_at:
            takeover.ask(self._state, event.now)

    def _log_grew(self, event: events.LogGrew) -> None:
        self._state.last = event.last

    def _stalled(self, event: events.Stalled) -> None:
        if self.role is not Role.FOLLOWER:
            self._state.follow("the disk does not answer", event.now)

    # --- what it is now -----------------------------------------------------------------------------------------------

    @property
    def me(self) -> str:
        """This member's id."""
        return self._state.me

    @property
    def configuration(self) -> Configuration:
        """In force."""
        return self._state.configuration

    @property
    def ballot(self) -> Ballot:
        """Term and vote, as last persisted or to be persisted by the step just returned."""
        return self._state.ballot

    @property
    def term(self) -> int:
        """The current term."""
        return self._state.term

    @property
    def role(self) -> Role:
        """What this member is."""
        return self._state.role

    @property
    def primary(self) -> str:
        """Who leads this term, as far as known; "" = unknown."""
        return self._state.primary

    @property
    def last(self) -> Position:
        """End of this member's log."""
        return self._state.last

    @property
    def primary_last(self) -> Position:
        """End of the primary's log, as last heard."""
        return self.last if self.role is Role.PRIMARY else self._state.primary_last

    @property
    def may_stand(self) -> bool:
        """False during an initial sync: the log does not hold what this member may have acknowledged."""
        return self._state.may_stand

    @property
    def acknowledged(self) -> Position | None:
        """During an initial sync, the end of the log that this member had before, by which it votes.

        None = it came empty, and nobody knows what it acknowledged.
        """
        return self._state.acknowledged

    @property
    def may_vote(self) -> bool:
        """Whether this member knows the end of all that it acknowledged."""
        return self._state.may_vote

    @property
    def belongs(self) -> bool:
        """Whether this member is part of the configuration."""
        return self._state.mine is not None

    @property
    def handing_over(self) -> bool:
        """Whether a step-down waits for a successor."""
        return self._state.hand_over is not None

    @property
    def wake_at(self) -> float:
        """When the next `Ticked` is needed at the latest."""
        if self.role is Role.PRIMARY:
            return self._leadership.wake_at
        return min(self._state.run_at, self._state.take_over_at)

    def heard_at(self, member: str) -> float | None:
        """When a member was last heard; None = not in this term of office, or it is not our primary."""
        if self.role is Role.PRIMARY:
            return self._leadership.heard.get(member)
        return self._state.heard_primary_at if member == self.primary else None

    def alive(self, now: float) -> set[str]:
        """A primary's: itself, and whom it heard within a timeout."""
        return self._leadership.alive(now)
