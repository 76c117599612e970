"""Each write request takes effect once, however often it arrives (WIRE-CONTRACT, "Exactly once").

Who repeats a request while the first still runs gets the first one's answer. Who repeats it later gets the answer that
was recorded in the ledger, in the same transaction as the write itself, so that a crash can't part the two.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec

from laura_fast.errors import AlreadyExistsError, OverloadedError
from laura_fast.limits import database as limits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from laura_fast.node.database.commands import Origin

_DIGEST_BYTES: Final = 16


class Ledger(Protocol):
    """What a write transaction has for this."""

    def ledger_get(self, key: bytes) -> bytes | None:
        """What was recorded under `key`, if it is not too old."""

    def ledger_put(self, key: bytes, value: bytes) -> None:
        """Records, with the transaction."""


class Ticket(NamedTuple):
    """One request of one client.

    Attributes:
        key: Its place in the ledger.
        digest: Of its content.
        request_id: As the client gave it, for messages.
    """

    key: bytes
    digest: bytes
    request_id: str


class Record(msgspec.Struct, frozen=True, array_like=True):
    """What the ledger holds of a request.

    Attributes:
        digest: Of its content.
        response: The answer; None while the request is under way in slices.
        progress: How far the slices got, in the form that the method gave it.
    """

    digest: bytes
    response: bytes | None = None
    progress: bytes = b""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode


def ticket(origin: Origin, namespace: str, method: str, command: object) -> Ticket | None:
    """The request's ticket; None for one without an id, which is always new."""
    if not origin.request_id:
        return None
    key = hashlib.blake2b(_encode((origin.client, namespace, method, origin.request_id)), digest_size=_DIGEST_BYTES * 2)
    digest = hashlib.blake2b(_encode(command), digest_size=_DIGEST_BYTES).digest()
    return Ticket(key.digest(), digest, origin.request_id)


def recall(ledger: Ledger, request: Ticket | None) -> Record | None:
    """What is known of the request.

    Raises:
        AlreadyExistsError: REQUEST_ID_REUSED. Its id belongs to a request with other content.
    """
    if request is None or (found := ledger.ledger_get(request.key)) is None:
        return None
    record = _decode(found)
    _check_content(request, record.digest)
    return record


def record_response(ledger: Ledger, request: Ticket | None, response: bytes) -> None:
    """Records the answer."""
    if request is not None:
        ledger.ledger_put(request.key, _encode(Record(request.digest, response)))


def record_progress(ledger: Ledger, request: Ticket | None, progress: bytes) -> None:
    """Records how far a request in slices has come."""
    if request is not None:
        ledger.ledger_put(request.key, _encode(Record(request.digest, None, progress)))


class Writes:
    """The writes that run: each goes on when its caller goes away, as it may be half done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[bytes]] = set()
        self._by_key: dict[bytes, tuple[Ticket, asyncio.Task[bytes]]] = {}
        self._bytes = 0

    async def run(self, request: Ticket | None, size: int, work: Callable[[], Coroutine[None, None, bytes]]) -> bytes:
        """The answer of `work()`, or of the same request that runs already.

        Args:
            request: Its ticket; None for one without an id.
            size: Bytes that it holds while it runs.
            work: What it does.

        Raises:
            AlreadyExistsError: REQUEST_ID_REUSED.
            OverloadedError: OVERLOADED: too many writes run.
            Exception: Whatever the work raised.
        """
        return await asyncio.shield(self._joined(request) or self._started(request, size, work))

    def _joined(self, request: Ticket | None) -> Awaitable[bytes] | None:
        if request is None or (running := self._by_key.get(request.key)) is None:
            return None
        first, task = running
        _check_content(request, first.digest)
        return task

    def _started(
        self, request: Ticket | None, size: int, work: Callable[[], Coroutine[None, None, bytes]]
    ) -> Awaitable[bytes]:
        full = self._tasks and self._bytes + size > limits.RUNNING_WRITE_BYTES
        if full or len(self._tasks) >= limits.RUNNING_WRITES:
            raise OverloadedError("too many writes run", "OVERLOADED", retry_after_ms=100)
        task = asyncio.create_task(work())
        self._tasks.add(task)
        self._bytes += size
        if request is not None:
            self._by_key[request.key] = (request, task)
        task.add_done_callback(lambda ended: self._ended(request, size, ended))
        return task

    def _ended(self, request: Ticket | None, size: int, task: asyncio.Task[bytes]) -> None:
        self._tasks.discard(task)
        self._bytes -= size
        if request is not None:
            del self._by_key[request.key]
        if not task.cancelled():
            task.exception()  # looked at, whether a caller is left or not

    async def drain(self) -> None:
        """Waits for all that run."""
        while self._tasks:
            await asyncio.wait(self._tasks)


def _check_content(request: Ticket, digest: bytes) -> None:
    if request.digest != digest:
        text = f"request_id {request.request_id[:100]!r} was used for another request; give each request its own"
        raise AlreadyExistsError(text, "REQUEST_ID_REUSED")
