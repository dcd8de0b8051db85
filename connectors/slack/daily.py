"""What happened since yesterday, by groups, as one message at the same time of every day."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

from bridge.connector import Field
from connectors.slack.digest import counted_in_words
from connectors.slack.items import Placed, Said
from connectors.slack.layouts import mrkdwn, plain_text, received_at
from connectors.slack.money import is_money, money
from connectors.slack.text import escape_mrkdwn, one_line, unescaped

GROUPS_SHOWN = 20
_GROUPS_OF_A_SECTION = 10
_LONGEST_NAME = 100
_NUMBER = re.compile(r"[-+]?\d{1,15}(\.\d{1,6})?", re.ASCII)
_AT = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


def _time_of_day(text: str) -> str:
    found = _AT.fullmatch(text.strip())
    if found is None:
        raise ValueError('write a time such as "09:00"')
    return f"{int(found[1]):02}:{found[2]}"


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name.strip()).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("there is no such time zone; write one like Europe/Berlin") from None


class DailyDigest(Placed):
    """One sale, refund or other entry of the day's message."""

    example: ClassVar[Mapping[str, Any]] = {
        "channel": "#sales",
        "title": "Sales per event",
        "at": "09:00",
        "time_zone": "Europe/Berlin",
        "group_by": "{{ tickets[0].event_name }}",
        "amount": "{{ order.total }}",
        "currency": "{{ order.currency }}",
        "kind": "{{ 'refund' if event.type == 'invoice.refund' else 'sale' }}",
    }

    title: Said = Field(default="Daily summary", description="The headline of the message.")
    at: Annotated[str, AfterValidator(_time_of_day)] = Field(
        default="09:00", description='When the message comes every day, such as "09:00" in quotes.'
    )
    time_zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="UTC",
        description="The time zone of `at`, such as Europe/Berlin; without it the one of the "
        "rules.",
    )
    covers: Literal["since the last one", "yesterday"] = Field(
        default="since the last one",
        description="`since the last one`: all until the message comes. `yesterday`: the whole "
        "day before, from midnight to midnight.",
    )
    group_by: Said = Field(
        default="", description="What is added up by itself, such as the name of the event."
    )
    noun: Said = Field(default="sale", description="What one entry is called, in the singular.")
    kind: Literal["sale", "refund"] = Field(
        default="sale",
        description="`refund`: counted apart, and taken off the total.",
    )
    amount: Said = Field(
        default="", description="The amount as a plain number, such as `{{ order.total }}`."
    )
    currency: Said = Field(
        default="", description="The currency of the amount. Each has a total of its own."
    )

    @property
    def round(self) -> str:
        """What comes in one message; refunds and sales of two rules do."""
        told = "\0".join((self.place, self.title, self.at, self.time_zone, self.covers))
        return f"{self.place} at {self.at} {hashlib.sha256(told.encode()).hexdigest()[:8]}"


def not_before(item: DailyDigest, received: datetime) -> datetime:
    """The next time that the item's clock shows `at`: after it was received, or the day after.

    Where the clock is put forward over that time, an hour later by the clock; where
    it is put back over it, the first of both.
    """
    zone = ZoneInfo(item.time_zone)
    clock = time.fromisoformat(item.at)
    day = received.astimezone(zone).date()
    if item.covers == "yesterday":
        day += timedelta(days=1)
    while True:
        due = datetime.combine(day, clock, zone).astimezone(UTC)
        if due > received:
            return due
        day += timedelta(days=1)


@dataclass
class _Sum:
    """One group's: how many, and how much in each currency."""

    counts: dict[str, int] = field(default_factory=dict)
    refunds: int = 0
    sold: dict[str, Decimal] = field(default_factory=dict)
    refunded: dict[str, Decimal] = field(default_factory=dict)
    unread: int = 0

    @property
    def entries(self) -> int:
        return sum(self.counts.values()) + self.refunds

    def add(self, item: DailyDigest) -> None:
        is_refund = item.kind == "refund"
        if is_refund:
            self.refunds += 1
        else:
            noun = one_line(item.noun, _LONGEST_NAME) or "entry"
            self.counts[noun] = self.counts.get(noun, 0) + 1
        amount = _amount(item.amount)
        if amount is None:
            self.unread += bool(item.amount.strip())
            return
        # Some senders write what goes back with a minus, others do not.
        amount = abs(amount) if is_refund else amount
        currency = unescaped(item.currency).strip().upper()[:3]
        totals = self.refunded if is_refund else self.sold
        totals[currency] = totals.get(currency, Decimal(0)) + amount

    def in_words(self) -> str:
        """`12 sales, CAD 1,200.00 · 2 refunds, CAD 100.00 · CAD 1,100.00 left`."""
        told = [counted_in_words(count, noun) for noun, count in self.counts.items()]
        parts = [_told(told, self.sold)] if told else []
        if self.refunds:
            parts.append(_told([counted_in_words(self.refunds, "refund")], self.refunded))
        if self.refunded and self.sold:
            parts.append(f"{_totals(self._left())} left")
        return " · ".join(parts)

    def _left(self) -> dict[str, Decimal]:
        currencies = dict.fromkeys([*self.sold, *self.refunded])
        zero = Decimal(0)
        return {one: self.sold.get(one, zero) - self.refunded.get(one, zero) for one in currencies}


def summed_up(items: Sequence[DailyDigest]) -> tuple[list[dict[str, Any]], str]:
    """Blocks, and the text for where they are not shown; values in both are escaped."""
    everything, groups = _Sum(), dict[str, _Sum]()
    for item in items:
        name = one_line(item.group_by, _LONGEST_NAME) or "without a name"
        for one in (everything, groups.setdefault(name, _Sum())):
            one.add(item)
    title = " ".join(items[0].title.split()) or "Daily summary"
    lines = list(_lines(groups))
    overall = everything.in_words()
    blocks: list[dict[str, Any]] = [{"type": "header", "text": plain_text(title)}]
    for start in range(0, len(lines), _GROUPS_OF_A_SECTION):
        told = "\n".join(lines[start : start + _GROUPS_OF_A_SECTION])
        blocks.append({"type": "section", "text": mrkdwn(told)})
    if len(groups) > 1:
        blocks.append({"type": "section", "text": mrkdwn(f"*All together:* {overall}")})
    remarks = [mrkdwn(remark) for remark in _remarks(items, everything)]
    if remarks:
        blocks.append({"type": "context", "elements": remarks})
    return blocks, f"{title}: {overall}"


def _lines(groups: Mapping[str, _Sum]) -> Iterator[str]:
    """The largest first, the others counted."""
    ordered = sorted(groups.items(), key=lambda group: (-group[1].entries, group[0]))
    for name, one in ordered[:GROUPS_SHOWN]:
        yield f"• *{name}:* {one.in_words()}"
    others = [one for _, one in ordered[GROUPS_SHOWN:]]
    if others:
        entries = sum(one.entries for one in others)
        told = counted_in_words(entries, "entry")
        yield f"and {counted_in_words(len(others), 'more group')} with {told}"


def _remarks(items: Sequence[DailyDigest], everything: _Sum) -> Iterator[str]:
    zone = ZoneInfo(items[0].time_zone)
    times = [when.astimezone(zone) for when in map(received_at, items) if when is not None]
    if times:
        first, last = min(times), max(times)
        yield f"Received from {first:%-d %B %H:%M} to {last:%-d %B %H:%M} ({zone.key})"
    if everything.unread:
        yield f"Without {counted_in_words(everything.unread, 'amount')} that could not be read"


def _amount(text: str) -> Decimal | None:
    plain = text.strip().replace(",", "")
    amount = Decimal(plain) if _NUMBER.fullmatch(plain) else None
    return amount if amount is not None and is_money(amount) else None


def _told(counted: Sequence[str], totals: Mapping[str, Decimal]) -> str:
    return ", ".join([" and ".join(counted), *([_totals(totals)] if totals else [])])


def _totals(totals: Mapping[str, Decimal]) -> str:
    return " + ".join(escape_mrkdwn(money(total, one)) for one, total in totals.items())
