"""`status`, `top` and `watch` as a person and as a program run them."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.e2e.processes import LauraProcess, ServerProcess, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Serve = Callable[..., ServerProcess]
    Run = Callable[..., LauraProcess]

QUICK = ("--heartbeat-interval", "100ms", "--suspect-after", "400ms", "--down-after", "900ms")


@pytest.fixture
def server(serve: Serve) -> ServerProcess:
    return serve(*QUICK)


def agent(run: Run, server: ServerProcess, node_id: str) -> LauraProcess:
    where = ("--id", node_id, "--host", "127.0.0.1", "--port", "27017", "--join", server.address)
    started = run("agent", *where, "--interval", "100ms", name=node_id)
    started.await_log("member_registered")
    return started


def test_status_is_a_table_or_a_document(server: ServerProcess, run: Run) -> None:
    agent(run, server, "n1")
    table = run("status", "--server", server.address, name="table")
    document = run("status", "--server", server.address, "-o", "json", name="json")
    assert (table.wait(), document.wait()) == (0, 0)
    assert "1 node: 1 healthy" in table.output
    assert "127.0.0.1:27017" in table.output
    view = json.loads(document.output)
    assert view["server"] == server.address
    assert view["observer_id"].startswith("node-")
    assert abs(view["observed_at_ms"] / 1000 - time.time()) < 60
    assert (view["topology_version"], view["error"]) == (2, "")
    member = view["members"][0]
    assert (member["id"], member["state"], member["role"]) == ("n1", "healthy", "secondary")


def test_status_again_and_again_says_when_the_server_went_away(server: ServerProcess, run: Run) -> None:
    watching = run("status", "-s", server.address, "-o", "json", "--watch", "0.1")
    until(lambda: watching.output.count("\n") >= 2, "two documents")
    server.kill()
    until(lambda: "connection refused" in watching.output, "error in a document")
    last = json.loads(watching.output.splitlines()[-1])
    assert (last["topology_version"], last["age_ms"] > 0) == (1, True)
    watching.signal(signal.SIGINT)
    assert watching.wait() == 0


def test_watch_prints_a_line_per_change(server: ServerProcess, run: Run) -> None:
    watching = run("watch", "--server", server.address, name="watch")
    watching.await_log("from version 1: 0 nodes")
    first, second = agent(run, server, "n1"), agent(run, server, "n2")
    first.kill()
    until(lambda: "down" in watching.output, "n1 to be down")
    assert second.terminate() == 0
    agent(run, server, "n1")
    until(lambda: "back" in watching.output, "n1 to be back")
    seen = [line.split()[2:4] for line in watching.output.splitlines()]
    assert seen == [
        ["joined", "n1"],
        ["joined", "n2"],
        ["suspect", "n1"],
        ["down", "n1"],
        ["left", "n2"],
        ["back", "n1"],
    ]
    watching.signal(signal.SIGINT)
    assert watching.wait() == 0


def test_watch_goes_on_after_the_server_was_killed(serve: Serve, run: Run) -> None:
    server = serve()
    watching = run("watch", "--server", server.address, "-o", "json", name="watch")
    watching.await_log("from version 1")
    agent(run, server, "n1")
    server.kill()
    watching.await_log("trying again")
    server = serve(port=server.port)
    agent(run, server, "n2")
    until(lambda: len(watching.output.splitlines()) == 2, "two changes")
    seen = [json.loads(line) for line in watching.output.splitlines()]
    assert [(line["change"], line["node_id"], line["version"]) for line in seen] == [
        ("joined", "n1", 2),
        ("joined", "n2", 3),
    ]


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal of 100 x 24: what a person sees and types into, and what a program has."""
    person, program = pty.openpty()
    os.set_blocking(person, False)
    yield person, program
    os.close(person)
    os.close(program)


def test_top_is_live_in_a_terminal_until_q(server: ServerProcess, run: Run, terminal: tuple[int, int]) -> None:
    agent(run, server, "n1")
    person, program = terminal
    command = [sys.executable, "-m", "laura_fast", "top", "--server", server.address, "--interval", "0.1"]
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "24"}
    seen = b""

    def screen() -> str:
        nonlocal seen
        with contextlib.suppress(BlockingIOError):
            seen += os.read(person, 1 << 16)
        return seen.decode("utf-8", "replace")

    with subprocess.Popen(command, stdin=program, stdout=program, stderr=program, env=environ) as top:
        until(lambda: "q quit" in plain(screen()) and "n1" in screen(), "picture")
        server.kill()
        until(lambda: "connection refused" in screen(), "error on the screen")
        assert top.poll() is None
        os.write(person, b"q")
        until(lambda: (screen(), top.poll())[1] is not None, "end")
    assert top.returncode == 0


def plain(screen: str) -> str:
    """The text without colours."""
    return "".join(part.partition("m")[2] if number else part for number, part in enumerate(screen.split("\x1b[")))


def test_top_without_a_terminal_prints_tables(server: ServerProcess, run: Run) -> None:
    top = run("top", "--server", server.address, "--interval", "0.1")
    until(lambda: top.output.count("Cluster as node-") >= 2, "two tables")
    assert "\x1b" not in top.output
    top.signal(signal.SIGINT)
    assert top.wait() == 0


@pytest.mark.parametrize("command", ["status", "top", "watch"])
def test_a_server_that_is_not_there_is_one_clear_line(run: Run, command: str) -> None:
    failed = run(command, "--server", "127.0.0.1:1", "--timeout", "5s")
    assert failed.wait() == 1
    assert failed.log == (
        "laura-fast: no server answered: 127.0.0.1:1: connection refused (is a server running there?)\n"
    )


def test_a_server_that_says_nothing_is_given_the_time_asked_for(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        failed = run("status", "--server", f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "300ms")
        assert failed.wait() == 1
    assert "no answer in time" in failed.log
    assert "--timeout" in failed.log


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "--server", "h:99999"),
        ("status", "--timeout", "5"),
        ("watch", "-o", "xml"),
        ("top", "--interval", "0"),
    ],
)
def test_wrong_usage_ends_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    failed = run(*arguments)
    assert failed.wait() == 2
    assert "Traceback" not in failed.log
