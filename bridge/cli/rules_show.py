"""`showbridge rules show`: the texts of a version."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import click

from bridge.cli import json_lines
from bridge.cli.existing import existing_ledger
from bridge.cli.screen import clean, clean_lines, full_time
from bridge.cli.versions import live_now, version_named
from bridge.config import load
from bridge.errors import OperatorError
from bridge.ledger import rule_versions
from bridge.ledger.database import Connection
from bridge.ledger.rule_versions import Published
from bridge.wording import meant


@click.command("show")
@click.argument("version", required=False)
@click.option("--file", "name", help="Only this file of it, such as rules/vip.yaml.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(version: str | None, name: str | None, as_json: bool) -> None:
    """Print the rules of a version, those that are live without one.

    `showbridge rules show VERSION --file rules.yaml > old.yaml` saves a file of
    it; of several files each begins with a line that names it.
    """
    config = load(os.environ)
    with existing_ledger(config) as database, database.snapshot() as connection:
        wanted = version_named(connection, version) if version else live_now(connection).version
        files = rule_versions.files_of(connection, wanted) or {}
        last = _last(connection, wanted)
    files = _chosen(files, name)
    if as_json:
        json_lines.say({"version": wanted, **_when(last), "files": dict(files)})
        return
    click.echo(f"# version {wanted}, {_said(last)}", err=True)
    for file, text in files.items():
        if len(files) > 1:
            click.echo(f"# {'=' * 8} {clean(file)}")
        click.echo(_shown(text), nl=not text.endswith("\n"))


def _last(connection: Connection, version: str) -> Published | None:
    """When it went live last."""
    every = rule_versions.history(connection)
    return next((each for each in every if each.version == version), None)


def _chosen(files: Mapping[str, str], name: str | None) -> Mapping[str, str]:
    if name is None:
        return files
    if name not in files:
        raise OperatorError(f"this version has no file `{clean(name)}`; {meant(name, files)}")
    return {name: files[name]}


def _when(last: Published | None) -> dict[str, object]:
    return {
        "at": json_lines.iso(last.published_at) if last else None,
        "how": last.how if last else None,
        "author": last.author if last else None,
    }


def _said(last: Published | None) -> str:
    if last is None:
        return "never live"
    return f"{last.how} {full_time(last.published_at)} by {clean(last.author)}"


def _shown(text: str) -> str:
    """As it is where it is saved; at a terminal nothing in it can do harm."""
    return clean_lines(text) if sys.stdout.isatty() else text
