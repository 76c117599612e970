"""Finds a server that answers, stays with it, and decides what is tried again and when: the client's one retry layer.

A *pass* asks the servers one after the other, beginning with the last that answered; whoever is not the primary may
name it, and it is asked next. Between passes the caller waits random(0..1) x min(10 s, 100 ms x 2^attempt), so that a
restarted server is not met by all its clients at one instant, and no shorter than a server's RetryInfo asks for. A
library's retry decorator can't rotate servers; hence the loop.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from laura_fast.errors import Code, RemoteError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.client.link import Link
    from laura_fast.client.links import Links
    from laura_fast.client.timing import Timing

Answer = TypeVar("Answer")
Call = Callable[[grpc.aio.Channel, float], Awaitable[Answer]]
"""One attempt: the channel to ask on, and the seconds it may take."""

TRY_ELSEWHERE: Final = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.RESOURCE_EXHAUSTED, Code.CANCELLED})
"""The server could not, which says nothing about the others. CANCELLED: it was stopped in the middle of the call."""
PRIMARY_ADDRESS: Final = "primary_address"
"""In the metadata of NOT_PRIMARY."""
TRIED_ELSEWHERE: Final = frozenset({"NOT_PRIMARY", "NO_SUITABLE_MEMBER"})
"""Reasons that are about one member of a replica set; another one may answer, or the same one later."""
THE_REQUEST_IS_TOO_MUCH: Final = frozenset({"MAX_EXAMINED", "MEMORY_BUDGET", "ANSWER_TOO_LARGE", "MESSAGE_TOO_LARGE"})
"""Reasons of RESOURCE_EXHAUSTED that every server would give: asking again would only do the work again."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long one attempt may take, and how passes are paced. Times are seconds.

    Attributes:
        attempt_timeout_s: Longest single attempt; too low fails over from a server that is merely busy.
        base_s: Scale of the first wait.
        cap_s: The longest wait; too high leaves clients away long after the server is back.
        max_passes: Passes before giving up, whatever time is left; None = only the deadline counts.
        max_overloads: Retries after RESOURCE_EXHAUSTED; more would feed the overload.
    """

    attempt_timeout_s: float = 5.0
    base_s: float = 0.1
    cap_s: float = 10.0
    max_passes: int | None = None
    max_overloads: int | None = 2

    def delay_s(self, attempt: int, dice: float) -> float:
        """The wait after failed pass number `attempt` (from 0); `dice` is uniform in [0, 1)."""
        doublings = min(attempt, 62)  # beyond, the power is infinite and the cap has long won
        return dice * min(self.cap_s, self.base_s * 2.0**doublings)


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """A pass failed and another follows.

    Attributes:
        error: What each server said.
        attempt: Number of the failed pass, from 1.
        delay_s: The wait until the next.
    """

    error: UnreachableError
    attempt: int
    delay_s: float


class Caller:
    """Runs calls against the first of several servers that answers."""

    def __init__(
        self,
        links: Links,
        policy: RetryPolicy,
        timing: Timing,
        on_retry: Callable[[RetryScheduled], None] = lambda _: None,
    ) -> None:
        self._links = links
        self._policy = policy
        self._timing = timing
        self._on_retry = on_retry

    @property
    def link(self) -> Link:
        """The server that answered last; the first one before any did."""
        return self._links.current

    async def once(
        self, call: Call[Answer], timeout_s: float | None = None, suitable: Sequence[str] | None = None
    ) -> Answer:
        """One pass over the servers, each given `timeout_s` (default: the policy's).

        Args:
            call: What to ask.
            timeout_s: Of each attempt.
            suitable: Addresses to ask instead, in this order; the server that writes go to stays the same.

        Raises:
            RemoteError: A server's refusal that another server would repeat.
            UnreachableError: None of them could answer.
        """
        seconds = self._policy.attempt_timeout_s if timeout_s is None else timeout_s
        waiting = deque(self._links.round() if suitable is None else filter(None, map(self._links.at, suitable)))
        failures: dict[Link, RemoteError] = {}
        while waiting:
            link = waiting.popleft()
            answer = await _attempt(link, call, seconds)
            if not isinstance(answer, RemoteError):
                if suitable is None:
                    self._links.current = link
                return answer
            if not is_tried_elsewhere(answer):
                raise answer
            failures[link] = answer
            await link.renew()
            primary = self._links.at(answer.metadata.get(PRIMARY_ADDRESS, link.address))
            if primary and primary not in failures:
                if primary in waiting:
                    waiting.remove(primary)
                waiting.appendleft(primary)
        if suitable is None:
            self._links.rotate()
        raise UnreachableError([*failures.values()])

    async def until(
        self,
        call: Call[Answer],
        timeout_s: float | None,
        attempt_s: float | None = None,
        suitable: Callable[[], Awaitable[Sequence[str]]] | None = None,
    ) -> Answer:
        """Passes until one succeeds or `timeout_s` (None = never) is over. Raises as `once` does.

        Args:
            call: What to ask.
            timeout_s: Of all passes.
            attempt_s: Of one attempt; None = what the policy says.
            suitable: Asked before each pass for the addresses of that pass; see `once`.
        """
        longest = self._policy.attempt_timeout_s if attempt_s is None else attempt_s
        deadline = math.inf if timeout_s is None else self._timing.monotonic() + timeout_s
        attempt = overloads = 0
        while True:
            remaining = deadline - self._timing.monotonic()
            try:
                addresses = await suitable() if suitable else None
                return await self.once(call, min(remaining, longest), addresses)
            except UnreachableError as error:
                delay = max(self._policy.delay_s(attempt, self._timing.random()), _asked_delay(error))
                attempt += 1
                overloads += _is_overload(error)
                if self._exhausted(attempt, overloads) or self._timing.monotonic() + delay >= deadline:
                    raise
                self._on_retry(RetryScheduled(error, attempt, delay))
                await self._timing.sleep(delay)

    async def pause_and_rotate(self, error: RemoteError, failed: int) -> None:
        """For streams: after the `failed`-th failure in a row, waits its turn and goes on to the next server."""
        passes, position = divmod(failed - 1, len(self._links))
        at_once = position + 1 < len(self._links)  # the pass is not over: another server may answer now
        delay = 0.0 if at_once else self._policy.delay_s(passes, self._timing.random())
        delay = max(delay, error.retry_after_s or 0.0)
        self._on_retry(RetryScheduled(UnreachableError([error]), failed, delay))
        await self.link.renew()
        self._links.rotate()
        await self._timing.sleep(delay)

    def _exhausted(self, passes: int, overloads: int) -> bool:
        policy = self._policy
        return (policy.max_passes is not None and passes >= policy.max_passes) or (
            policy.max_overloads is not None and overloads > policy.max_overloads
        )


async def _attempt(link: Link, call: Call[Answer], timeout_s: float) -> Answer | RemoteError:
    # Answered, not raised: a kept exception keeps its frames, and through them a channel that goes on reconnecting.
    try:
        return await call(link.channel, timeout_s)
    except grpc.aio.AioRpcError as error:
        return to_remote_error(link.address, error)


def to_remote_error(address: str, error: grpc.aio.AioRpcError) -> RemoteError:
    """The status of a failed call with its `google.rpc` details, where the server sent any."""
    reason, retry_after_s, metadata = "", None, dict[str, str]()
    for detail in _details(error):
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(retry):
            retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()
    return RemoteError(
        address, Code(error.code().value[0]), error.details() or "", reason, retry_after_s, metadata=metadata
    )


def _details(error: grpc.aio.AioRpcError) -> Sequence[Any]:
    try:
        status = rpc_status.from_call(error)
    except ValueError:  # details that contradict the status: the status is what gRPC acts on
        return ()
    return status.details if status else ()


def is_tried_elsewhere(error: RemoteError) -> bool:
    """Whether another server, or the same one later, may do what this one could not."""
    if error.reason in THE_REQUEST_IS_TOO_MUCH:
        return False
    return error.code in TRY_ELSEWHERE or error.reason in TRIED_ELSEWHERE


def _is_overload(error: UnreachableError) -> bool:
    return any(failure.code is Code.RESOURCE_EXHAUSTED for failure in error.failures)


def _asked_delay(error: UnreachableError) -> float:
    """The shortest RetryInfo: that server is ready first."""
    return min((failure.retry_after_s or 0.0 for failure in error.failures), default=0.0)
