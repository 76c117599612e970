"""Layers, sources, and one clear line per wrong value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.config import SETTINGS, Config, Row, load
from laura_fast.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

FLAGS_OF_THE_CONTRACT = [
    "--host",
    "--port",
    "--data-dir",
    "--storage",
    "--node-id",
    "--ready-file",
    "--transport",
    "--max-connections",
    "--max-unauthenticated-per-address",
    "--max-concurrent-rpcs",
    "--max-total-rpcs",
    "--max-message-bytes",
    "--connection-timeout",
    "--request-timeout",
    "--keepalive-interval",
    "--keepalive-timeout",
    "--min-ping-interval",
    "--grace",
    "--no-reflection",
    "--tls-cert-file",
    "--tls-key-file",
    "--tls-client-ca-file",
    "--tls-bind-node-id",
    "--log-level",
    "--stripes",
    "--heartbeat-interval",
    "--suspect-after",
    "--down-after",
    "--heartbeat-topology",
    "--quota-bytes",
    "--oplog-bytes",
    "--oplog-age",
    "--snapshot-window",
    "--max-examined",
    "--query-memory-bytes",
    "--cursor-lifetime",
    "--replica-set",
    "--members",
    "--election-timeout",
    "--metrics-listen",
]

OTHER_VALUE = {
    "host": "127.0.0.1",
    "port": "8080",
    "data_dir": "elsewhere",
    "storage": "memory",
    "node_id": "n1",
    "ready_file": "ready",
    "transport": "grpcio",
    "max_connections": "7",
    "max_unauthenticated_per_address": "6",
    "max_concurrent_rpcs": "8",
    "max_total_rpcs": "9",
    "max_message_bytes": "1MiB",
    "connection_timeout": "1s",
    "request_timeout": "2s",
    "keepalive_interval": "3s",
    "keepalive_timeout": "4s",
    "min_ping_interval": "5s",
    "grace": "6s",
    "reflection": "false",
    "tls_cert_file": "cert.pem",
    "tls_key_file": "key.pem",
    "tls_client_ca_file": "ca.pem",
    "tls_bind_node_id": "true",
    "log_level": "debug",
    "stripes": "128",
    "heartbeat_interval": "500ms",
    "suspect_after": "2s",
    "down_after": "9s",
    "heartbeat_topology": "always",
    "quota_bytes": "1GiB",
    "oplog_bytes": "2MiB",
    "oplog_age": "1h",
    "snapshot_window": "2m",
    "max_examined": "1000",
    "query_memory_bytes": "2MiB",
    "cursor_lifetime": "1m",
    "replica_set": "rs0",
    "members": "n1=127.0.0.1:7001,n2=127.0.0.1:7002",
    "election_timeout": "1s",
    "metrics_listen": "[::1]:9090",
}
COMPANIONS = {
    "tls_cert_file": ("tls_key_file",),
    "tls_key_file": ("tls_cert_file",),
    "tls_client_ca_file": ("tls_cert_file", "tls_key_file"),
    "tls_bind_node_id": ("tls_cert_file", "tls_key_file", "tls_client_ca_file"),
    "replica_set": ("node_id",),
    "members": ("replica_set", "node_id"),
}


def _with_companions(row: Row) -> dict[str, str]:
    return {key: OTHER_VALUE[key] for key in (row.key, *COMPANIONS.get(row.key, ()))}


def _toml(values: dict[str, str]) -> str:
    by_key = {row.key: row for row in SETTINGS}
    return "\n".join(
        f'{key} = "{text}"' if str in by_key[key].kind.toml_types else f"{key} = {text}" for key, text in values.items()
    )


def test_the_flags_are_those_of_the_contract() -> None:
    assert [row.flag for row in SETTINGS] == FLAGS_OF_THE_CONTRACT


def test_every_setting_has_another_value_to_test_with() -> None:
    assert {row.key for row in SETTINGS} == set(OTHER_VALUE)


def test_nothing_given_is_the_defaults() -> None:
    loaded = load({}, {"PATH": "/bin"})
    assert loaded.config == Config()
    assert set(loaded.sources.values()) == {"default"}


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.key)
def test_every_setting_has_all_three_forms(row: Row, tmp_path: Path) -> None:
    values = _with_companions(row)
    file = tmp_path / "laura.toml"
    file.write_text(_toml(values))
    variables = {f"LAURA_FAST_{key.upper()}": text for key, text in values.items()}
    by_file, by_environment, by_flag = load({}, {}, file), load({}, variables), load(values, {})

    assert getattr(by_file.config, row.attribute) != getattr(Config(), row.attribute)
    assert by_file.config == by_environment.config == by_flag.config
    assert by_file.sources[row.attribute] == f"file {file}"
    assert by_environment.sources[row.attribute] == f"environment {row.variable}"
    assert by_flag.sources[row.attribute].startswith("flag --")


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    file = tmp_path / "laura.toml"
    file.write_text('port = 1\nstripes = 2\ngrace = "3s"')
    environ = {"LAURA_FAST_PORT": "4", "LAURA_FAST_STRIPES": "8", "LAURA_FAST_CONFIG": str(file)}
    config = load({"port": "6"}, environ).config
    assert (config.port, config.stripes, config.grace_ms, config.host) == (6, 8, 3000, "0.0.0.0")


def test_the_flag_names_the_file_before_the_environment_does(tmp_path: Path) -> None:
    wanted = tmp_path / "wanted.toml"
    wanted.write_text("port = 1")
    assert load({}, {"LAURA_FAST_CONFIG": "absent.toml"}, wanted).config.port == 1


@pytest.mark.parametrize(
    ("key", "text", "allowed"),
    [
        ("port", "65536", "0 to 65535"),
        ("port", "-1", "0 to 65535"),
        ("port", "http", "0 to 65535"),
        ("port", "", "0 to 65535"),
        ("grace", "5", "0ms to 1h, written like 500ms, 1s or 2m"),
        ("grace", "0.1ms", "0ms to 1h, written like 500ms, 1s or 2m"),
        ("grace", "2h", "0ms to 1h, written like 500ms, 1s or 2m"),
        ("grace", "1 s s", "0ms to 1h, written like 500ms, 1s or 2m"),
        ("max_message_bytes", "48MB", "4KiB to 1GiB, written like 48MiB"),
        ("max_message_bytes", "9" * 5000, "4KiB to 1GiB, written like 48MiB"),
        ("stripes", "48", "a power of two, 1 to 4096"),
        ("stripes", "8192", "a power of two, 1 to 4096"),
        ("transport", "twisted", "native or grpcio"),
        ("heartbeat_topology", "", "changed or always"),
        ("reflection", "maybe", "true or false"),
        ("host", "", "an address or host name, 1 to 253 bytes"),
        ("node_id", "n" * 256, "an id, or nothing"),
        ("node_id", "a\nb", "an id, or nothing"),
        ("metrics_listen", "9090", "host:port with port 0 to 65535, or nothing for off"),
        ("metrics_listen", "::1:9090", "host:port with port 0 to 65535, or nothing for off"),
        ("metrics_listen", "host:70000", "host:port with port 0 to 65535, or nothing for off"),
    ],
)
def test_a_wrong_value_is_one_line_with_key_value_and_range(key: str, text: str, allowed: str) -> None:
    variable = f"LAURA_FAST_{key.upper()}"
    with pytest.raises(ConfigError) as caught:
        load({}, {variable: text})
    shown = text.replace("\n", "\\n")
    assert str(caught.value) == f'{key} = "{shown}" (environment {variable}) is not allowed; allowed: {allowed}'


@pytest.mark.parametrize(
    "line", ['port = "80"', "port = true", "port = 1.0", "grace = 5", "reflection = 1", "host = []", "node_id = {}"]
)
def test_types_in_a_file_are_strict(line: str, tmp_path: Path) -> None:
    file = tmp_path / "laura.toml"
    file.write_text(line)
    with pytest.raises(
        ConfigError, match=rf"^{line.split(maxsplit=1)[0]} = .* \(file .*laura.toml\) is not allowed; allowed: "
    ):
        load({}, {}, file)


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (
            {"suspect_after": "1s"},
            'suspect_after = "1s" is not allowed; allowed: more than heartbeat_interval ("1s")',
        ),
        ({"down_after": "3s"}, 'down_after = "3s" is not allowed; allowed: more than suspect_after ("3s")'),
        (
            {"tls_cert_file": "c"},
            'tls_cert_file = "c" is not allowed alone; allowed: together with tls_key_file',
        ),
        (
            {"tls_key_file": "k"},
            'tls_key_file = "k" is not allowed alone; allowed: together with tls_cert_file',
        ),
        (
            {"tls_client_ca_file": "a"},
            'tls_client_ca_file = "a" is not allowed alone; allowed: together with tls_cert_file',
        ),
        (
            {"tls_bind_node_id": "on"},
            "tls_bind_node_id = true is not allowed alone; allowed: together with tls_client_ca_file",
        ),
    ],
)
def test_rules_between_settings(flags: dict[str, str], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(flags, {})
    assert str(caught.value) == line


def test_every_wrong_value_is_reported_at_once(tmp_path: Path) -> None:
    file = tmp_path / "laura.toml"
    file.write_text("ports = 1\nport = -1")
    with pytest.raises(ConfigError) as caught:
        load({"grace": "x"}, {"LAURA_FAST_STRIPES": "3", "LAURA_FAST_HOTS": "h"}, file)
    starts = [line.split()[0] for line in str(caught.value).splitlines()]
    assert starts == ["ports", "port", "LAURA_FAST_HOTS", "stripes", "grace"]


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(
        ConfigError, match=r"^LAURA_FAST_PROT \(environment\) is not a setting; nearest: LAURA_FAST_PORT$"
    ):
        load({}, {"LAURA_FAST_PROT": "1"})


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml: can't be read: No such file"):
        load({}, {}, tmp_path / "absent.toml")


def test_a_file_that_is_not_toml_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("port 1")
    with pytest.raises(ConfigError, match=r"bad\.toml: is not TOML"):
        load({}, {}, tmp_path / "bad.toml")


def test_a_configuration_built_in_code_is_checked_too() -> None:
    with pytest.raises(ConfigError, match=r"^port = 70000 is not allowed; allowed: 0 to 65535$"):
        Config(port=70000)


def test_the_minimum_ping_interval_follows_the_keepalive_interval() -> None:
    assert Config(keepalive_interval_ms=4000).min_ping_interval_ms == 2000
    assert Config(keepalive_interval_ms=4000, min_ping_interval_ms=1000).min_ping_interval_ms == 1000
