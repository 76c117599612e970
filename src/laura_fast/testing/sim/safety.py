"""The rules that no fault may break, looked at whenever a disk, a role, a commit point or a vote changes.

Nothing that they speak of changes in any other step, so they hold after every step. Sections are those of
Ongaro 2014, "Consensus: Bridging Theory and Practice".

=====================  =============================================================================================
election safety        at most one member leads a term (3.4)
one vote a term        a member grants one candidate a term, its vote is on disk before it is told, its term never
                       falls, not even over a crash (3.4, 3.8); who lost its directory votes for nobody, itself
                       included, before its copy of everything is complete, and then not twice either
append only            a primary undoes nothing of its own log (3.5)
contiguous             op ids of a log are 1, 2, 3 …, its terms never fall
log matching           two entries of one op id and term are equal, and so is everything before them (3.5)
leader completeness    who is elected has every entry that was committed in a term before its own (3.6.3)
commit                 what a member believes committed is on the disks of a majority of the voters; a primary commits
                       entries of its own term only, older ones with them (3.6.2); whose copy is not complete
                       counts by the log that it reported before
state machine safety   all members commit the same entries (3.6.3), and none of these is ever undone
copies                 who copied everything has all that was committed of what it had before
acknowledged writes    a write that a client was told of is committed
=====================  =============================================================================================
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from laura_fast.domain.replication.events import Ballot, Role
from laura_fast.node.replication.messages import Beat, Question, Reply
from laura_fast.testing.sim.journal import ViolationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.domain.replication.members import Configuration
    from laura_fast.domain.replication.progress import Progress
    from laura_fast.node.replication.driver import ReplicaSet
    from laura_fast.storage.documents.oplog import OplogEntry


class Safety:
    """Of one run.

    Attributes:
        logs: What is on each member's disk.
        copying: What members had before, whose copy of everything is not complete; in `logs` they have nothing.
        committed: The entries that members believe committed.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.voters = configuration.voters
        self.logs: dict[str, list[OplogEntry]] = defaultdict(list)
        self.copying: dict[str, list[OplogEntry]] = {}
        self.committed: list[OplogEntry] = []
        self._empty: set[str] = set()
        self._committed_in: list[int] = []
        self._ballots: dict[str, Ballot] = defaultdict(Ballot)
        self._votes: dict[tuple[str, int], str] = {}
        self._told: dict[str, int] = defaultdict(int)
        self._leaders: dict[int, str] = {}
        self._entries: dict[tuple[int, int], tuple[int, OplogEntry]] = {}
        self._commits: dict[str, int] = defaultdict(int)

    @property
    def terms_led(self) -> int:
        """How many terms had a primary."""
        return len(self._leaders)

    # --- disks --------------------------------------------------------------------------------------------------------

    def ballot_kept(self, member: str, ballot: Ballot) -> None:
        """A ballot is on a disk."""
        before = self._ballots[member]
        _hold(ballot.term >= before.term, "{} goes back from term {} to {}", member, before.term, ballot.term)
        if ballot.term == before.term and before.vote:
            _hold(ballot.vote == before.vote, "{} turns its vote of term {} from {}", member, ballot.term, before.vote)
        self._ballots[member] = ballot

    def log_changed(self, member: str, kept: int, behind: Sequence[OplogEntry], *, leads: bool) -> None:
        """A log on a disk has changed.

        Args:
            member: Whose.
            kept: Its first entries that stayed.
            behind: What follows them now.
            leads: Whether the member is in office.
        """
        log = self.logs[member]
        if undone := log[kept:]:
            _hold(not leads, "{} leads and undoes its entries from {} on", member, kept + 1)
            for entry in undone:
                there = self.committed[entry.op_id - 1 : entry.op_id]
                _hold(there != [entry], "{} undoes the committed entry {} of term {}", member, entry.op_id, entry.term)
            del log[kept:]
        for entry in behind:
            self._append(member, log, entry)

    def _append(self, member: str, log: list[OplogEntry], entry: OplogEntry) -> None:
        before = log[-1].term if log else 0
        _hold(entry.op_id == len(log) + 1, "{} has entry {} behind {}", member, entry.op_id, len(log))
        _hold(entry.term >= before, "{} has term {} behind {}", member, entry.term, before)
        known = self._entries.setdefault((entry.op_id, entry.term), (before, entry))
        _hold(known == (before, entry), "{} has another entry {} of term {}", member, entry.op_id, entry.term)
        log.append(entry)

    # --- copies -------------------------------------------------------------------------------------------------------

    def lost(self, member: str) -> None:
        """A disk is empty now: neither its log nor its ballot is known to anybody who could keep to it."""
        self.copies(member)
        self._empty.add(member)
        for forgotten in (self._ballots, self._told, self._commits):
            forgotten.pop(member, None)
        self._votes = {given: to for given, to in self._votes.items() if not self._died_with(member, *given, to)}

    def _died_with(self, member: str, voter: str, term: int, candidate: str) -> bool:
        """A candidate's vote for itself: but for the candidate, who is dead, nobody ever counts it."""
        return voter == candidate == member and self._leaders.get(term) != member

    def copies(self, member: str) -> None:
        """What is on a disk is no log: all of it, or half a copy is missing."""
        if member not in self.copying:
            self.copying[member] = self.logs.pop(member, [])

    def copied(self, member: str, entries: Sequence[OplogEntry]) -> None:
        """A disk has everything; its log begins with these entries."""
        self._empty.discard(member)
        log = self.logs[member] = self._before(member, entries[0]) if entries else []
        for entry in entries:
            self._append(member, log, entry)
        for entry in self.copying.pop(member):
            place = slice(entry.op_id - 1, entry.op_id)
            lacks = self.committed[place] == [entry] != log[place]
            _hold(not lacks, "{} copied everything but the committed entry {}, which it had", member, entry.op_id)

    def _before(self, member: str, first: OplogEntry) -> list[OplogEntry]:
        """What stands before an entry: by log matching it is the same in all logs."""
        log, place = [first], (first.op_id, first.term)
        while place[0] > 1 and place in self._entries:
            place = place[0] - 1, self._entries[place][0]
            log.append(self._entries[place][1])
        _hold(place[0] == 1, "{} copied entry {} of term {}, which nobody had", member, first.op_id, first.term)
        return log[:0:-1]

    # --- elections ----------------------------------------------------------------------------------------------------

    def sent(self, member: str, message: object) -> None:
        """A member sends a message to another."""
        if isinstance(message, Question) and not message.dry_run:
            self._voted(member, message.term, member)
        elif isinstance(message, Beat):
            self._spoke(member, message.term)

    def answered(self, member: str, asked: object, answer: object) -> None:
        """A member answers another."""
        if isinstance(answer, Reply) and isinstance(asked, Question) and not asked.dry_run:
            self._spoke(member, answer.term)
            if answer.granted:
                self._voted(member, asked.term, asked.candidate)

    def _spoke(self, member: str, term: int) -> None:
        _hold(term >= self._told[member], "{} speaks of term {} after {}", member, term, self._told[member])
        self._told[member] = term

    def _voted(self, member: str, term: int, candidate: str) -> None:
        _hold(member not in self._empty, "{} votes in term {} and has lost what it had", member, term)
        given = self._votes.setdefault((member, term), candidate)
        _hold(given == candidate, "{} votes for {} after {} in term {}", member, candidate, given, term)
        kept = self._ballots[member]
        on_disk = kept.term > term or kept == Ballot(term, candidate)
        _hold(on_disk, "{} votes for {} in term {} while its disk has {}", member, candidate, term, kept)

    def role_changed(self, member: ReplicaSet) -> None:
        """A member leads, follows, or does neither now."""
        if member.role is not Role.PRIMARY:
            return
        leader = self._leaders.setdefault(member.term, member.me)
        _hold(leader == member.me, "{} and {} lead term {}", leader, member.me, member.term)
        log = self.logs[member.me]
        for entry, committed_in in zip(self.committed, self._committed_in, strict=True):
            if committed_in >= member.term:  # a candidate may hear late of the votes of a term that is over
                break
            has = log[entry.op_id - 1 : entry.op_id] == [entry]
            _hold(has, "{} leads term {} without the committed entry {}", member.me, member.term, entry.op_id)

    # --- commits ------------------------------------------------------------------------------------------------------

    def committed_to(self, member: str, op_id: int, progress: Progress | None) -> None:
        """A member believes that everything up to an op id is committed.

        Args:
            member: Who.
            op_id: The last one.
            progress: What it knows of the others, where it leads.
        """
        log, before = self.logs[member], self._commits[member]
        if op_id <= before:
            return
        _hold(op_id <= len(log), "{} commits entry {}, and its log ends at {}", member, op_id, len(log))
        self._commits[member] = op_id
        for entry in log[before : min(op_id, len(self.committed))]:
            same = self.committed[entry.op_id - 1] == entry
            _hold(same, "{} commits another entry {} than others did", member, entry.op_id)
        if op_id > len(self.committed):
            self._commit(member, log[op_id - 1], progress)
            self._committed_in += [log[op_id - 1].term] * (op_id - len(self.committed))
            self.committed += log[len(self.committed) : op_id]

    def _commit(self, member: str, entry: OplogEntry, progress: Progress | None) -> None:
        known = (*self.logs.items(), *self.copying.items())
        have = {each for each, log in known if log[entry.op_id - 1 : entry.op_id] == [entry]}
        if progress:
            self.voters = progress.configuration.voters
        voters = self.voters  # counted here, not by the code under test
        enough = 2 * len(voters & have) > len(voters)
        _hold(enough, "{} commits entry {}, which only {} have on disk", member, entry.op_id, sorted(have))
        if progress:
            told = "{} commits entry {} of term {} by itself in term {}"
            _hold(entry.term == progress.term, told, member, entry.op_id, entry.term, progress.term)

    def acknowledged(self, member: str, op_id: int) -> None:
        """A member tells a client that a majority has its write."""
        log = self.logs[member]
        same = op_id <= min(len(log), len(self.committed)) and self.committed[op_id - 1] == log[op_id - 1]
        _hold(same, "{} acknowledges entry {}, which is not committed", member, op_id)


def _hold(holds: bool, what: str, *details: object) -> None:
    """Raises with the text, formatted with the details only then."""
    if not holds:
        raise ViolationError(what.format(*details))
