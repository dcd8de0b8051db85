"""Many messages of one channel as one: what they sum up to, the first few, and how many more."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from bridge.connector import Gist
from connectors.slack.money import is_money, money
from connectors.slack.text import escape_mrkdwn, one_line

SHOWN = 5
LONGEST_LINE = 200

WHY = "_This channel was behind: Slack takes one message a second, so these come together._"


def digest_text(texts: Sequence[str], gists: Sequence[Gist | None], seconds: float) -> str:
    """One message for all of them; `seconds` is how long the first has waited."""
    lines = [f"*{summary(gists)}, {time_in_words(seconds)}*", WHY]
    lines += [f"• {one_line(text, LONGEST_LINE)}" for text in texts[:SHOWN]]
    more = len(texts) - SHOWN
    return "\n".join([*lines, f"and {more:,} more"] if more > 0 else lines)


def summary(gists: Sequence[Gist | None]) -> str:
    """`37 purchases, CAD 4,120.00 and 3 refunds, USD 60.00`; what nobody can sum up is counted."""
    known = [gist for gist in gists if gist is not None and gist.what.strip()]
    kinds = dict.fromkeys(gist.what for gist in known)
    parts = [_kind(what, [gist for gist in known if gist.what == what]) for what in kinds]
    others = len(gists) - len(known)
    if others:
        parts.append(counted_in_words(others, "other message" if parts else "message"))
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 2 else parts)


def _kind(what: str, gists: Sequence[Gist]) -> str:
    counted = counted_in_words(len(gists), escape_mrkdwn(what))
    totals = _totals(gists)
    return f"{counted}, {' + '.join(totals)}" if totals else counted


def counted_in_words(number: int, what: str) -> str:
    """`1 sale`, `1,200 sales`."""
    return f"{number:,} {what if number == 1 else plural(what)}"


def plural(noun: str) -> str:
    """`purchases`, `entries`, `passes`."""
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if re.search(r"(s|x|z|ch|sh)$", noun) else f"{noun}s"


def _totals(gists: Iterable[Gist]) -> list[str]:
    totals: dict[str, Decimal] = {}
    for gist in gists:
        amount, currency = gist.amount, gist.currency.strip().upper()[:3]
        if amount is not None and is_money(amount):
            totals[currency] = totals.get(currency, Decimal(0)) + amount
    return [escape_mrkdwn(money(total, currency)) for currency, total in totals.items()]


def time_in_words(seconds: float) -> str:
    """`in the last 12 minutes`, as exact as a person would say it."""
    minutes, hours = _nearest(seconds / 60), _nearest(seconds / 3600)
    if minutes < 90 and minutes != 60:
        return _last(minutes, "minute")
    return _last(hours, "hour") if hours < 36 else _last(_nearest(hours / 24), "day")


def _nearest(number: float) -> int:
    return max(1, math.floor(number + 0.5))


def _last(number: int, unit: str) -> str:
    return f"in the last {unit}" if number == 1 else f"in the last {number:,} {unit}s"
