"""Random rules and events of the small world, small enough that both outcomes are frequent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from bridge.event import Contact, Event
from tests.rules import oracle

LISTS: Mapping[str, list[Any]] = {"favourites": ["VIP", "Backstage"], "sizes": [1, 3, "5"]}
RECEIVED = datetime(2027, 6, 20, 12, 0, tzinfo=UTC)

_TYPES = ("VIP", "vip", "Standing", "Backstage", "Backstage VIP", "Backstage\u00a0\tvip")
_PHONES = tuple(oracle.COUNTRIES)
_CURRENCIES = ("CAD", "cad", "USD", "EUR")
_LENGTHS = ("1 day", "3 days", "2 weeks", "36 hours", "90 minutes", "1 second", "1.5 days")
_DATE_FIELDS = ("event.time", "tickets.starts_on")
_PATTERNS = ("V*", "*vip*", "?IP", "*", "Stand??g", "b*e")
_COLOURS = ("red", "Blue", "", "7")


def event(random: Random) -> Event:
    """An order with up to three tickets, of which much may not be known."""
    facts = {
        "order": {
            "total": random.choice([None, *map(Decimal, ("0", "20", "100.00", "236.25"))]),
            "currency": random.choice([None, *_CURRENCIES]),
            "gift": random.choice([None, True, False]),
        },
        "tickets": random.choice(
            [None, *[[_ticket(random) for _ in range(random.randrange(5))]] * 12]
        ),
    }
    return Event(
        source=random.choice([*["shop"] * 14, "academy"]),
        type=random.choice([*["order.paid"] * 8, "order.refunded"]),
        contact=Contact(
            email=random.choice([None, "priya@example.com", "Sam@example.org"]),
            first_name=random.choice([None, "Priya", "Backstage", "vip\u200b"]),
            phone=random.choice([None, *_PHONES]),
            consent=random.choice([None, True, False]),
        ),
        facts=facts,
        raw={"colour": random.choice(_COLOURS), "deep": [{"size": random.choice([1, 2, "3"])}]},
        id=f"{random.getrandbits(64):016x}",
        received_at=RECEIVED.timestamp(),
    )


def _ticket(random: Random) -> dict[str, Any]:
    moments = (RECEIVED + timedelta(hours=random.choice([-60, -1, 0, 12, 36, 90, 400])), None)
    return {
        "type": random.choice([None, *_TYPES]),
        "seats": random.choice([None, 1, 2, 2, 3, 3, -1]),
        "starts_on": random.choice([*moments, moments[0]]),
    }


def rule(random: Random) -> dict[str, Any]:
    """As in YAML: a rule with up to five conditions."""
    made: dict[str, Any] = {
        "name": "A rule",
        "when": {"source": "shop", "event": random.choice(["order.*", "order.paid"])},
        "do": [{"chat.post_message": {"channel": "here", "text": "hello"}}],
    }
    member = random.random() < 0.3
    if member:
        made["for_each"] = "tickets"
    if random.random() < 0.05:
        made["enabled"] = False
    if random.random() < 0.08:
        made["only_between"] = random.choice([{"from": "2027-06-21"}, {"to": "2027-06-20"}])
    if random.random() < 0.05:
        made["sample"] = "50%"
    made["when"]["where"] = where(random, member=member)
    return made


def where(random: Random, *, member: bool, depth: int = 2, most: int = 4) -> dict[str, Any]:
    """Conditions below `where`; with `member` some are about `ticket`."""
    found: dict[str, Any] = {}
    for _ in range(random.randint(1, most)):
        found |= _condition(random, member=member, depth=depth)
    return found


def _condition(random: Random, *, member: bool, depth: int) -> dict[str, Any]:
    if depth and random.random() < 0.25:
        kind = random.choice(["any", "all", "not"])
        count = 1 if kind == "not" else random.randint(1, 3)
        parts = [where(random, member=member, depth=depth - 1, most=2) for _ in range(count)]
        return {kind: parts[0] if kind == "not" else parts}
    if random.random() < 0.2:
        return {"tickets": _entries(random, depth)}
    path, kind = random.choice(_FIELDS)
    if member and path.startswith("tickets.") and random.random() < 0.7:
        path = path.replace("tickets.", "ticket.")
    return {path: _wanted(random, kind, depth, path)}


def _entries(random: Random, depth: int) -> dict[str, Any]:
    """What is asked of the tickets one by one, of their number, and of all their seats."""
    asked: dict[str, Any] = {}
    if random.random() < 0.8:
        asked["where"] = _of_entry(random, depth)
    if random.random() < 0.5:
        asked["count"] = _number(random, (0, 1, 2, 3), (0, 2))
    if random.random() < 0.4 or not asked:
        asked["sum"] = {"seats": _number(random, (0, 2, 4, 5, "6"), (2, 5))}
    if random.random() < 0.1:
        asked["present"] = random.choice([True, False])
    return asked


def _number(random: Random, values: tuple[Any, ...], ends: tuple[int, int]) -> Any:
    operators: dict[str, Any] = {}
    for _ in range(random.choice([1, 1, 2])):
        name = random.choice(["at_least", "at_most", "more_than", "less_than", "is", "is_not"])
        operators[name] = random.choice(values)
    if random.random() < 0.2:
        operators["between"] = list(ends)
    if list(operators) == ["is"] and random.random() < 0.5:
        return operators["is"]
    return operators


def _of_entry(random: Random, depth: int) -> dict[str, Any]:
    """Conditions by the names that an entry has for its own fields."""
    if depth and random.random() < 0.2:
        kind = random.choice(["any", "all", "not"])
        count = 1 if kind == "not" else random.randint(1, 2)
        parts = [_of_entry(random, depth - 1) for _ in range(count)]
        return {kind: parts[0] if kind == "not" else parts}
    found = {}
    for name, kind in random.sample(_OWN, random.choice([1, 1, 2])):
        found[name] = _wanted(random, kind, depth, f"tickets.{name}")
    return found


_OWN = (("type", "text"), ("seats", "number"), ("starts_on", "date"))
_FIELDS = (
    ("order.total", "number"),
    ("order.currency", "text"),
    ("order.gift", "yes/no"),
    ("tickets.type", "text"),
    ("tickets.type", "text"),
    ("tickets.seats", "number"),
    ("tickets.starts_on", "date"),
    ("contact.consent", "yes/no"),
    ("contact.email", "address"),
    ("contact.phone", "phone"),
    ("contact.first_name", "text"),
    ("event.time", "date"),
    ("event.type", "type"),
    ("raw.colour", "colour"),
    ("raw.deep.size", "size"),
    ("raw.nothing", "text"),
    ("tickets", "there"),
)


_OTHERS = {
    "text": ("order.currency", "tickets.type", "contact.first_name", "raw.colour"),
    "number": ("order.total", "tickets.seats"),
    "date": ("event.time", "tickets.starts_on"),
}
_COMPARED = {
    "text": ("is", "is_not", "exactly", "contains", "starts_with", "ends_with"),
    "number": ("is", "is_not", "at_least", "at_most", "more_than", "less_than"),
    "date": ("is", "is_not", "before", "after"),
}


def _wanted(random: Random, kind: str, depth: int, path: str) -> Any:
    others = [one for one in _OTHERS.get(kind, ()) if one != path.replace("ticket.", "tickets.")]
    if others and random.random() < 0.12:
        other = {"field": random.choice(others)}
        return random.choice([other, *[{one: other} for one in _COMPARED[kind]]])
    if depth and random.random() < 0.15:
        combined = random.choice(["any", "all", "not"])
        if combined == "not":
            return {"not": _wanted(random, kind, depth - 1, path)}
        return {combined: [_wanted(random, kind, depth - 1, path) for _ in range(2)]}
    operators: dict[str, Any] = {}
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        name, value = random.choice(_OPERATORS[kind])(random)
        operators[name] = value
    if list(operators) == ["is"] and random.random() < 0.5:
        return operators["is"]
    bare = operators.get("one_of")
    if list(operators) == ["one_of"] and isinstance(bare, list) and random.random() < 0.5:
        return bare
    return operators


def _one(name: str, *values: Any) -> Any:
    return lambda random: (name, random.choice(values))


def _some(*values: Any) -> Any:
    return lambda random: ("one_of", random.sample(values, random.randint(1, 2)))


def _moment(random: Random) -> Any:
    base = RECEIVED + timedelta(hours=random.choice([-48, 0, 0, 0, 12, 36, 90]))
    spelled = base.isoformat() if random.random() < 0.5 else f"{base:%Y-%m-%d}"
    length, field = random.choice(_LENGTHS), random.choice(_DATE_FIELDS)
    side = random.choice(["before", "after"])
    counted = (f"in {length}", f"{length} ago", "now", f"{length} {side} {field}")
    return random.choice(["before", "after"]), random.choice([spelled, spelled, *counted])


def _within(random: Random) -> Any:
    side = random.choice(["of", "before", "after"])
    field = random.choice(_DATE_FIELDS)
    length = random.choice(_LENGTHS)
    return "within", random.choice([length, f"{length} {side} {field}"])


def _on(random: Random) -> Any:
    base = RECEIVED + timedelta(hours=random.choice([0, 12, 36]))
    spelled = random.choice([f"{base:%Y-%m-%d}", base.isoformat()])
    return random.choice(["is", "is_not"]), spelled


_THERE = _one("present", True, False)
_TEXT = (
    *(_one(name, *_TYPES, *_CURRENCIES) for name in ("is", "is_not", "exactly")),
    _some(*_TYPES, *_CURRENCIES),
    _one("one_of", "favourites"),
    *(_one(name, "v", "VIP", "ca", "age", "d") for name in ("contains", "starts_with")),
    _one("ends_with", "p", "D", "vip", "ing"),
    _one("matches", *_PATTERNS),
    _THERE,
)
_NUMBERS = (0, 1, 2, 20, 100, 100.0, "100", 236.25, 300)
_NUMBER = (
    *(_one(name, *_NUMBERS) for name in ("is", "is_not", "at_least", "at_most")),
    *(_one(name, *_NUMBERS) for name in ("more_than", "less_than")),
    _one("between", [1, 2], [0, "100"], [20, 236.25]),
    _some(*_NUMBERS),
    _one("one_of", "sizes", ["100", "20"], ["2", "3"]),
    _THERE,
)
_OPERATORS: Mapping[str, tuple[Any, ...]] = {
    "text": _TEXT,
    "number": _NUMBER,
    "yes/no": (
        _one("is", True, False, "yes", "no"),
        _one("is_not", True, False),
        _one("one_of", ["yes"], [False, "no"]),
        _THERE,
    ),
    "date": (
        _moment,
        _moment,
        _within,
        _on,
        _one("one_of", ["2027-06-20", "2027-06-22"], ["2027-06-21"]),
        _one("between", ["2027-06-20", "2027-06-21"], ["2027-06-19", "2027-06-20T13:00:00+00:00"]),
        _THERE,
    ),
    "address": (_one("ends_with", "@example.com", "@EXAMPLE.org"), _one("contains", "@"), _THERE),
    "phone": (
        _one("country", "CA", "Canada", "US", ["GB", "CA"], "uk"),
        _one("starts_with", "+1"),
        _THERE,
    ),
    "type": (_one("is", "order.paid"), _one("matches", "order.*", "*.refunded")),
    "colour": (
        _one("is", "red", "blue", 7),
        _one("is_not", "RED"),
        _one("exactly", "Blue"),
        _THERE,
    ),
    "size": (_one("is", 1, "1", 3), _one("at_least", 2), _one("one_of", "sizes"), _THERE),
    "there": (_THERE,),
}


def text(made: Mapping[str, Any]) -> str:
    """The file with this rule. JSON is YAML, with quotes around every text."""
    head = {"lists": LISTS, "time_zone": "UTC", "country": "Canada"}
    return json.dumps({**head, "rules": [made]}, indent=1)
