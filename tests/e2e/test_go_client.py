"""A Go client written for LauraDB works unchanged: its stubs come from the contract alone and from our schemas."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from bench.rivals.build import PROTOS, SCHEMAS, go_program, missing_go

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.processes import ServerProcess

pytestmark = pytest.mark.skipif(bool(missing_go()), reason=missing_go())

SOURCE = Path(__file__).parent / "go_client" / "main.go"
EXTENSION_FIELD = re.compile(r"^ +[\w.<>, ]+ = [1-9]\d{2,};$", re.MULTILINE)
"""Fields from 100 up are this project's; LauraDB's own schemas end below."""


@pytest.fixture(params=["lauradb", "extended"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The built client, from the schemas without this project's fields or with them."""
    if request.param == "extended":
        return go_program(SOURCE)
    for name in SCHEMAS:
        bare = EXTENSION_FIELD.sub("", (PROTOS / name).read_text())
        assert not re.search(r" = \d{3,};", bare), "an extension field is left"
        (tmp_path / "protos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "protos" / name).write_text(bare)
    return go_program(SOURCE, protos=tmp_path / "protos")


@pytest.fixture
def answers(client: Path, serve: Callable[..., ServerProcess], transport_name: str) -> dict[str, Any]:
    """What one whole run of the client against a fresh server was answered."""
    server = serve("--transport", transport_name)
    command = [str(client), f"--address={server.address}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr + server.log
    return orjson.loads(done.stdout)  # type: ignore[no-any-return]


def test_a_lauradb_client_in_go_lives_a_whole_life(answers: dict[str, Any]) -> None:
    """Registers, is refused a second time, beats, is told the topology once, asks for it, leaves."""
    first, again = answers["Registered"], answers["Again"]
    assert (first["Success"], first["ClusterNodes"]) == (True, ["go-1"])
    assert (again["Success"], again["Message"]) == (False, "node go-1 already registered")
    assert again["Version"] == first["Version"]
    assert answers["FirstBeat"]["TopologyNodes"] == ["go-1"]
    assert answers["SecondBeat"]["TopologyNodes"] == []
    for beat in (answers["FirstBeat"], answers["SecondBeat"]):
        assert beat["Ack"] is True
        assert abs(beat["ClockSkewMs"]) < 5_000, "the answer's time is in milliseconds since the epoch"
    assert answers["Stranger"] == {"Code": "NotFound", "Message": "node nobody not registered"}
    assert answers["Topology"] == ["go-1"]
    assert [answers[field] for field in ("Host", "Port", "Role", "Tags")] == [
        "10.0.0.7",
        27017,
        "SECONDARY",
        {"zone": "a"},
    ]
    assert answers["Unchanged"] == 0
    assert answers["Deregistered"] is True
    assert answers["AfterLeaving"] == {"Code": "NotFound", "Message": "node go-1 not registered"}
