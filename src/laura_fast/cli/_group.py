"""The group of commands: each module of this package without a leading underscore is one command.

A word that Python keeps for itself has an underscore behind it as a module: `import_` is ``import``.

A module is imported when its command runs, so that a small command does not pay for the imports of a large one. It
holds a `click.Command` named ``command``.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from typing import cast

import click

import laura_fast.cli
from laura_fast.errors import ConfigError, LauraError

EXIT_RUNTIME = 1
EXIT_USAGE = 2


class Commands(click.Group):
    """Finds commands by module name; a dash in the command is an underscore in the module."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return sorted(_modules())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - same
        if (name := _modules().get(cmd_name)) is None:
            return None
        module = importlib.import_module(f"laura_fast.cli.{name}")
        return cast("click.Command", module.command)


def _modules() -> dict[str, str]:
    """Each command's module."""
    names = (module.name for module in pkgutil.iter_modules(laura_fast.cli.__path__))
    return {name.rstrip("_").replace("_", "-"): name for name in names if not name.startswith("_")}


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="laura-fast")
def commands() -> None:
    """The cluster layer of LauraDB: run a node, look at a cluster and its documents, measure it."""


def main() -> None:
    """Runs the command line. Exit code 0 is success, 1 a failure at run time, 2 wrong usage or configuration."""
    # gRPC's C-core writes lines of its own form to standard error, one for every handshake that any stranger fails. It
    # reads this when it is imported, which no command has done yet; an operator who sets it gets what he asks for.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    try:
        commands(prog_name="laura-fast")
    except ConfigError as error:
        _fail(error, EXIT_USAGE)
    except LauraError as error:
        _fail(error, EXIT_RUNTIME)


def _fail(error: LauraError, code: int) -> None:
    for line in str(error).splitlines():
        click.echo(f"laura-fast: {line}", err=True)
    sys.exit(code)
