"""Crash points do nothing unless a test arms them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from laura_fast.storage import crash_points


def test_an_armed_action_sees_every_point_until_it_is_disarmed() -> None:
    seen: list[str] = []
    crash_points.arm(seen.append)
    crash_points.reach("job-begun")
    crash_points.arm(None)
    crash_points.reach("job-begun")
    assert seen == ["job-begun"]


def test_the_environment_lets_a_process_die_at_a_point() -> None:
    loop = "for number in (1, 2, 3): print(number, flush=True); reach('job-begun')"
    code = f"from laura_fast.storage.crash_points import reach\n{loop}"
    environment = os.environ | {crash_points.VARIABLE: "job-begun:2"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "1\n2\n")


def test_a_point_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="group-committed"):
        crash_points.dying_at("somewhere", 1)
