"""`showbridge rules schema`: what editors need to help with rules files."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

import click

from bridge.cli.screen import clean_lines
from bridge.config import load, world
from bridge.errors import OperatorError
from bridge.registry import installed
from bridge.rules import World
from bridge.rules.editor import schema


@click.command("schema")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it there instead.",
)
def command(output: Path | None) -> None:
    """Print the JSON Schema of the rules, by which editors complete and check them.

    It knows the sources and accounts of bridge.yaml; where there is none, all that
    are installed. Make it again after a change of bridge.yaml.
    """
    text = json.dumps(schema(_world()), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    _write(output, text)
    click.echo(f"Written: {output}. The first line of a rules file beside it:\n")
    click.echo(f"# yaml-language-server: $schema={output.name}")


def _world() -> World:
    try:
        return world(load(os.environ))
    except OperatorError as error:
        first = clean_lines(str(error)).partition("\n")[0]
        click.echo(f"All that is installed, since bridge.yaml cannot be used: {first}", err=True)
    known = installed()
    return World(sources=known.sources, accounts=known.connectors)


def _write(output: Path, text: str) -> None:
    """Whole, or not at all; raises OperatorError."""
    draft = output.with_name(f".{output.name}.{secrets.token_hex(8)}")
    try:
        draft.write_text(text, "utf-8")
        # No secret is in it, and editors of other people read it.
        draft.chmod(0o644)
        draft.replace(output)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise OperatorError(f"{output} cannot be written: {error.strerror}") from error
