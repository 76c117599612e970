"""Which server is asked, and when again."""

from __future__ import annotations

from typing import Any, cast

import grpc
import pytest

from laura_fast.client.link import Link
from laura_fast.client.links import Links
from laura_fast.client.retry import Caller, RetryPolicy, RetryScheduled
from laura_fast.errors import Code, OverloadedError, RemoteError, RpcError, UnavailableError, UnreachableError
from laura_fast.errors import FailedPreconditionError as Precondition
from laura_fast.limits.client import MAX_LEARNT_SERVERS
from laura_fast.services.status import to_status
from tests.unit.client.virtual_time import VirtualTime


class Servers:
    """Stands for several channels: each name maps to what it answers, and `asked` holds who was asked in order."""

    def __init__(self, **answers: RpcError | str) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.timeouts: list[float] = []

    def links(self) -> Links:
        return Links([name for name in self.answers if name.islower()], link)

    async def call(self, channel: Any, seconds: float) -> str:
        self.asked.append(channel)
        self.timeouts.append(seconds)
        answer = self.answers[channel]
        if isinstance(answer, RpcError):
            raise _as_call_error(answer)
        return answer


def link(name: str) -> Link:
    return Link(name, None, lambda address, _: cast("grpc.aio.Channel", address))


def _as_call_error(error: RpcError) -> grpc.aio.AioRpcError:
    status = to_status(error)
    code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", status.SerializeToString()))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, details=status.message)


DOWN = UnavailableError("connection refused", "TEST")


def caller(servers: Servers, time: VirtualTime, **policy: Any) -> Caller:
    return Caller(servers.links(), RetryPolicy(**policy), time.timing)


async def test_the_server_that_answered_is_asked_first_next_time(time: VirtualTime) -> None:
    servers = Servers(a=DOWN, b="hello", c="unused")
    calls = caller(servers, time)
    assert [await calls.once(servers.call), await calls.once(servers.call)] == ["hello", "hello"]
    assert servers.asked == ["a", "b", "b"]
    assert calls.link.address == "b"


async def test_a_pass_names_what_every_server_said(time: VirtualTime) -> None:
    servers = Servers(a=DOWN, b=OverloadedError("full", "OVERLOADED", retry_after_ms=1500))
    with pytest.raises(
        UnreachableError, match="a: UNAVAILABLE: connection refused; b: RESOURCE_EXHAUSTED: full"
    ) as raised:
        await caller(servers, time).once(servers.call)
    last = raised.value.failures[1]
    assert (last.reason, last.retry_after_s) == ("OVERLOADED", 1.5)
    assert time.sleeps == []


async def test_an_error_that_others_would_repeat_is_raised_at_once(time: VirtualTime) -> None:
    servers = Servers(a=Precondition("no", "SOMETHING"), b="hello")
    with pytest.raises(RemoteError, match="a: FAILED_PRECONDITION: no") as raised:
        await caller(servers, time).until(servers.call, 10)
    assert (raised.value.code, servers.asked) == (Code.FAILED_PRECONDITION, ["a"])


def not_primary(address: str) -> Precondition:
    return Precondition("not primary", "NOT_PRIMARY", metadata={"primary_address": address})


async def test_the_primary_that_a_server_names_is_asked_next_and_first_from_then_on(time: VirtualTime) -> None:
    servers = Servers(a=not_primary("c"), b="a secondary", c="hello")
    calls = caller(servers, time)
    assert [await calls.once(servers.call), await calls.once(servers.call)] == ["hello", "hello"]
    assert servers.asked == ["a", "c", "c"]


async def test_a_primary_that_is_no_seed_is_asked_too(time: VirtualTime) -> None:
    servers = Servers(a=not_primary("LEARNT"), LEARNT="hello")
    assert await caller(servers, time).once(servers.call) == "hello"


async def test_servers_that_name_each_other_are_asked_once_each(time: VirtualTime) -> None:
    servers = Servers(a=not_primary("b"), b=not_primary("a"))
    with pytest.raises(UnreachableError):
        await caller(servers, time).once(servers.call)
    assert servers.asked == ["a", "b"]


def test_no_more_than_so_many_servers_are_learnt() -> None:
    links = Links(["a"], link)
    assert all(links.at(f"s{number}") for number in range(MAX_LEARNT_SERVERS))
    assert links.at("one more") is None
    assert len(links) == MAX_LEARNT_SERVERS + 1


async def test_suitable_servers_are_asked_in_their_order_and_writes_go_where_they_went(time: VirtualTime) -> None:
    servers = Servers(a="primary", b=Precondition("behind", "NO_SUITABLE_MEMBER"), c="hello")
    calls = caller(servers, time)
    assert await calls.once(servers.call, suitable=["b", "c"]) == "hello"
    assert (servers.asked, calls.link.address) == (["b", "c"], "a")


async def test_a_server_that_is_not_the_primary_is_passed_over(time: VirtualTime) -> None:
    servers = Servers(a=Precondition("not primary", "NOT_PRIMARY"), b="hello")
    assert await caller(servers, time).until(servers.call, 10) == "hello"


async def test_the_wait_doubles_up_to_the_cap_and_is_jittered() -> None:
    """random(0..1) x min(cap, base x 2^attempt)."""
    time = VirtualTime(dice=[1.0, 1.0, 1.0, 0.25, 1.0])
    servers = Servers(a=DOWN)
    with pytest.raises(UnreachableError):
        await caller(servers, time, base_s=0.1, cap_s=0.5, max_passes=6).until(servers.call, None)
    assert time.sleeps == pytest.approx([0.1, 0.2, 0.4, 0.125, 0.5])


async def test_the_deadline_bounds_waits_and_attempts(time: VirtualTime) -> None:
    servers = Servers(a=DOWN)
    began = time.now
    with pytest.raises(UnreachableError):
        await caller(servers, time, attempt_timeout_s=5).until(servers.call, 6)
    assert time.now - began < 6
    assert servers.timeouts[0] == 5
    assert all(seconds <= 6 for seconds in servers.timeouts)
    assert servers.timeouts[-1] == pytest.approx(began + 6 - time.now)


async def test_without_a_deadline_it_goes_on_until_the_server_is_there(time: VirtualTime) -> None:
    servers = Servers(a=DOWN)
    heard: list[RetryScheduled] = []

    def listen(scheduled: RetryScheduled) -> None:
        heard.append(scheduled)
        if scheduled.attempt == 100:
            servers.answers["a"] = "hello"

    calls = Caller(servers.links(), RetryPolicy(), time.timing, listen)
    assert await calls.until(servers.call, None) == "hello"
    assert len(servers.asked) == 101
    assert max(time.sleeps) == 5  # half of the cap


async def test_an_overloaded_server_is_asked_at_most_two_more_times(time: VirtualTime) -> None:
    servers = Servers(a=OverloadedError("full", "OVERLOADED", retry_after_ms=3000))
    with pytest.raises(UnreachableError):
        await caller(servers, time).until(servers.call, 60)
    assert len(servers.asked) == 3
    assert time.sleeps == [3.0, 3.0]  # its own RetryInfo, longer than the back-off


async def test_streams_go_on_to_the_next_server_at_once_and_wait_only_between_passes() -> None:
    time = VirtualTime(dice=[1.0, 1.0])
    servers = Servers(a=DOWN, b=DOWN)
    calls = caller(servers, time)
    error = RemoteError("a", Code.UNAVAILABLE, "gone")
    visited = []
    for failed in range(1, 5):
        visited.append(calls.link.address)
        await calls.pause_and_rotate(error, failed)
    assert visited == ["a", "b", "a", "b"]
    assert time.sleeps == pytest.approx([0, 0.1, 0, 0.2])
