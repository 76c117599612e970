"""The storage environment: exclusive, durable, grouped, and honest about a failing disk."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import lmdb
import pytest

from laura_fast.errors import DataDirectoryError, OverloadedError, StorageFailedError
from laura_fast.storage.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    environment = Environment.open(tmp_path)
    yield environment
    environment.close()


def put(environment: Environment, key: bytes, value: bytes) -> Callable[[lmdb.Transaction], bool]:
    table = environment.table(b"t")
    return lambda transaction: transaction.put(key, value, db=table)


def get(environment: Environment, key: bytes) -> bytes | None:
    table = environment.table(b"t")
    with environment.read() as transaction:
        value = transaction.get(key, db=table)
    return None if value is None else bytes(value)


async def test_survives_reopening(tmp_path: Path) -> None:
    first = Environment.open(tmp_path)
    await first.write(put(first, b"k", b"v"))
    first.close()
    second = Environment.open(tmp_path)
    assert get(second, b"k") == b"v"
    second.close()


async def test_a_job_that_raises_leaves_nothing_and_harms_no_other(environment: Environment) -> None:
    def bad(transaction: lmdb.Transaction) -> None:
        put(environment, b"bad", b"1")(transaction)
        raise ZeroDivisionError

    results = await asyncio.gather(
        environment.write(put(environment, b"a", b"1")),
        environment.write(bad),
        environment.write(put(environment, b"b", b"1")),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [bool, ZeroDivisionError, bool]
    assert (get(environment, b"a"), get(environment, b"bad"), get(environment, b"b")) == (b"1", None, b"1")


async def test_waiting_jobs_share_one_commit(environment: Environment) -> None:
    """While the writer is held, twenty jobs queue up; they all run in one transaction."""
    release, transactions = threading.Event(), set[int]()
    table = environment.table(b"t")

    def hold(_: lmdb.Transaction) -> None:
        release.wait()

    def note(transaction: lmdb.Transaction) -> None:
        transactions.add(transaction.id())
        transaction.put(b"n", b"", db=table)

    held = asyncio.ensure_future(environment.write(hold))
    await asyncio.sleep(0)
    jobs = [asyncio.ensure_future(environment.write(note)) for _ in range(20)]
    await asyncio.sleep(0)
    release.set()
    await asyncio.gather(held, *jobs)
    assert len(transactions) <= 2  # the first may have joined the held group


async def test_jobs_that_take_too_long_do_not_share_a_commit(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no time to share, each job has a transaction of its own, in the order of the calls."""
    monkeypatch.setattr("laura_fast.storage.environment.MAX_COMMIT_DELAY_S", 0.0)
    table, seen = environment.table(b"t"), list[tuple[int, int]]()

    def note(number: int) -> Callable[[lmdb.Transaction], None]:
        def job(transaction: lmdb.Transaction) -> None:
            if number == 2:
                raise ZeroDivisionError
            seen.append((number, transaction.id()))
            transaction.put(b"n", b"%d" % number, db=table)

        return job

    results = await asyncio.gather(*(environment.write(note(number)) for number in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 2 + [ZeroDivisionError] + [type(None)] * 2
    assert [number for number, _ in seen] == [0, 1, 3, 4]
    assert len({transaction for _, transaction in seen}) == 4


def test_a_second_process_is_refused_by_name(tmp_path: Path) -> None:
    environment = Environment.open(tmp_path)
    code = (
        "import sys; from pathlib import Path; from laura_fast.storage.environment import Environment;"
        "Environment.open(Path(sys.argv[1]))"
    )
    other = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    environment.close()
    assert other.returncode == 1
    assert "is in use by another process (pid " in other.stderr


def test_the_same_process_is_refused_too(environment: Environment, tmp_path: Path) -> None:
    with pytest.raises(DataDirectoryError, match="in use"):
        Environment.open(tmp_path)


@pytest.mark.parametrize("written", ["laura_fast 1\n", "laura_fast 99\n", "", None])
def test_another_format_is_refused_and_left_alone(tmp_path: Path, written: str | None) -> None:
    """Also data without a marker: the marker is there before any data."""
    Environment.open(tmp_path).close()
    marker, data = tmp_path / "FORMAT", tmp_path / "data.mdb"
    if written is None:
        marker.unlink()
    else:
        marker.write_text(written)
    before = data.read_bytes()
    with pytest.raises(DataDirectoryError, match="import them into a new directory") as caught:
        Environment.open(tmp_path)
    assert (f"format {written.strip()!r}" if written is not None else "no format") in str(caught.value)
    assert data.read_bytes() == before
    assert (marker.read_text() if marker.exists() else None) == written


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(DataDirectoryError, match="can't be used"):
        Environment.open(tmp_path / "data")


@pytest.mark.parametrize(
    ("failure", "expected", "later"),
    [
        (lmdb.MapFullError("full"), OverloadedError, None),
        (lmdb.DiskError("No space left on device"), OverloadedError, None),
        (lmdb.Error("Input/output error"), StorageFailedError, StorageFailedError),
    ],
)
async def test_a_full_disk_passes_and_a_failed_one_is_final(
    environment: Environment,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
    expected: type[Exception],
    later: type[Exception] | None,
) -> None:
    """A job can only be refused: after a failed sync nothing may be acknowledged any more."""

    def fail(*_: Any, **__: Any) -> None:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(environment._writer, "_commit", fail)
        with pytest.raises(expected):
            await environment.write(put(environment, b"k", b"1"))
    if later is None:
        await environment.write(put(environment, b"k", b"2"))
        assert get(environment, b"k") == b"2"
    else:
        with pytest.raises(later):
            await environment.write(put(environment, b"k", b"2"))


async def test_a_closed_environment_refuses(tmp_path: Path) -> None:
    environment = Environment.open(tmp_path)
    environment.close()
    with pytest.raises(StorageFailedError):
        await environment.write(lambda _: None)
