"""How fast, as people type it: `5/s`, `100/min`, `max`."""

from __future__ import annotations

import re

import click

AT_ONCE = float("inf")

_SPEED = re.compile(r"(\d+(?:\.\d+)?)\s*(?:/\s*(s|sec|second|min|minute|h|hour))?", re.ASCII)
_SECONDS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600}


def speed(_ctx: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """For an option's callback: so many a second; AT_ONCE for `max`."""
    if value is None:
        return None
    try:
        return parse(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no speed; write for example `5/s`, `100/min` or `max`"
        ) from None


def parse(text: str) -> float:
    """So many a second; raises ValueError."""
    text = text.strip().lower()
    if text == "max":
        return AT_ONCE
    found = _SPEED.fullmatch(text)
    if found is None or float(found[1]) == 0:
        raise ValueError(text)
    return float(found[1]) / _SECONDS[found[2] or "s"]
