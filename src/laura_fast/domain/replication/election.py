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
4. Who becomes primary has every committed entry: a voter grants only to a log that ends at its own end or later, and
   an entry is committed when a majority has it.
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
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from laura_fast.domain.replication import events, voting
from laura_fast.domain.replication.events import Ballot, Role, Step
from laura_fast.domain.replication.handover import HandOver

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.replication.members import Configuration, Position

JITTER_SHARE = 0.5
"""Timeouts are 1 to 1.5 times the configured one: wide enough that two members rarely run together, and a primary is
still replaced within two timeouts."""
BEATS_PER_TIMEOUT = 4


class Election:
    """One member's view.

    Attributes:
        configuration: In force.
        ballot: Term and vote, as last persisted or to be persisted by the step just returned.
        role: What this member is.
        primary: Who leads this term, as far as known; "" = unknown.
        last: End of this member's log.
        may_stand: False during an initial sync: the log does not hold what this member may have acknowledged.
        acknowledged: During an initial sync, the end of the log that this member had before, by which it votes; None =
            it came empty, and nobody knows what it acknowledged.
    """

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
            may_stand: See the attribute.
            acknowledged: See the attribute.
        """
        self.me = me
        self.configuration = configuration
        self.ballot = ballot
        self.role = Role.FOLLOWER
        self.primary = ""
        self.last = last
        self.may_stand = may_stand
        self.acknowledged = acknowledged
        self._timeout_s = timeout_s
        self._jitter = jitter
        self._heard_primary_at = float("-inf")
        self._led_by = ""
        self._quiet_since = now
        self._primary_last = last
        self._yes: set[str] = set()
        self._no: set[str] = set()
        self._asked_term = 0
        self._heard: dict[str, float] = {}
        self._beat_at = now
        self._hand_over: HandOver | None = None
        self._take_over_at = float("inf")
        self._frozen_until = float("-inf")
        self._cause = ""
        self._run_at = self._after(now)
        self._out: dict[str, Any] = {}
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            events.Ticked: self._ticked,
            events.VoteAsked: self._vote_asked,
            events.VoteTold: self._vote_told,
            events.PrimaryHeard: self._primary_heard,
            events.MemberHeard: self._member_heard,
            events.LogGrew: self._log_grew,
            events.Reconfigured: self._reconfigured,
            events.ChangeAsked: self._change_asked,
            events.SyncBegan: self._sync_began,
            events.SyncEnds: self._sync_ends,
            events.Synced: self._synced,
            events.StepDownAsked: self._step_down_asked,
            events.RunAsked: self._run_asked,
            events.Stalled: self._stalled,
        }

    @property
    def term(self) -> int:
        """The current term."""
        return self.ballot.term

    @property
    def wake_at(self) -> float:
        """When the next `Ticked` is needed at the latest."""
        if self.role is Role.PRIMARY:
            return min(self._beat_at, self._hand_over.asked.until if self._hand_over else self._beat_at)
        return min(self._run_at, self._take_over_at)

    @property
    def belongs(self) -> bool:
        """Whether this member is part of the configuration."""
        return self.configuration.get(self.me) is not None

    @property
    def may_vote(self) -> bool:
        """Whether this member knows the end of all that it acknowledged."""
        return self.may_stand or self.acknowledged is not None

    @property
    def handing_over(self) -> bool:
        """Whether a step-down waits for a successor."""
        return self._hand_over is not None

    @property
    def primary_last(self) -> Position:
        """End of the primary's log, as last heard."""
        return self.last if self.role is Role.PRIMARY else self._primary_last

    def heard_at(self, member: str) -> float | None:
        """When a member was last heard; None = not in this term of office, or it is not our primary."""
        if self.role is Role.PRIMARY:
            return self._heard.get(member)
        return self._heard_primary_at if member == self.primary else None

    def step(self, event: events.Event) -> Step:
        """Takes an event and says what is to be done about it."""
        self._out = {}
        self._handlers[type(event)](event)
        out, self._out = self._out, {}
        return Step(**out)

    # --- time ---------------------------------------------------------------------------------------------------------

    def _ticked(self, event: events.Ticked) -> None:
        if self.role is Role.PRIMARY:
            self._lead(event.now)
        elif event.now >= self._run_at:
            self._run(event.now, dry_run=True, cause=self._silence(event.now))
        elif event.now >= self._take_over_at:
            self._ask_take_over(event.now)

    def _lead(self, now: float) -> None:
        if not self._majority_heard(now):
            self._follow("no majority answered for a whole election timeout", now)
        elif self._hand_over and now >= self._hand_over.asked.until:
            self._end_hand_over(self._hand_over.asked, now)
        elif now >= self._beat_at:
            self._beat(now)

    def _beat(self, now: float) -> None:
        self._beat_at = now + self._timeout_s / BEATS_PER_TIMEOUT
        self._out["beat"] = True

    def alive(self, now: float) -> set[str]:
        """A primary's: itself, and whom it heard within a timeout."""
        return {self.me, *(member for member, at in self._heard.items() if now - at < self._timeout_s)}

    def _majority_heard(self, now: float) -> bool:
        return self.configuration.is_majority(self.alive(now))

    def _after(self, now: float) -> float:
        return now + self._timeout_s * (1 + JITTER_SHARE * self._jitter())

    # --- running for election -----------------------------------------------------------------------------------------

    def _run(self, now: float, *, dry_run: bool, cause: str, hand_off: bool = False) -> None:
        self._run_at, self.primary = self._after(now), ""
        mine = self.configuration.get(self.me)
        frozen = now < self._frozen_until and not hand_off
        if mine is None or not mine.electable or not self.may_stand or frozen:
            return
        self._cause = cause
        self._yes, self._no = {self.me}, set()
        self._asked_term = self.term + 1
        if not dry_run:
            self._keep(Ballot(self._asked_term, self.me))
        self._become(Role.ASKING if dry_run else Role.CANDIDATE, cause)
        self._out["ask"] = events.AskVote(self._asked_term, self.last, dry_run, hand_off)
        self._count(now)

    def _silence(self, now: float) -> str:
        last = f"; the last was {self._led_by}" if self._led_by else ""
        return f"no primary was heard for {now - self._quiet_since:.1f} s{last}"

    def _vote_told(self, event: events.VoteTold) -> None:
        if event.term > self.term and not (event.dry_run and event.granted):
            self._adopt(event.term, event.now)
            return
        wanted = Role.ASKING if event.dry_run else Role.CANDIDATE
        if self.role is not wanted or event.asked_term != self._asked_term or event.voter in self._no:
            return
        (self._yes if event.granted else self._no).add(event.voter)
        self._count(event.now)

    def _count(self, now: float) -> None:
        """Wins, or gives up once it can't be won."""
        if self.configuration.is_majority(self._yes):
            if self.role is Role.ASKING:
                self._run(now, dry_run=False, cause=self._cause)
            else:
                self._win(now)
        elif not self.configuration.is_majority(self.configuration.voters - self._no):
            self._follow("the vote was lost", now)

    def _win(self, now: float) -> None:
        self._become(Role.PRIMARY, f"{self._cause}; votes of {', '.join(sorted(self._yes))}")
        self.configuration = self._out["configuration"] = replace(self.configuration, term=self.term)
        self.primary = self.me
        self._heard = dict.fromkeys(self._yes, now)
        self._hand_over = None
        self._beat(now)

    def _run_asked(self, event: events.RunAsked) -> None:
        if event.term == self.term and self.role is not Role.PRIMARY:
            self._run(event.now, dry_run=False, cause=event.reason, hand_off=True)

    # --- voting -------------------------------------------------------------------------------------------------------

    def _vote_asked(self, event: events.VoteAsked) -> None:
        refusal = voting.stranger(self.configuration, event)
        if not refusal:
            healthy = self._healthy(event.now)
            if not event.dry_run and event.term > self.term:
                self._adopt(event.term, event.now)
            me, configuration = self.me, self.configuration
            last = self.last if self.acknowledged is None else self.acknowledged
            refusal = voting.refusal(voting.Voter(me, configuration, self.may_vote, self.ballot, last, healthy), event)
        if not refusal and not event.dry_run:
            self._keep(Ballot(event.term, event.candidate))
            self._run_at = self._after(event.now)
        self._out["answer"] = events.VoteAnswer(not refusal, self.term, refusal or "granted")

    def _healthy(self, now: float) -> str:
        """The primary that this member is, or heard within a timeout."""
        if self.role is Role.PRIMARY:
            return self.me if self._majority_heard(now) else ""
        return self._led_by if now - self._heard_primary_at < self._timeout_s else ""

    # --- following and leading ----------------------------------------------------------------------------------------

    def _primary_heard(self, event: events.PrimaryHeard) -> None:
        if event.term < self.term or self.configuration.get(event.primary) is None:
            return
        if event.term > self.term:
            self._adopt(event.term, event.now)
        elif self.role is Role.PRIMARY:
            raise AssertionError(f"two primaries in term {self.term}: {self.me} and {event.primary}")
        if self.role is not Role.FOLLOWER:
            self._follow(f"{event.primary} leads term {event.term}", event.now)
        if self.primary != event.primary:
            self._take_over_at = self._take_over_time(event.primary, event.now)
        self.primary = self._led_by = event.primary
        self._heard_primary_at = self._quiet_since = event.now
        self._primary_last = event.last
        self._run_at = self._after(event.now)

    def _member_heard(self, event: events.MemberHeard) -> None:
        if self.configuration.get(event.member) is None:
            return
        if event.term > self.term:
            self._adopt(event.term, event.now)
        elif self.role is Role.PRIMARY and event.term == self.term:
            self._heard[event.member] = max(event.now, self._heard.get(event.member, event.now))
            if self._hand_over:
                self._hand_over.heard(event.member, event.durable)
            self._try_hand_over(event.now)

    def _log_grew(self, event: events.LogGrew) -> None:
        self.last = event.last

    def _sync_began(self, event: events.SyncBegan) -> None:
        """Who starts over has acknowledged nothing since."""
        if self.may_stand:
            self.may_stand, self.acknowledged = False, self.last
        self._check_covered(event.last)

    def _check_covered(self, last: Position) -> None:
        if self.acknowledged is not None and last < self.acknowledged:
            raise AssertionError(f"a copy that ends at {last} lacks what was acknowledged up to {self.acknowledged}")

    def _sync_ends(self, event: events.SyncEnds) -> None:
        """Who lost its ballot may have voted in any term that somebody knows of: those votes are given away."""
        self._check_covered(self.last)
        if self.may_vote:
            return
        if event.term > self.term:
            self.primary = ""
            self._keep(Ballot(event.term, self.me))
        elif self.term and not self.ballot.vote:
            self._keep(Ballot(self.term, self.primary or self.me))

    def _synced(self, _event: events.Synced) -> None:
        self.may_stand, self.acknowledged = True, None

    def _reconfigured(self, event: events.Reconfigured) -> None:
        after = event.configuration
        if after.name != self.configuration.name or after.stamp <= self.configuration.stamp:
            return
        if after.term > self.term:
            self._adopt(after.term, event.now)
        self.configuration = self._out["configuration"] = after
        mine = after.get(self.me)
        if self.role is not Role.FOLLOWER and (mine is None or not mine.electable):
            self._follow("the new configuration does not let this member lead", event.now)
        elif self.primary and self.role is Role.FOLLOWER:
            self._take_over_at = self._take_over_time(self.primary, event.now)

    def _change_asked(self, event: events.ChangeAsked) -> None:
        after, before = event.configuration, self.configuration
        if self.role is Role.PRIMARY and after.term == self.term and after.version == before.version + 1:
            self.configuration = self._out["configuration"] = after
            self._beat(event.now)

    def _stalled(self, event: events.Stalled) -> None:
        if self.role is not Role.FOLLOWER:
            self._follow("the disk does not answer", event.now)

    # --- handing over -------------------------------------------------------------------------------------------------

    def _step_down_asked(self, event: events.StepDownAsked) -> None:
        if self.role is not Role.PRIMARY:
            return
        self._hand_over = HandOver(self.me, event)
        self._beat(event.now)  # whose answers tell who has caught up
        self._try_hand_over(event.now)

    def _try_hand_over(self, now: float) -> None:
        if self._hand_over and (successor := self._hand_over.ready(self.configuration, self.last)):
            self._out["hand_off"] = successor
            self._step_down(self._hand_over.asked, f"{self.me} handed over to {successor}", now)

    def _end_hand_over(self, asked: events.StepDownAsked, now: float) -> None:
        """The time for a successor is over."""
        if asked.force:
            self._step_down(asked, f"{self.me} stepped down without a successor", now)
            return
        self._hand_over = None
        self._out["writes"] = True

    def _step_down(self, asked: events.StepDownAsked, what: str, now: float) -> None:
        self._frozen_until = now + asked.freeze_s
        self._follow(f"{what}: {asked.reason}", now)

    # --- take-over by priority ----------------------------------------------------------------------------------------

    def _take_over_time(self, primary: str, now: float) -> float:
        """MongoDB: the best member after one timeout, the next after two, and so on; never where nobody is worse."""
        mine, theirs = self.configuration.get(self.me), self.configuration.get(primary)
        if mine is None or theirs is None or not mine.electable or mine.priority <= theirs.priority:
            return float("inf")
        return now + (self.configuration.rank(self.me) + 1) * self._timeout_s

    def _ask_take_over(self, now: float) -> None:
        self._take_over_at = self._take_over_time(self.primary, now)
        ready = self.may_stand and self.last >= self._primary_last and now >= self._frozen_until
        if self.primary and ready:
            self._out["ask_hand_off"] = self.primary

    # --- common -------------------------------------------------------------------------------------------------------

    def _adopt(self, term: int, now: float) -> None:
        """A newer term: nobody is known to lead it, and we have not voted in it."""
        self._keep(Ballot(term))
        self.primary = ""
        if self.role is not Role.FOLLOWER:
            self._follow(f"term {term} began", now)

    def _follow(self, reason: str, now: float) -> None:
        if self.role is Role.PRIMARY:
            self._led_by, self._quiet_since, self._heard_primary_at = self.me, now, float("-inf")
        self._become(Role.FOLLOWER, reason)
        if self.primary == self.me:
            self.primary = ""
        self._hand_over = None
        self._take_over_at = float("inf")
        self._run_at = self._after(now)

    def _become(self, role: Role, reason: str) -> None:
        self.role = role
        self._out["role"], self._out["reason"] = role, reason

    def _keep(self, ballot: Ballot) -> None:
        same = ballot.term == self.ballot.term and self.ballot.vote in {"", ballot.vote}
        if not same and ballot.term <= self.ballot.term:
            raise AssertionError(f"a vote may not be changed, nor a term go back: {self.ballot} to {ballot}")
        self.ballot = self._out["ballot"] = ballot
