"""What `--json` prints: one object on each line, times in ISO 8601 and UTC."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click


def say(value: Mapping[str, Any]) -> None:
    """In ASCII: nothing in a value can garble a terminal, and every parser reads it."""
    click.echo(json.dumps(value, default=str))


def iso(at: float | None) -> str | None:
    """`2027-03-09T16:30:00.125Z`."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
