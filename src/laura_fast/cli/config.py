"""`config`: the settings, as documentation or as a schema."""

from __future__ import annotations

import json

import click

from laura_fast.config.rendering import as_json_schema, as_markdown


@click.command()
@click.option("--markdown", "form", flag_value="markdown", default=True, help="The table of the README (the default).")
@click.option("--json-schema", "form", flag_value="json-schema", help="JSON schema of the TOML file.")
def command(form: str) -> None:
    """Describe every setting."""
    click.echo(as_markdown() if form == "markdown" else json.dumps(as_json_schema(), indent=2))
