"""Unary calls of one method that came in one read, answered one behind the other.

What is the same for all of them is looked up once, and they are accounted for together: paid for by
bench/test_heartbeat.py. A call by itself is a run of one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from laura_fast.errors import RpcError
from laura_fast.transport.malformed import malformed
from laura_fast.transport.native.answers import HEADERS_HEAD, OK_BLOCK, OK_HEAD
from laura_fast.transport.native.context import Context
from laura_fast.transport.native.methods import same
from laura_fast.wire.grpc.framing import PREFIX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laura_fast.transport.marks import Inline
    from laura_fast.transport.native.hosting import Host
    from laura_fast.transport.native.methods import Method
    from laura_fast.transport.native.requests import Request

    Run = Sequence[tuple[int, bytes]]

_monotonic = time.monotonic


class _Late(NamedTuple):
    """A call that takes a stream: what its handler returned, or raised."""

    result: Any
    error: Exception | None


def answer_run(host: Host, request: Request, inline: Inline, run: Run) -> int:
    """Answers calls whose handler never waits: how many of them.

    Nearly always all, and no stream is ever made. The first call that takes one is the last of this turn.
    """
    method: Method = request.method
    context = Context(request, host, _monotonic())
    answered, late = _answer_plain(host, method, inline.answer, run, context)
    if answered:
        host.machine.strikes = 0
        method.recorder(host.server.observer)(answered, _monotonic() - context.started, host.peer)
    if late is None:
        return answered
    if isinstance(late.error, RpcError):
        inline.explain(context, late.error)
    call = host.answer_late(run[answered][0], request, context)
    if late.error is None:
        call.succeed(late.result)
    else:
        call.fail(late.error)
    return answered + 1


def _answer_plain(
    host: Host, method: Method, answer: Callable[[Any, Context], Any], run: Run, context: Context
) -> tuple[int, _Late | None]:
    """Answers with one piece of bytes each: how many calls, and what became of the first that can't be.

    The context is every call's until one has used it.
    """
    machine, layout = host.machine, host.server.answers.layout
    parse = None if method.parse is same else method.parse
    serialise = None if method.serialise is same else method.serialise
    out, window, longest, length, size = machine.out, machine.window, host.longest_at_once(), -1, 0
    room, late = window, None
    for done, (stream_id, raw) in enumerate(run):  # noqa: B007  # how many, where it is left early
        message = None
        try:
            message = raw if parse is None else parse(raw)
            result = answer(message, context)
            encoded = result if serialise is None else serialise(result)
            if len(encoded) != length:
                length, size = len(encoded), len(encoded) + PREFIX_BYTES
                if size > longest:
                    late = _Late(result, None)
                    break
                pack, middle, prefix = layout(length)
        except Exception as error:  # noqa: BLE001  # any bug in a handler ends its call only
            late = _Late(None, malformed(error) if message is None else error)
            break
        if size > room or context.touched:
            late = _Late(result, None)
            break
        room -= size
        out.append(pack(HEADERS_HEAD, stream_id, middle, stream_id, prefix, encoded, OK_HEAD, stream_id, OK_BLOCK))
    else:
        done = len(run)
    machine.window -= window - room
    return done, late
