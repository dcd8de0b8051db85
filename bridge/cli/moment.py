"""Points in time as people type them: `2 hours`, `90m`, `2027-03-09`, `2027-03-09 14:30`."""

from __future__ import annotations

import re
import time
from datetime import datetime

import click

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)(?:\s+ago)?", re.ASCII | re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_UNITS = {
    **dict(zip(_SECONDS, _SECONDS, strict=True)),
    "sec": "s",
    "second": "s",
    "min": "m",
    "minute": "m",
    "hr": "h",
    "hour": "h",
    "day": "d",
    "week": "w",
}


def moment(_ctx: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """For an option's callback: a time ago, or an ISO date or time, as Unix seconds.

    A time that names no zone is local.
    """
    if value is None:
        return None
    try:
        return parse(value, time.time())
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no time; write for example `2 hours`, `3 days`, `2027-03-09` "
            "or `2027-03-09T14:30`"
        ) from None


def parse(text: str, now: float) -> float:
    """Unix seconds; raises ValueError."""
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return now - float(ago[1]) * _SECONDS[_unit(ago[2].lower())]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except OverflowError as error:
        raise ValueError(text) from error


def _unit(word: str) -> str:
    unit = _UNITS.get(word) or _UNITS.get(word.removesuffix("s"))
    if unit is None:
        raise ValueError(word)
    return unit
