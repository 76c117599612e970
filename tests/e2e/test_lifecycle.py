"""A server's life as an operator sees it: exit codes, signals, files and messages."""

from __future__ import annotations

import json
import queue
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.conftest import TRANSPORTS
from tests.e2e.processes import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.processes import LauraProcess, ServerProcess

    Serve = Callable[..., ServerProcess]
    Run = Callable[..., LauraProcess]

SECONDS = 10
"""Longest wait for an answer."""

QUESTION = reflection_pb2.ServerReflectionRequest(list_services="")


class _RunningCall:
    """A stream that the server answers question by question: a call that runs for as long as we like."""

    def __init__(self, address: str) -> None:
        self._questions: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._channel = grpc.insecure_channel(address)
        stub = reflection_pb2_grpc.ServerReflectionStub(self._channel)
        self._answers = stub.ServerReflectionInfo(iter(self._questions.get, None), timeout=60)

    def ask(self) -> bool:
        """Whether the call still answers."""
        self._questions.put(QUESTION)
        return bool(next(self._answers).list_services_response.service)

    def await_end(self) -> None:
        """Waits for the server's end of the call: its status is raised unless it is OK."""
        assert next(self._answers, None) is None

    def finish(self) -> None:
        """Ends the call from the client's side and takes its status: OK, or an exception."""
        self._questions.put(None)
        assert next(self._answers, None) is None
        self._channel.close()


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _health(address: str, name: str = "") -> int:
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return int(stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=SECONDS).status)


def _refused(address: str) -> bool:
    try:
        _health(address)
    except grpc.RpcError as error:
        # C-core cancels a call that comes between its last accept and the closing of its port.
        return error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    return False


def test_the_ready_file_names_a_healthy_server_and_sigterm_ends_it_with_0(serve: Serve, transport: str) -> None:
    server = serve("--transport", transport)
    assert server.address == f"127.0.0.1:{server.port}"
    assert _health(server.address) == health_pb2.HealthCheckResponse.SERVING
    assert server.terminate() == 0
    assert not server.ready


def test_the_log_is_json_and_says_once_that_the_server_is_ready(serve: Serve) -> None:
    server = serve("--node-id", "n1")
    address = server.address
    assert server.terminate() == 0
    lines = [json.loads(line) for line in server.log.splitlines()]
    (ready,) = (line for line in lines if line["event"] == "server_ready")
    assert (ready["address"], ready["node_id"]) == (address, "n1")
    assert server.output == ""


def test_sigint_ends_it_with_0(serve: Serve) -> None:
    server = serve()
    assert server.address
    server.signal(signal.SIGINT)
    assert server.wait() == 0


def test_a_running_call_finishes_and_new_ones_are_refused(serve: Serve, transport: str) -> None:
    server = serve("--transport", transport)
    running = _RunningCall(server.address)
    assert running.ask()
    address = server.address
    server.signal(signal.SIGTERM)
    until(lambda: _refused(address), "refusal of new calls")
    assert not server.ready
    assert running.ask()
    running.finish()
    assert server.wait() == 0


def test_a_call_that_does_not_finish_is_cut_off_after_the_grace_time(serve: Serve, transport: str) -> None:
    server = serve("--transport", transport, "--grace", "300ms")
    running = _RunningCall(server.address)
    assert running.ask()
    asked = time.monotonic()
    server.signal(signal.SIGTERM)
    with pytest.raises(grpc.RpcError):
        running.await_end()
    assert server.wait() == 0
    assert time.monotonic() - asked >= 0.3


def test_a_second_signal_stops_at_once(serve: Serve, transport: str) -> None:
    server = serve("--transport", transport, "--grace", "1h")
    running = _RunningCall(server.address)
    assert running.ask()
    server.signal(signal.SIGTERM)
    server.await_log("server_stopping")
    assert server.running
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def test_a_port_in_use_is_exit_code_1_with_one_line(serve: Serve, transport: str) -> None:
    first = serve("--transport", transport, name="first")
    second = serve("--transport", transport, name="second", port=first.port)
    assert second.wait() == 1
    (line,) = second.log.splitlines()
    assert line.startswith(f"laura-fast: cannot listen on 127.0.0.1:{first.port}: ")
    assert first.running


def test_a_data_directory_in_use_is_exit_code_1_with_one_line(serve: Serve) -> None:
    first = serve(name="first")
    assert first.address
    second = serve("--data-dir", str(first.directory / "data"), name="second")
    assert second.wait() == 1
    (line,) = second.log.splitlines()
    assert "in use" in line


def test_a_server_killed_starts_again_as_the_same_node(serve: Serve) -> None:
    first = serve()
    assert first.address
    first.kill()
    second = serve()
    assert second.address
    ids = {json.loads(line)["node_id"] for line in second.log.splitlines() if "server_ready" in line}
    assert len(ids) == 1
    assert second.log.count("server_ready") == 2


def test_wrong_settings_are_exit_code_2_with_one_line_each(serve: Serve) -> None:
    server = serve("--grace", "soon", LAURA_FAST_STRIPES="3")
    assert server.wait() == 2
    stripes, grace = server.log.splitlines()
    assert stripes.startswith('laura-fast: stripes = "3" (environment LAURA_FAST_STRIPES) is not allowed; allowed: ')
    assert grace.startswith('laura-fast: grace = "soon" (flag --grace) is not allowed; allowed: 0ms to 1h')


def test_an_unknown_flag_is_exit_code_2(run: Run) -> None:
    assert run("serve", "--colour", "red").wait() == 2


def test_key_material_that_cannot_be_read_stops_the_start(serve: Serve) -> None:
    server = serve("--tls-cert-file", "absent.pem", "--tls-key-file", "absent.pem")
    assert server.wait() == 1
    assert "absent.pem" in server.log
    assert "Traceback" not in server.log


def test_print_config_shows_values_and_sources_without_starting(run: Run) -> None:
    command = run("serve", "--print-config", "--port", "1", LAURA_FAST_GRACE="5s")
    assert command.wait() == 0
    shown = dict(line.split("  #")[0].split(" = ") for line in command.output.splitlines())
    assert (shown["port"].strip(), shown["grace"].strip()) == ("1", '"5s"')
    assert "# environment LAURA_FAST_GRACE" in command.output


def test_the_service_manager_hears_of_ready_and_stopping(serve: Serve, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        server = serve(NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert manager.recv(100) == b"READY=1"
        assert server.ready
        assert server.terminate() == 0
        assert manager.recv(100) == b"STOPPING=1"


def test_sighup_re_reads_the_log_level(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("etc") / "laura.toml"
    file.write_text('log_level = "info"')
    server = serve("--config", str(file))
    _health(server.address)
    assert '"rpc"' not in server.log
    file.write_text('log_level = "debug"')
    server.signal(signal.SIGHUP)
    server.await_log("settings_reloaded")
    _health(server.address)
    server.await_log("/grpc.health.v1.Health/Check")
    file.write_text('log_level = "loud"')
    server.signal(signal.SIGHUP)
    server.await_log("settings_not_reloaded")
    assert server.terminate() == 0


def test_sighup_re_reads_the_certificates(
    serve: Serve, transport: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cert, key = (tmp_path_factory.mktemp("tls") / name for name in ("cert.pem", "key.pem"))
    _issue(cert, key)
    server = serve("--transport", transport, "--tls-cert-file", str(cert), "--tls-key-file", str(key))
    assert server.address
    _issue(cert, key)
    server.signal(signal.SIGHUP)
    server.await_log("tls_reloaded")
    cert.write_text("no certificate")
    server.signal(signal.SIGHUP)
    server.await_log("tls_reload_failed")
    assert server.terminate() == 0


def _issue(cert: Path, key: Path) -> None:
    issued = trustme.CA().issue_cert("localhost")
    issued.cert_chain_pems[0].write_to_path(cert)
    key.touch(mode=0o600)
    issued.private_key_pem.write_to_path(key)
