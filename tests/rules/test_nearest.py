"""How near an event came: what is said beside why a condition does not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bridge import rules
from bridge.event import Event

Where = Callable[[str], rules.RuleSet]


def near(where: Where, condition: str, event: Event) -> str:
    [asked] = rules.examine(where(condition).rules[0], event).asked
    return asked.nearest


@pytest.fixture
def received(order: Event) -> Event:
    """Two days and an hour before the one ticket whose time is known."""
    return replace(order, received_at=datetime(2027, 7, 1, 0, 30, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{order.total: {at_least: 250}}", "13.75 too little"),
        ("{order.total: {at_most: 200}}", "36.25 too much"),
        ("{order.total: {at_least: 250, at_most: 200}}", "13.75 too little, 36.25 too much"),
        ("{tickets.seats: {at_least: 4}}", "2 is nearest, 2 too little"),
        ("{tickets.seats: {at_most: 0}}", "1 is nearest, 1 too much"),
        ("{tickets.starts_on: {before: 2027-07-01}}", "2 days too late"),
        ("{tickets.starts_on: {before: 2027-07-03}}", "2 hours too late"),
        ("{tickets.starts_on: {after: 2027-07-03}}", "22 hours too early"),
        ("{tickets.starts_on: {before: in 2 days}}", "1 hour too late"),
        ("{tickets.starts_on: {within: 1 day}}", "1 day too late"),
        ("{event.time: {within: 1 day of tickets.starts_on}}", "1 day too early"),
        ("{event.time: {within: 1 day after tickets.starts_on}}", "2 days too early"),
        ("{tickets.type: VIPP}", "“VIP” is almost “VIPP”"),
        ("{tickets.type: [Standin, Balcony]}", "“Standing” is almost “Standin”"),
        ("{tickets.type: {exactly: vip}}", "“VIP” differs from “vip” in capitals only"),
        ("{order.currency: XYZ}", ""),
        ("{order.gift: true}", ""),
        ("{order.total: {present: false}}", ""),
        ("{tickets.type: {matches: VI}}", ""),
        ("{raw.unknown: {at_least: 5}}", ""),
        ("{raw.deep.list.colour: {at_least: 5}}", ""),
        ("{contact.email: priyaa@example.com}", ""),
        ("{order.total: {at_least: 5}}", ""),
    ],
)
def test_how_near_it_came(where: Where, received: Event, condition: str, said: str) -> None:
    assert near(where, condition, received) == said


def test_addresses_under_any_name_stay_unsaid(where: Where, order: Event) -> None:
    event = replace(order, raw={"note": "sam@example.com"})
    assert near(where, "{raw.note: sam@example.org}", event) == ""
