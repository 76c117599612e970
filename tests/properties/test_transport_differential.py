"""The same random calls give the same results on both transports, through either channel.

Compared are answers, statuses and metadata of the client; requests, metadata and cancellations of the handler; codes of
the observer. What is known to differ is listed by name in `DIFFERENCES` and is not among the random calls.
"""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import grpc
import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.transport.native.channel import insecure_channel
from laura_fast.transport.settings import RpcObserver, TransportSettings
from tests.conftest import TRANSPORTS
from tests.contract.transport_kit import FACTORIES, until
from tests.properties.scripted import Cut, Ending, Kind, Outcome, Reads, Script, ScriptedService, Seen, digest, perform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_BYTES: Final = 200 * 1024
RACY: Final = frozenset({Cut.AT_ONCE, Cut.PAST, Cut.DEADLINE})
"""Whether the handler hears of such a call at all is a matter of time, so only the client's side is compared."""


class Codes(RpcObserver):
    """An RpcObserver that keeps codes."""

    def __init__(self) -> None:
        self.started = 0
        self.codes: list[int] = []

    def rpc_started(self, method: str) -> None:
        self.started += 1

    def rpc_handled(self, method: str, code: int, seconds: float, peer: str) -> None:
        self.codes.append(code)


NOTHING: Final = Outcome(grpc.StatusCode.UNKNOWN, None, (), (), ())


@dataclass
class Side:
    """One transport with a client of its own."""

    service: ScriptedService
    observer: Codes
    channel: grpc.aio.Channel


@dataclass
class Both:
    """Both transports on one loop, called through grpcio's channel, and through ours."""

    runner: asyncio.Runner
    sides: dict[str, Side]
    through_ours: dict[str, Side]
    identities: Iterator[int]


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = AsyncExitStack()
        sides = {name: runner.run(_start(name, stack, grpc.aio.insecure_channel)) for name in TRANSPORTS}
        ours = {name: runner.run(_start(name, stack, insecure_channel)) for name in TRANSPORTS}
        yield Both(runner, sides, ours, itertools.count())
        runner.run(stack.aclose())


async def _start(name: str, stack: AsyncExitStack, connect: Callable[[str], grpc.aio.Channel]) -> Side:
    service, observer = ScriptedService(), Codes()
    server = FACTORIES[name](TransportSettings(), observer)
    server.add_generic_rpc_handlers([service.handler(), _differing()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stack.push_async_callback(server.stop, None)
    channel = connect(f"127.0.0.1:{port}")
    stack.push_async_callback(channel.close)
    return Side(service, observer, channel)


# --- random calls -----------------------------------------------------------------------------------------------------

SHORT_MESSAGES = st.binary(max_size=40)
"""They fit into any window, so that they leave even if nobody reads them."""

MESSAGES = st.one_of(
    SHORT_MESSAGES,
    st.builds(lambda size, octet: bytes([octet]) * size, st.integers(0, MAX_BYTES), st.integers(0, 255)),
    st.builds(lambda seed, times: seed * times, st.binary(min_size=1, max_size=64), st.integers(0, MAX_BYTES // 64)),
)
TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40).map(str.strip)
KEYS = st.from_regex(r"x[0-9a-z_.-]{0,12}", fullmatch=True).filter(lambda key: not key.endswith("-bin"))
PAIRS = st.lists(
    st.one_of(st.tuples(KEYS, TEXT), st.tuples(KEYS.map(lambda key: key + "-bin"), st.binary(max_size=40))), max_size=5
).map(tuple)
DETAILS = st.one_of(
    st.sampled_from(["100 %", "%41%zz", "a%0Ab", "\t\r\n ", "☺ 😈", "\x00\x7f", "%", ""]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
)
PACKING = st.sampled_from([None, None, grpc.Compression.Gzip, grpc.Compression.Deflate])


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    kind = draw(st.sampled_from(Kind))
    reads = draw(st.sampled_from(Reads))
    answers = draw(st.lists(MESSAGES, max_size=4).map(tuple))
    cuts = [Cut.NOWHERE] * 5 + [Cut.AT_ONCE, Cut.RUNNING]
    cuts += [Cut.ANSWERED] * (kind.downloads and bool(answers))
    cuts += [Cut.DEADLINE, Cut.PAST] * (not kind.uploads)  # whose status could overtake a request: see `scripted`
    unread = kind.uploads and reads is Reads.NEVER
    return Script(
        kind=kind,
        by_context=draw(st.booleans()),
        requests=draw(st.lists(SHORT_MESSAGES if unread else MESSAGES, max_size=4).map(tuple)),
        answers=answers,
        reads=reads,
        cut=draw(st.sampled_from(cuts)),
        ending=draw(st.sampled_from([Ending.RETURN] * 3 + list(Ending))),
        code=draw(st.sampled_from([code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])),
        details=draw(DETAILS),
        metadata=draw(PAIRS),
        initial=draw(st.none() | PAIRS),
        trailing=draw(PAIRS),
        request_packing=draw(PACKING),
        answer_packing=draw(PACKING),
    )


@settings(max_examples=60, deadline=None)
@given(calls=st.lists(scripts(), min_size=2, max_size=6), together=st.booleans())
def test_both_transports_give_the_same_results(both: Both, calls: list[Script], together: bool) -> None:
    named = {f"call-{next(both.identities)}": script for script in calls}
    results = {name: both.runner.run(_play(side, named, together=together)) for name, side in both.sides.items()}
    assert results["native"] == results["grpcio"]
    for script, (outcome, _) in zip(calls, results["native"].calls, strict=True):
        if script.cut is Cut.NOWHERE and script.ending is Ending.RETURN:
            assert outcome.code is grpc.StatusCode.OK
            assert outcome.answers == tuple(map(digest, script.returned))


@settings(max_examples=60, deadline=None)
@given(calls=st.lists(scripts(), min_size=2, max_size=6), together=st.booleans())
def test_both_channels_give_the_same_results(both: Both, calls: list[Script], together: bool) -> None:
    named = {f"call-{next(both.identities)}": script for script in calls}
    expected = both.runner.run(_play(both.sides["grpcio"], named, together=together))
    for side in both.through_ours.values():
        results = both.runner.run(_play(side, named, together=together))
        assert results.codes == expected.codes
        for script, ours, theirs in zip(calls, results.calls, expected.calls, strict=True):
            assert _comparable(script, *ours) == _comparable(script, *theirs)


def _comparable(script: Script, outcome: Outcome, heard: Seen | None) -> tuple[Outcome, Seen | None]:
    """Without what may differ: C-core reorders different keys, and its channel forgets what it got when cancelled."""
    if heard is not None:
        heard = replace(heard, metadata=sorted(heard.metadata, key=itemgetter(0)))
    return (outcome if script.cut is Cut.NOWHERE else replace(outcome, initial=())), heard


@dataclass
class Results:
    """All that is compared. Calls have no handler's side, and the observer no codes, where time decides."""

    calls: list[tuple[Outcome, Seen | None]]
    codes: list[int]


async def _play(side: Side, named: dict[str, Script], *, together: bool) -> Results:
    side.service.scripts = named
    side.service.seen = seen = {identity: Seen() for identity in named}
    side.observer.started, side.observer.codes = 0, []
    runs = [perform(side.channel, script, identity, seen[identity]) for identity, script in named.items()]
    outcomes = await asyncio.gather(*runs) if together else [await run for run in runs]
    await until(lambda: len(side.observer.codes) == side.observer.started)
    for heard in seen.values():
        heard.metadata = [pair for pair in heard.metadata if pair[0] != "user-agent"]
    timeless = [script.cut not in RACY for script in named.values()]
    pairs: list[tuple[Outcome, Seen | None]] = [
        (outcome, heard) if fixed else (replace(NOTHING, code=outcome.code), None)
        for outcome, heard, fixed in zip(outcomes, seen.values(), timeless, strict=True)
    ]
    return Results(pairs, sorted(side.observer.codes) if all(timeless) else [])


# --- known differences ------------------------------------------------------------------------------------------------


async def abort_with_ok(request: bytes, context: Any) -> None:
    await context.abort(grpc.StatusCode.OK, "")


async def text_in_binary_metadata(request: bytes, context: Any) -> bytes:
    context.set_trailing_metadata((("k-bin", "text"),))
    return request


async def blanks_around_metadata(request: bytes, context: Any) -> bytes:
    context.set_trailing_metadata((("k", " v "),))
    return request


async def reserved_metadata(request: bytes, context: Any) -> bytes:
    context.set_trailing_metadata((("grpc-status", "3"),))
    return request


async def no_metadata(request: bytes, context: Any) -> bytes:
    context.set_trailing_metadata(None)
    return request


async def cancel_oneself(request: bytes, context: Any) -> None:
    raise asyncio.CancelledError


async def misuse(request: bytes, context: Any) -> None:
    await context.send_initial_metadata(())
    await context.send_initial_metadata(())


async def set_code_then_raise(request: bytes, context: Any) -> None:
    context.set_code(grpc.StatusCode.NOT_FOUND)
    raise ValueError("a bug")


def raise_in_a_thread(request: bytes, context: Any) -> None:
    raise ValueError("a bug")


NO_ANSWER, OK, INTERNAL = grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.OK, grpc.StatusCode.INTERNAL
DIFFERENCES: Final = [
    (abort_with_ok, NO_ANSWER, grpc.StatusCode.UNKNOWN, "grpcio's abort raises and leaves the call open"),
    (text_in_binary_metadata, NO_ANSWER, INTERNAL, "grpcio fails while it sends, too late for a status"),
    (blanks_around_metadata, OK, INTERNAL, "RFC 9113 section 8.2.1 forbids them; C-core sends them"),
    (
        reserved_metadata,
        OK,
        INTERNAL,
        "C-core drops what the transport itself writes; natively the handler hears of it",
    ),
    (no_metadata, INTERNAL, OK, "None for no metadata is taken everywhere natively"),
    (cancel_oneself, NO_ANSWER, grpc.StatusCode.CANCELLED, "grpcio's client waits for its deadline"),
    (misuse, grpc.StatusCode.UNKNOWN, INTERNAL, "grpcio's own exceptions pass our wrapper, and show their text"),
    (set_code_then_raise, INTERNAL, grpc.StatusCode.NOT_FOUND, "generated servicers do so to say UNIMPLEMENTED"),
    (raise_in_a_thread, grpc.StatusCode.UNKNOWN, INTERNAL, "on grpcio synchronous handlers run as they are"),
]
"""Handlers that the transports answer differently: code of grpcio, code of native, and why. All are handlers' bugs."""


@pytest.mark.parametrize(
    ("handler", "on_grpcio", "on_native", "_why"), DIFFERENCES, ids=[row[0].__name__ for row in DIFFERENCES]
)
def test_known_differences(
    both: Both, handler: Any, on_grpcio: grpc.StatusCode, on_native: grpc.StatusCode, _why: str
) -> None:
    """Fails when a difference is gone, too, so that the list stays true."""
    path = f"/t.D/{handler.__name__}"
    codes = {name: both.runner.run(_code(side.channel, path)) for name, side in both.sides.items()}
    assert codes == {"grpcio": on_grpcio, "native": on_native}


async def _code(channel: Any, path: str) -> grpc.StatusCode:
    code: grpc.StatusCode = await channel.unary_unary(path)(b"", timeout=0.5).code()
    return code


def _differing() -> grpc.GenericRpcHandler:
    make = grpc.unary_unary_rpc_method_handler
    return grpc.method_handlers_generic_handler("t.D", {row[0].__name__: make(row[0]) for row in DIFFERENCES})
