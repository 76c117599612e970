"""Command-line options of every scenario; each can also be set in the environment, most of them in the web UI."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from locust import events

from common.plans import PLANS

if TYPE_CHECKING:
    from locust.argument_parser import LocustArgumentParser

_FORKS = "--processes"


OPTIONS: dict[str, dict[str, Any]] = {
    "--shape": {
        "choices": ["", *PLANS],
        "default": "",
        "help": "how the load changes over --run-time, up to --users (default: constant)",
        "include_in_web_ui": False,
    },
    "--limit-p99": {"type": float, "default": 0.0, "help": "fail when the p99 of any RPC is above this, ms; 0 = off"},
    "--limit-error-rate": {
        "type": float,
        "default": 0.0,
        "help": "fail when more than this share of requests fails, 0…1",
    },
    "--latency-json": {
        "default": "",
        "help": "write percentiles and histograms to this file",
        "include_in_web_ui": False,
    },
    "--beat-interval": {"type": float, "default": 1.0, "help": "seconds between two heartbeats of a node"},
    "--beat-jitter": {"type": float, "default": 0.1, "help": "share of the interval that each beat moves by at random"},
    "--death-rate": {"type": float, "default": 0.002, "help": "chance that a node dies instead of beating, 0…1"},
    "--down-time": {"type": float, "default": 5.0, "help": "seconds that a dead node stays away"},
    "--long-poll": {
        "type": float,
        "default": 0.0,
        "help": "seconds that a topology poll may wait in the server for news; its time then includes the wait",
    },
    "--omit-members": {"action": "store_true", "help": "registrations ask for an answer without the other nodes"},
    "--seed": {"type": int, "default": 1, "help": "of every random choice that the users make"},
}


@events.init_command_line_parser.add_listener
def _add_options(parser: LocustArgumentParser, **_: Any) -> None:
    # gRPC does not survive a fork once it has started, and it has by now.
    if any(argument.partition("=")[0] == _FORKS for argument in sys.argv):
        sys.exit(f"{_FORKS} forks after gRPC has started: start each worker by itself with --worker")
    for flag, settings in OPTIONS.items():
        parser.add_argument(flag, env_var=f"LAURA_FAST_LOAD_{flag.strip('-').replace('-', '_').upper()}", **settings)
