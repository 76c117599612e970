"""Bugs that replication must not have, each planted by a patch at a named place, to show that the rules catch it.

`python -m tests.sim.planted --out raw.json` records the first seed that catches each.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import click
import msgspec

from laura_fast.domain.replication import voting
from laura_fast.domain.replication.candidacy import Candidacy
from laura_fast.domain.replication.events import Ballot, Role
from laura_fast.domain.replication.members import Configuration, Position
from laura_fast.domain.replication.progress import Progress, WriteConcern
from laura_fast.node.replication import steps
from laura_fast.node.replication.answering import Answering
from laura_fast.node.replication.concerns import Shared
from laura_fast.node.replication.document_log import DocumentLog
from laura_fast.node.replication.driver import ReplicaSet
from laura_fast.node.replication.following import Following
from laura_fast.node.replication.leading import Leading
from laura_fast.node.replication.office import Office
from laura_fast.node.replication.steps import Steps
from laura_fast.report.raw.record import Record
from laura_fast.testing.sim.disks import SimulatedDisk
from laura_fast.testing.sim.listed import Listed
from laura_fast.testing.sim.simulation import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from laura_fast.testing.sim.simulation import Outcome

MAX_SEEDS: Final = 1000


@dataclass(frozen=True)
class Bug:
    """One of them.

    Attributes:
        name: What is wrong.
        place: The class or module that is patched.
        attribute: What of it.
        make: Makes the wrong one of the right one.
        rare: It takes many seeds: too many for every run of the tests.
        engine: What members keep their logs in.
    """

    name: str
    place: Any
    attribute: str
    make: Callable[[Any], Any]
    rare: bool = False
    engine: str = "lists"

    @contextmanager
    def planted(self) -> Iterator[None]:
        """It is there within this."""
        with patch.object(self.place, self.attribute, self.make(self.place.__dict__[self.attribute])):
            yield

    def catch(self, first: int = 0, limit: int = MAX_SEEDS) -> Outcome | None:
        """The first run that breaks a rule."""
        with self.planted():
            seen = (run(seed, self.engine) for seed in range(first, first + limit))
            return next((each for each in seen if each.violation), None)


# --- votes ------------------------------------------------------------------------------------------------------------


def _not_synced(keep: Any) -> Any:
    async def keep_ballot(self: DocumentLog, ballot: Ballot) -> None:
        task = asyncio.get_running_loop().create_task(keep(self, ballot))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    return keep_ballot


def _term_only(keep: Any) -> Any:
    async def keep_ballot(self: DocumentLog, ballot: Ballot) -> None:
        await keep(self, Ballot(ballot.term))

    return keep_ballot


def _acts_first(_take: Any) -> Any:
    async def take(self: Any, event: Any) -> Any:
        async with self._turn:
            step = self._machine.step(event)
            self._act(step)
            self._woken.set()
            if step.ballot:
                await self._log.keep_ballot(step.ballot)
        return step

    return take


def _any_log(behind: Any) -> Any:
    return lambda voter, asked: behind(replace(voter, last=Position(0, 0)), asked)


def _any_number_of_votes(refusal: Any) -> Any:
    def refuse(voter: voting.Voter, asked: Any) -> str:
        wrong: str = refusal(replace(voter, ballot=Ballot(voter.ballot.term)), asked)
        return wrong

    return refuse


def _wins_at_once(count: Any) -> Any:
    def count_all(self: Any, now: float) -> None:
        self._yes = set(self._state.configuration.voters)
        count(self, now)

    return count_all


def _any_answer(told: Any) -> Any:
    def vote_told(self: Any, event: Any) -> None:
        told(self, replace(event, asked_term=self._asked_term, dry_run=self._state.role is Role.ASKING))

    return vote_told


# --- members that come empty ------------------------------------------------------------------------------------------


def _empty_or_not(refusal: Any) -> Any:
    return lambda voter, asked: refusal(replace(voter, may_vote=True), asked)


def _half_a_copy(beat: Any) -> Any:
    async def counts(self: ReplicaSet, given: Any) -> Any:
        report = await beat(self, given)
        return replace(report, applied=self._log.last, durable=self._log.last)

    return counts


# --- the log and its commit point -------------------------------------------------------------------------------------


def _of_any_term(_ours: Any) -> Any:
    return lambda _self, position: position.op_id


def _without_first(_advance: Any) -> Any:
    def advance(self: Progress) -> bool:
        durable = sorted((self.reported[each].durable.op_id for each in self.reported), reverse=True)
        majority = self.configuration.majority
        reached = durable[majority - 1] if len(durable) >= majority else 0
        higher, self.commit = reached > self.commit, max(reached, self.commit)
        return higher

    return advance


def _no_no_op(_lead: Any) -> Any:
    async def lead(self: Any, term: int) -> Position:
        def job(session: Any) -> None:
            session.changes.term = term
            self._office = term

        await self._store.write(job, guarded=False)
        self._store.term = term
        return self.last  # type: ignore[no-any-return]

    return lead


def _too_far(_forward: Any) -> Any:
    async def go_forward(_self: Any, _primary: Any, shared: Position) -> Position:
        return shared

    return go_forward


def _leaves_registers(_undo: Any) -> Any:
    return lambda _self, _entry, _image: None


def _backwards(commit: Any) -> Any:
    def apply(self: Listed, writer: Any) -> None:
        commit(self, writer)
        for entry in reversed(writer.added):
            if entry.namespace:
                self.registers[entry.namespace] = entry.document

    return apply


def _told_before_synced(begin: Any) -> Any:
    def begin_group(self: Any) -> None:
        begin(self)
        for job in self._group:
            if job.committed and job.error is None:
                job.committed(job.value)
            job.committed = None
        self._settle(self._group)

    return begin_group


# --- clients ----------------------------------------------------------------------------------------------------------


def _without_waiting(_wait: Any) -> Any:
    async def wait(_self: Leading, _op_id: int, _concern: Any) -> None:
        """Says yes."""

    return wait


def _without_asking(_confirm: Any) -> Any:
    async def confirm(self: ReplicaSet) -> None:
        leading = self.lead()
        await leading.wait(leading.progress.first, WriteConcern())

    return confirm


def _the_newest(moment: Any) -> Any:
    async def newest(self: Shared, concern: Any, after: int) -> None:
        await moment(self, concern, after)

    return newest


def _nothing(_right: Any) -> Any:
    return lambda *_given: None


def _without_shield(right: Any) -> Any:
    return SimpleNamespace(**{**vars(right), "shield": lambda task: task})


BUGS: Final = (
    Bug("a vote is told before it is on disk", DocumentLog, "keep_ballot", _not_synced),
    Bug("the term is kept, the vote is not", DocumentLog, "keep_ballot", _term_only),
    Bug("the ballot is forgotten at a restart", DocumentLog, "ballot", lambda _right: lambda _self: Ballot()),
    Bug("messages leave before the ballot is kept", Steps, "take", _acts_first),
    Bug("log freshness is ignored in votes", voting, "_behind", _any_log),
    Bug("a vote may be given twice", voting, "refusal", _any_number_of_votes),
    Bug("a candidate wins without its votes", Candidacy, "_count", _wins_at_once),
    Bug("answers to an older question count as votes", Candidacy, "vote_told", _any_answer),
    Bug("a member with an empty directory votes", voting, "refusal", _empty_or_not, engine="documents"),
    Bug("half a copy counts for writes", Answering, "beat", _half_a_copy, rare=True, engine="documents"),
    Bug("half is a majority", Configuration, "majority", lambda _right: property(lambda self: len(self.voters) // 2)),
    Bug("acknowledgements of another term count", Progress, "_ours", _of_any_term),
    Bug("an entry of an older term is committed directly", Progress, "_advance", _without_first),
    Bug("a new primary writes no no-op", DocumentLog, "lead", _no_no_op),
    Bug("the primary does not compare logs", Leading, "_check_shared", _nothing),
    Bug("a rollback goes further than it must", Following, "_go_forward", _too_far),
    Bug("a rollback leaves the documents as they are", Listed, "_undo", _leaves_registers),
    Bug("a batch is applied backwards", Listed, "commit", _backwards),
    Bug("entries are acknowledged before they are synced", SimulatedDisk, "_begin", _told_before_synced),
    Bug("a write is acknowledged before a majority has it", Leading, "wait", _without_waiting),
    Bug("a deposed primary answers reads", ReplicaSet, "confirm", _without_asking, rare=True),
    Bug("a linearizable read sees what is not committed", Shared, "moment", _the_newest, rare=True),
    Bug("an office lasts until the vote for another is on disk", Office, "withdraw", _nothing),
    Bug("a step ends with the call that took it", steps, "asyncio", _without_shield),
    Bug("the log of a deposed primary is not fenced", DocumentLog, "fence", _nothing),
)


@click.command(help=__doc__)
@click.option("--limit", default=MAX_SEEDS, show_default=True, help="Seeds for each bug, at most.")
@click.option("--only", default="", help="Bugs with this in their name.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where the record goes.")
def main(limit: int, only: str, out: Path | None) -> None:
    """Plants each and says which seed caught it."""
    started, rows = time.monotonic(), []
    for bug in BUGS:
        if only in bug.name:
            caught = bug.catch(limit=limit)
            row = [bug.name, str(caught.seed + 1), caught.violation] if caught else [bug.name, "none", ""]
            rows.append(row)
            click.echo(" · ".join(row))
    if out:
        out.write_bytes(msgspec.json.encode(_record(rows, limit, time.monotonic() - started)))
    raise SystemExit(any(row[1] == "none" for row in rows))


def _record(rows: list[list[str]], limit: int, seconds: float) -> Record:
    described = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    return Record(
        title="Bugs planted in replication",
        command=f"python -m tests.sim.planted --limit {limit} --out raw.json",
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=subprocess.run(described, capture_output=True, text=True, check=True).stdout.strip(),
        seconds=round(seconds, 1),
        columns=["planted", "seeds until caught", "what was found"],
        rows=rows,
        seed=0,
        caveats=[
            """Each bug is planted alone, by a patch; the seeds are 0, 1, 2 … over lists, or over the storage engine
where members come empty."""
        ],
    )


if __name__ == "__main__":
    main()
