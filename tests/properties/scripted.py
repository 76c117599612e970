"""Calls as data: what the client sends and when it stops, what the handler does, and what each of the two saw.

grpc.aio's client lets what arrives together race: a status drops initial metadata that came with it, and a status that
overtakes a request of a stream becomes "Internal error from Core". So both sides, in one process, wait for each other
where that could happen: `Seen.greeted` and `Seen.sent`.
"""

from __future__ import annotations

import asyncio
import zlib
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import grpc

from laura_fast.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

Pairs = tuple[tuple[str, str | bytes], ...]
IDENTITY = "script"
"""Metadata key that tells the handler which script to play."""

CALL_TIMEOUT_S = 20.0
SHORT_S = 0.03


class Kind(Enum):
    """Requests and answers: one or many of each."""

    UNARY = "unary_unary"
    DOWNLOAD = "unary_stream"
    UPLOAD = "stream_unary"
    DUPLEX = "stream_stream"

    @property
    def uploads(self) -> bool:
        return self in {Kind.UPLOAD, Kind.DUPLEX}

    @property
    def downloads(self) -> bool:
        return self in {Kind.DOWNLOAD, Kind.DUPLEX}


class Reads(Enum):
    """When the handler takes the requests of a stream."""

    FIRST = auto()
    BETWEEN = auto()
    """One before each answer, the rest at the end."""
    NEVER = auto()
    """Not at all, but no sooner does it answer than they are sent."""


class Cut(Enum):
    """Where the call stops early, always at a point both sides can name."""

    NOWHERE = auto()
    AT_ONCE = auto()
    """The client cancels before it lets anything leave."""
    RUNNING = auto()
    """It cancels when the handler has read what it reads and answers nothing."""
    ANSWERED = auto()
    """It cancels once it has the first answer and the handler, which sends no more, is done with writing it."""
    DEADLINE = auto()
    """The handler answers nothing until the deadline has passed."""
    PAST = auto()
    """As above, and it has passed before the call."""


HANGS = {Cut.RUNNING, Cut.DEADLINE, Cut.PAST}
"""Cuts for which the handler answers nothing."""


class Ending(Enum):
    """How the handler ends."""

    RETURN = auto()
    SET_CODE = auto()
    ABORT = auto()
    NOT_FOUND = auto()
    """It raises an exception of ours, which carries a code."""
    BUG = auto()


@dataclass(frozen=True)
class Script:
    """One call."""

    kind: Kind
    by_context: bool
    """The handler uses `context.read` and `write` instead of iterators."""
    requests: tuple[bytes, ...] = field(repr=False)
    answers: tuple[bytes, ...] = field(repr=False)
    reads: Reads
    cut: Cut
    ending: Ending
    code: grpc.StatusCode
    details: str
    metadata: Pairs
    initial: Pairs | None
    """None: left to the transport."""
    trailing: Pairs
    request_packing: grpc.Compression | None
    answer_packing: grpc.Compression | None

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Hypothesis prints every field otherwise, messages too, and then warns of the size instead of showing it."""
        printer.text(repr(self))

    @property
    def sent(self) -> tuple[bytes, ...]:
        """The requests that leave."""
        return self.requests if self.kind.uploads else self.requests[:1] or (b"",)

    @property
    def returned(self) -> tuple[bytes, ...]:
        """The answers of a handler that is not cut."""
        return self.answers if self.kind.downloads else self.answers[:1] or (b"",)


def digest(message: bytes) -> tuple[int, int]:
    """Size and checksum: what a failing example prints instead of a quarter of a megabyte."""
    return len(message), zlib.crc32(message)


@dataclass
class Seen:
    """What the handler of one call saw."""

    requests: list[tuple[int, int]] = field(default_factory=list)
    metadata: list[tuple[str, str | bytes]] = field(default_factory=list)
    cancelled: bool = False
    running: asyncio.Event = field(default_factory=asyncio.Event, compare=False, repr=False)
    greeted: asyncio.Event = field(default_factory=asyncio.Event, compare=False, repr=False)
    """The client has the initial metadata."""
    sent: asyncio.Event = field(default_factory=asyncio.Event, compare=False, repr=False)
    """All requests left."""


class ScriptedService:
    """Plays the script named by each call; one instance per server."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.seen: dict[str, Seen] = {}

    def handler(self) -> grpc.GenericRpcHandler:
        """Every kind in both styles, as `/t.S/<kind>` and `/t.S/<kind>_by_context`."""
        methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {}
        for kind in Kind:
            make = getattr(grpc, f"{kind.value}_rpc_method_handler")
            by_iterator, by_context = (self._generate, self._write) if kind.downloads else (self._one, self._one)
            methods |= {kind.value: make(by_iterator), f"{kind.value}_by_context": make(by_context)}
        return grpc.method_handlers_generic_handler("t.S", methods)

    async def _one(self, requests: Any, context: Any) -> bytes:
        async with aclosing(self._play(requests, context)) as answers:
            return [answer async for answer in answers][-1]

    async def _generate(self, requests: Any, context: Any) -> AsyncIterator[bytes]:
        async with aclosing(self._play(requests, context)) as answers:
            async for answer in answers:
                yield answer

    async def _write(self, requests: Any, context: Any) -> None:
        async with aclosing(self._play(requests, context)) as answers:
            async for answer in answers:
                await context.write(answer)

    async def _play(self, requests: Any, context: Any) -> AsyncGenerator[bytes, None]:
        metadata = [(str(key), value) for key, value in context.invocation_metadata()]
        identity = str(dict(metadata)[IDENTITY])
        seen = self.seen[identity]
        seen.metadata = [pair for pair in metadata if pair[0] != IDENTITY]
        try:
            async for answer in _act(self.scripts[identity], seen, requests, context):
                yield answer
        except asyncio.CancelledError:
            seen.cancelled = True
            raise


async def _act(script: Script, seen: Seen, requests: Any, context: Any) -> AsyncIterator[bytes]:
    source = _source(script, requests, context)
    await _greet(script, seen, context)
    if script.reads is Reads.FIRST:
        seen.requests += [digest(request) async for request in source]
    elif script.reads is Reads.NEVER and script.kind.uploads:
        await seen.sent.wait()
    for answer in script.returned:
        if script.reads is Reads.BETWEEN and (request := await anext(source, None)) is not None:
            seen.requests.append(digest(request))
        if script.cut in HANGS:
            break
        yield answer
        if script.cut is Cut.ANSWERED:
            break
    if script.cut in {*HANGS, Cut.ANSWERED}:
        seen.running.set()
        await asyncio.Event().wait()
    if script.reads is Reads.BETWEEN:
        seen.requests += [digest(request) async for request in source]
    await _end(script, context)


async def _greet(script: Script, seen: Seen, context: Any) -> None:
    if script.answer_packing is not None:
        context.set_compression(script.answer_packing)
    if script.initial is not None:
        await context.send_initial_metadata(script.initial)
        if script.kind is not Kind.UNARY:  # whose client takes everything in one batch
            await seen.greeted.wait()


async def _source(script: Script, requests: Any, context: Any) -> AsyncIterator[bytes]:
    if not script.kind.uploads:
        yield requests
    elif script.by_context:
        while (request := await context.read()) is not grpc.aio.EOF:
            yield request
    else:
        async for request in requests:
            yield request


async def _end(script: Script, context: Any) -> None:
    if script.ending is Ending.ABORT:
        await context.abort(script.code, script.details, script.trailing)
    context.set_trailing_metadata(script.trailing)
    if script.ending is Ending.SET_CODE:
        context.set_code(script.code)
        context.set_details(script.details)
    elif script.ending is Ending.NOT_FOUND:
        raise NotFoundError(script.details, "SCRIPTED")
    elif script.ending is Ending.BUG:
        raise ValueError(script.details)


@dataclass(frozen=True)
class Outcome:
    """What the client of one call saw."""

    code: grpc.StatusCode
    details: str | None
    answers: tuple[tuple[int, int], ...]
    initial: Pairs
    trailing: Pairs


async def perform(channel: grpc.aio.Channel, script: Script, identity: str, seen: Seen) -> Outcome:
    """Makes the call and reports what came of it."""
    async with asyncio.timeout(2 * CALL_TIMEOUT_S):
        call = _begin(channel, script, identity, seen)
        greeting = asyncio.ensure_future(_greeted(call, seen))
        answers = await _collect(call, script, seen)
        code, details, initial = await call.code(), await call.details(), await greeting
        return Outcome(code, details, answers, initial, _pairs(await call.trailing_metadata()))


def _begin(channel: grpc.aio.Channel, script: Script, identity: str, seen: Seen) -> Any:
    name = script.kind.value + "_by_context" * script.by_context
    method = getattr(channel, script.kind.value)(f"/t.S/{name}")
    timeout_s = {Cut.PAST: -1.0, Cut.DEADLINE: SHORT_S}.get(script.cut, CALL_TIMEOUT_S)
    return method(
        _requests(script, seen) if script.kind.uploads else script.sent[0],
        metadata=((IDENTITY, identity), *script.metadata),
        timeout=timeout_s,
        compression=script.request_packing,
    )


async def _requests(script: Script, seen: Seen) -> AsyncIterator[bytes]:
    for request in script.sent:
        yield request
    seen.sent.set()


async def _greeted(call: Any, seen: Seen) -> Pairs:
    try:
        initial = _pairs(await call.initial_metadata())
    except (grpc.aio.AioRpcError, asyncio.CancelledError):
        initial = ()
    seen.greeted.set()
    return initial


async def _collect(call: Any, script: Script, seen: Seen) -> tuple[tuple[int, int], ...]:
    answers = []
    try:
        if script.cut is Cut.AT_ONCE:
            call.cancel()
        elif script.cut is Cut.RUNNING:
            await seen.running.wait()
            call.cancel()
        if not script.kind.downloads:
            return (digest(await call),)
        async for answer in call:
            answers.append(digest(answer))
            if script.cut is Cut.ANSWERED:
                await seen.running.wait()
                call.cancel()
    except (grpc.aio.AioRpcError, asyncio.CancelledError):
        pass  # the call's code says why
    return tuple(answers)


def _pairs(metadata: Any) -> Pairs:
    return tuple((key, value) for key, value in metadata or ())
