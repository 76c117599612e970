"""Lines are JSON, follow level changes, and never hold a secret."""

from __future__ import annotations

import json
import logging
from io import StringIO
from typing import Any

from laura_fast.observability import log


def lines(buffer: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in buffer.getvalue().splitlines()]


def test_a_record_is_one_json_object_with_its_fields(log_lines: StringIO) -> None:
    log.get("laura_fast.node").info("member_changed", node_id="n1", version=7)
    [line] = lines(log_lines)
    assert (line["event"], line["node_id"], line["version"]) == ("member_changed", "n1", 7)
    assert (line["logger"], line["level"]) == ("laura_fast.node", "info")
    assert line["timestamp"].endswith("Z")


def test_the_level_changes_while_running(log_lines: StringIO) -> None:
    logger = log.get("laura_fast.node")
    logger.debug("hidden")
    log.set_level("debug")
    logger.debug("shown")
    log.set_level("error")
    logger.warning("hidden again")
    assert [line["event"] for line in lines(log_lines)] == ["shown"]


def test_records_of_other_libraries_have_the_same_form(log_lines: StringIO) -> None:
    logging.getLogger("asyncio").warning("took %d ms", 5, extra={"task": "t"})
    logging.getLogger("asyncio").info("hidden")
    [line] = lines(log_lines)
    assert (line["event"], line["logger"], line["task"]) == ("took 5 ms", "asyncio", "t")


def test_an_exception_is_inside_its_line(log_lines: StringIO) -> None:
    try:
        int("why")
    except ValueError:
        log.get("laura_fast.node").exception("failed")
    [line] = lines(log_lines)
    assert "ValueError: invalid literal" in line["exception"]


def test_secrets_are_blanked_at_any_depth(log_lines: StringIO) -> None:
    log.get("laura_fast.node").info(
        "call",
        authorization="Bearer canary",
        metadata=[("authorization", "canary"), (b"trace-bin", b"canary"), ("user-agent", "x")],
        nested={"Key_PEM": "canary", "inner": {"a-bin": "canary"}},
    )
    text = log_lines.getvalue()
    assert "canary" not in text
    assert text.count("[redacted]") == 5
    assert '["user-agent","x"]' in text


def test_values_that_json_lacks_are_still_written(log_lines: StringIO) -> None:
    log.get("laura_fast.node").info("odd", raw=b"\xff\x00a", obj=ValueError("v"), members={1})
    [line] = lines(log_lines)
    assert (line["raw"], line["obj"]) == ("\\xff\x00a", "ValueError('v')")


def test_a_terminal_gets_plain_lines() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        log.configure("info", terminal)
        log.get("laura_fast.node").info("server_ready", address="127.0.0.1:1")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.getLogger("laura_fast").setLevel(logging.NOTSET)
    assert "server_ready" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
