"""How the clients that are processes of their own are told what to send and what to expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.wire.grpc.framing import PREFIX_BYTES

if TYPE_CHECKING:
    from bench.rivals.load import Load, Target


def message_options(target: Target, load: Load) -> list[str]:
    """Command-line options: the method, a file with the message, the length of each answer."""
    body = load.scratch / "message"
    body.write_bytes(target.body[PREFIX_BYTES:])
    return [f"--path={target.path}", f"--body={body}", f"--answer-bytes={target.answer_bytes - PREFIX_BYTES}"]
