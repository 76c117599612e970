"""Replica sets as the pure machines see them: members with a log each, and a network that loses, repeats and delays.

Logs are lists of terms: an entry is its term, its id is its place. Members pull: a beat carries the primary's whole
log, as if the member had asked for exactly what it lacked. Everything is drawn from one seed.
"""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field
from typing import Any, Final

from laura_fast.domain.replication import events
from laura_fast.domain.replication.election import Election
from laura_fast.domain.replication.events import Ballot, Role, Step
from laura_fast.domain.replication.members import BEGINNING, Configuration, Position, ReplicaMember
from laura_fast.domain.replication.progress import Progress

TIMEOUT_S: Final = 1.0


def end(log: list[int]) -> Position:
    """The position of the last entry."""
    return Position(log[-1], len(log)) if log else BEGINNING


@dataclass
class Node:
    """A member: what is on its disk, and the machine that a crash takes away."""

    id: str
    ballot: Ballot = field(default_factory=Ballot)
    log: list[int] = field(default_factory=list)
    configuration: Configuration | None = None
    machine: Election | None = None
    progress: Progress | None = None


@dataclass
class Faults:
    """How bad the network is, as probabilities per message."""

    drop: float = 0.0
    repeat: float = 0.0
    slowest_s: float = 0.05


class ReplicaSet:
    """Runs the members and checks the invariants after every step.

    Attributes:
        committed: The longest log that was ever committed.
        primaries: By term.
    """

    def __init__(self, seed: int, members: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311  # reproducible on purpose
        ids = [f"n{number}" for number in range(members)]
        self.configuration = Configuration("rs0", 1, tuple(ReplicaMember(each, f"{each}:1") for each in ids))
        self.nodes = {each: Node(each) for each in ids}
        self.faults = Faults()
        self.cut: set[frozenset[str]] = set()
        self.now = 0.0
        self.committed: list[int] = []
        self.primaries: dict[int, str] = {}
        self.votes: dict[tuple[str, int], str] = {}
        self.steps = 0
        self._order = itertools.count()
        self._mail: list[tuple[float, int, str, Any]] = []
        for each in ids:
            self.start(each)

    # --- what a test does ---------------------------------------------------------------------------------------------

    def start(self, node_id: str) -> None:
        """The member begins from its disk."""
        node = self.nodes[node_id]
        node.machine = Election(
            node_id,
            node.configuration or self.configuration,
            node.ballot,
            end(node.log),
            timeout_s=TIMEOUT_S,
            jitter=self.dice.random,
            now=self.now,
        )

    def crash(self, node_id: str) -> None:
        """The member is gone; its disk stays."""
        self.nodes[node_id].machine = self.nodes[node_id].progress = None

    def run(self, seconds: float) -> None:
        """Lets time pass, from one thing that happens to the next."""
        until = self.now + seconds
        while True:
            timers = [(node.machine.wake_at, node.id) for node in self.nodes.values() if node.machine]
            timer = min(timers, default=(until, ""))
            arrival = self._mail[0][0] if self._mail else until
            if min(timer[0], arrival) >= until:
                self.now = until
                return
            if arrival <= timer[0]:
                _, _, receiver, event = heapq.heappop(self._mail)
                self.now = max(self.now, arrival)
                self._deliver(receiver, event)
            else:
                self.now = max(self.now, timer[0])
                self.step(timer[1], events.Ticked(self.now))

    def write(self) -> None:
        """A client's write to whoever believes to be primary."""
        for node in self.nodes.values():
            if node.machine and node.machine.role is Role.PRIMARY:
                self._append(node)

    @property
    def leading(self) -> list[str]:
        """Who believes to be primary now."""
        return [node.id for node in self.nodes.values() if node.machine and node.machine.role is Role.PRIMARY]

    # --- the driver ---------------------------------------------------------------------------------------------------

    def step(self, node_id: str, event: events.Event) -> Step:
        """One step of a member's machine, acted on in the order of the fields."""
        node = self.nodes[node_id]
        assert node.machine
        out = node.machine.step(event)
        self.steps += 1
        if out.ballot:
            self._check_ballot(node, out.ballot)
            node.ballot = out.ballot
        node.configuration = out.configuration or node.configuration
        if out.ask:
            self._ask(node, out.ask)
        if out.role:
            self._turn(node, out.role)
        if out.beat:
            self._beat(node)
        if out.hand_off:
            self._post(node_id, out.hand_off, events.RunAsked(0, node.machine.term))
        if out.ask_hand_off:
            self._post(node_id, out.ask_hand_off, events.StepDownAsked(0, 0, successor=node_id))
        return out

    def _ask(self, node: Node, ask: events.AskVote) -> None:
        assert node.machine
        configuration = node.machine.configuration
        name, version, config_term = configuration.name, configuration.version, configuration.term
        for other in sorted(configuration.voters - {node.id}):
            asked = (ask.term, ask.last, name, version, ask.dry_run, ask.hand_off, config_term)
            question = events.VoteAsked(0, node.id, *asked)
            self._post(node.id, other, question)

    def _turn(self, node: Node, role: Role) -> None:
        node.progress = None
        if role is Role.PRIMARY and node.machine:
            term = node.machine.term
            assert self.primaries.setdefault(term, node.id) == node.id, f"two primaries in term {term}"
            assert node.log[: len(self.committed)] == self.committed, "the new primary lacks committed entries"
            node.progress = Progress(self.configuration, term, first=len(node.log) + 1)
            self._append(node)

    def _append(self, node: Node) -> None:
        assert node.machine
        node.log.append(node.machine.term)
        self.step(node.id, events.LogGrew(end(node.log)))
        self._report(node, node.id, end(node.log))

    def _beat(self, node: Node) -> None:
        assert node.machine
        for other in sorted(self.nodes.keys() - {node.id}):
            beat = _Beat(node.id, node.machine.term, list(node.log), node.machine.configuration)
            self._post(node.id, other, beat)

    def _report(self, node: Node, member: str, durable: Position) -> None:
        if node.progress and node.progress.report(member, durable, durable):
            reached = node.log[: node.progress.commit]
            shared = min(len(reached), len(self.committed))
            assert reached[:shared] == self.committed[:shared], "a committed entry was replaced"
            self.committed = max(reached, self.committed, key=len)

    # --- the network --------------------------------------------------------------------------------------------------

    def _post(self, sender: str, receiver: str, event: Any) -> None:
        copies = 1 + (self.dice.random() < self.faults.repeat)
        for _ in range(copies):
            if self.dice.random() >= self.faults.drop and frozenset({sender, receiver}) not in self.cut:
                arrival = self.now + self.dice.uniform(0.001, self.faults.slowest_s)
                heapq.heappush(self._mail, (arrival, next(self._order), receiver, event))

    def _deliver(self, receiver: str, event: Any) -> None:
        node = self.nodes[receiver]
        if node.machine is None:
            return
        if isinstance(event, _Beat):
            self._take_beat(node, event)
        elif isinstance(event, events.VoteAsked):
            answer = self.step(receiver, _at(event, self.now)).answer
            assert answer
            if node.machine.configuration.stamp > (event.config_term, event.config_version):
                self._post(receiver, event.candidate, events.Reconfigured(0, node.machine.configuration))
            told = events.VoteTold(0, receiver, event.term, answer.term, answer.granted, event.dry_run)
            self._post(receiver, event.candidate, told)
        elif isinstance(event, events.StepDownAsked):
            self.step(receiver, events.StepDownAsked(self.now, self.now + TIMEOUT_S, successor=event.successor))
        else:
            self.step(receiver, _at(event, self.now))
            if isinstance(event, events.MemberHeard):
                self._report(node, event.member, event.durable)

    def _take_beat(self, node: Node, beat: _Beat) -> None:
        assert node.machine
        self.step(node.id, events.Reconfigured(self.now, beat.configuration))
        if beat.term >= node.machine.term:
            self.step(node.id, events.PrimaryHeard(self.now, beat.primary, beat.term, end(beat.log)))
            if end(beat.log) >= end(node.log):  # an old beat of the same term must not take entries away
                assert beat.log[: len(self.committed)] == self.committed[: len(beat.log)]
                node.log = list(beat.log)
                self.step(node.id, events.LogGrew(end(node.log)))
        answer = events.MemberHeard(0, node.id, node.machine.term, end(node.log))
        self._post(node.id, beat.primary, answer)

    # --- invariants ---------------------------------------------------------------------------------------------------

    def _check_ballot(self, node: Node, ballot: Ballot) -> None:
        assert ballot.term >= node.ballot.term, "a term went back"
        if ballot.vote:
            assert self.votes.setdefault((node.id, ballot.term), ballot.vote) == ballot.vote, "two votes in one term"


@dataclass(frozen=True)
class _Beat:
    primary: str
    term: int
    log: list[int]
    configuration: Configuration


def _at(event: Any, now: float) -> Any:
    """The event as of its arrival."""
    fields = {name: getattr(event, name) for name in event.__dataclass_fields__}
    return type(event)(**fields | {"now": now})
