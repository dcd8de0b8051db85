"""Random rules about the ticket shop, and random webhooks of it: the same for the same seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any
from uuid import UUID

from bridge.sources.showpad import Showpad
from bridge.sources.showpass import Showpass

PEOPLE = ("ana", "bo", "cy", "dee")
TYPES = ("VIP", "General admission", "Backstage", "vip lounge", "Étudiant")
SHOWS = ("Bow River Folk Night", "Jazz am Fluss", "Opening")
PHONES = ("+1 403 555 0142", "(403) 555-0142", "+1 212 555 0142", "+44 20 7946 0958", None)
AMOUNTS = ("0.00", "20.00", "99.99", "100", "236.25")
EVENTS = ("invoice.purchase", "invoice.refund", "invoice.*", "[invoice.purchase, invoice.void]")
ZONES = ("UTC", "America/Edmonton", "Asia/Kolkata")

Make = Callable[[Random], Any]


def rules_text(random: Random, count: int) -> str:
    """So many rules, each of its own name, as a file."""
    head = {"time_zone": random.choice(ZONES), "lists": {"good": list(TYPES[:2])}}
    head |= {"country": "CA"}
    rules = [_rule(random, f"Rule {number}") for number in range(count)]
    return json.dumps({**head, "rules": rules})


def webhook(random: Random, number: int, known: Sequence[str]) -> tuple[str, bytes, str]:
    """A source's name, a body, and its transaction; `known` are those that came before."""
    if random.random() < 0.08:
        sample = random.choice(Showpad.samples())
        return "showpad", _identified(sample.text, random), ""
    sample = random.choice((*[Showpass.samples()[0]] * 6, *Showpass.samples()[1:]))
    payload = json.loads(_identified(sample.text, random))
    name = f"order-{number}"
    if sample.name in ("invoice.refund", "invoice.void") and known:
        name = random.choice(known[-4:])
    payload["id"] = name
    _vary(payload["data"], random, name)
    return "showpass", json.dumps(payload).encode(), name


def _identified(text: str, random: Random) -> bytes:
    return text.replace("{{ uuid }}", str(UUID(int=random.getrandbits(128)))).encode()


def _vary(data: dict[str, Any], random: Random, name: str) -> None:
    person = random.choice(PEOPLE)
    data["transaction_id"] = name
    data["customer_email"] = random.choice((f"{person}@example.com", f"{person}@example.com", None))
    data["customer_phone_number"] = random.choice(PHONES)
    data["customer_name"] = random.choice((person.title(), f"{person} <b>", "No Name", None))
    data["subscribe_to_venue"] = random.choice((True, False, None))
    data["currency"] = random.choice(("CAD", "usd", None))
    data["net_sales"] = random.choice((*AMOUNTS, None))
    for item in data.get("ticket_items") or ():
        item["ticket_type_name"] = random.choice((*TYPES, None))
        item["event_name"] = random.choice(SHOWS)
        item["email_on_ticket"] = random.choice((data["customer_email"], "x@example.org", None))
    if data.get("ticket_items"):
        data["ticket_items"] = data["ticket_items"][: random.randrange(4)]


def _rule(random: Random, name: str) -> dict[str, Any]:
    member = random.random() < 0.2
    when: dict[str, Any] = {"source": "showpass"}
    if member or random.random() < 0.9:
        event = "invoice.purchase" if member else random.choice(EVENTS)
        when["event"] = event.strip("[]").split(", ") if event.startswith("[") else event
    else:
        when = {"source": random.choice(("showpad", "show*"))}
    if when.get("event"):
        where = dict(_condition(random, member) for _ in range(random.randrange(4)))
        when |= {"where": where} if where else {}
    rule = {"name": name, "when": when, **_options(random, member, "event" in when)}
    steps = random.sample(range(3), random.choice((1, 1, 2, 3)))
    return {**rule, "do": [_STEPS[each](random, member) for each in steps]}


def _options(random: Random, member: bool, known: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"for_each": "tickets"} if member else {}
    for name, share, make in _OPTIONS:
        if random.random() < share:
            options[name] = make(random)
    if options.keys() & {"after", "at"} and random.random() < 0.5:
        options["unless"] = random.choice(
            ("invoice.refund", {"event": "invoice.*", "same": "contact"})
        )
    if not known:
        # What only invoices say is nothing of everything.
        options.pop("unless", None)
        options.pop("once_per", None)
    return options


_OPTIONS: Sequence[tuple[str, float, Make]] = (
    ("enabled", 0.05, lambda random: random.random() < 0.5),
    ("stop", 0.08, lambda _: True),
    ("sample", 0.08, lambda random: f"{random.choice((10, 50, 90))}%"),
    (
        "only_between",
        0.08,
        lambda random: {
            "from": random.choice(("2020-01-01", "2023-11-20")),
            "to": random.choice(("2023-11-25", "2030-12-31")),
        },
    ),
    (
        "once_per",
        0.2,
        lambda random: random.choice(
            (
                *("contact", "transaction", "event", "{{ contact.email }} {{ event.type }}"),
                {"of": "contact", "within": "3 days"},
            )
        ),
    ),
    ("after", 0.12, lambda random: random.choice(("2 hours", "1 day", "90 minutes", "5 days"))),
    ("at", 0.08, lambda random: random.choice(("09:00", "23:30 America/Halifax"))),
    (
        "quiet_hours",
        0.08,
        lambda random: {"from": random.choice(("22:00", "12:00")), "to": "08:00"},
    ),
)


def _condition(random: Random, member: bool) -> tuple[str, Any]:
    kind = random.random()
    if kind < 0.12:
        parts = [dict([_test(random, member)]) for _ in range(random.choice((1, 2, 3)))]
        return random.choice(("any", "all")), parts
    if kind < 0.2:
        return "not", dict([_test(random, member)])
    return _test(random, member)


def _test(random: Random, member: bool) -> tuple[str, Any]:
    path, makers = random.choice(_MEMBER_TESTS if member and random.random() < 0.6 else _TESTS)
    return path, random.choice(makers)(random)


def _texts(values: Sequence[str]) -> list[Make]:
    def some(random: Random) -> str:
        return random.choice(values)

    return [
        some,
        lambda random: {"is_not": some(random)},
        lambda random: {"one_of": random.sample(list(values), 2)},
        lambda random: {"contains": some(random)[:3]},
        lambda random: {"starts_with": some(random)[:2].upper()},
        lambda random: {"ends_with": some(random)[-2:]},
        lambda random: {"matches": f"{some(random)[:1]}*"},
        lambda random: {"exactly": some(random)},
        lambda random: {"present": random.random() < 0.5},
        lambda random: {"not": {"contains": some(random)[:2]}},
    ]


_MONEY: list[Make] = [
    lambda random: {"at_least": random.choice((20, 99.99, 100))},
    lambda random: {"at_most": random.choice((20, "100.00", 236.25))},
    lambda random: {"at_least": 20, "at_most": random.choice((50, 100))},
    lambda random: random.choice((20, "236.25", 100)),
    lambda random: {"one_of": [20, 100]},
    lambda random: {random.choice(("more_than", "less_than")): random.choice((20, 100))},
    lambda random: {"between": [20, random.choice((99.99, 300))]},
    lambda random: {"at_least": {"field": random.choice(("order.tax", "items.total"))}},
    lambda random: {"present": random.random() < 0.5},
]
_DATES: list[Make] = [
    lambda random: {"within": random.choice(("7 days", "90 weeks", "900 days before event.time"))},
    lambda random: {"after": random.choice(("now", "in 3 days", "2027-07-03", "2 days ago"))},
    lambda random: {"before": random.choice(("2027-07-04T00:00:00-06:00", "in 900 days"))},
]
_COUNTS: list[Make] = [
    lambda random: {"at_least": random.randrange(1, 4)},
    lambda random: {"at_most": random.randrange(3)},
    lambda random: {"more_than": 0, "less_than": random.choice((2, 3))},
    lambda random: {"between": [1, 2]},
    lambda random: random.randrange(4),
]
_OWN: Sequence[tuple[str, list[Make]]] = (
    ("type", [*_texts(TYPES), lambda _: {"one_of": "good"}]),
    ("event_name", _texts(SHOWS)),
    ("starts_on", _DATES),
    ("holder_email", [lambda _: {"is_not": {"field": "contact.email"}}]),
)


def _of_tickets(random: Random) -> dict[str, Any]:
    own = dict(_made(random, one) for one in random.sample(_OWN, random.choice((1, 2))))
    return {"where": own, **({"count": random.choice(_COUNTS)(random)} if _half(random) else {})}


def _of_items(random: Random) -> dict[str, Any]:
    asked: dict[str, Any] = {"sum": {"quantity": random.choice(_COUNTS)(random)}}
    if _half(random):
        asked["sum"]["total"] = random.choice(({"more_than": 50}, {"at_most": 150}))
    if _half(random):
        asked["where"] = {"type": random.choice(_texts(TYPES))(random)}
    return asked


def _half(random: Random) -> bool:
    return random.random() < 0.5


def _made(random: Random, one: tuple[str, list[Make]]) -> tuple[str, Any]:
    return one[0], random.choice(one[1])(random)


_TESTS: Sequence[tuple[str, list[Make]]] = (
    ("order.total", _MONEY),
    ("order.currency", _texts(("CAD", "USD", "EUR"))),
    ("contact.email", _texts([f"{each}@example.com" for each in PEOPLE])),
    ("contact.name", _texts([each.title() for each in PEOPLE])),
    ("contact.consent", [lambda random: random.random() < 0.5, lambda _: {"present": True}]),
    ("tickets.type", [*_texts(TYPES), lambda _: {"one_of": "good"}]),
    ("tickets.event_name", _texts(SHOWS)),
    ("tickets.starts_on", _DATES),
    ("tickets", [_of_tickets]),
    ("tickets", [_of_tickets]),
    ("items", [_of_items]),
    ("contact.phone", [lambda random: {"country": random.choice(("CA", "US", ["GB", "CA"]))}]),
    ("contact.email", [lambda _: {"field": "tickets.holder_email"}]),
    ("event.type", _texts(("invoice.purchase", "invoice.void"))),
)
_MEMBER_TESTS: Sequence[tuple[str, list[Make]]] = (
    ("ticket.type", [*_texts(TYPES), lambda _: {"one_of": "good"}]),
    ("ticket.event_name", _texts(SHOWS)),
    ("ticket.starts_on", _DATES),
)


def _said(random: Random, member: bool) -> str:
    told = ["Hello", "{{ contact.name or 'Someone' }}", "{{ contact.email | default('?') }}"]
    told += ["{{ event.type }} {{ event.id }}", "{{ event.time | date('America/Halifax') }}"]
    told += ["{{ ticket.type }} for {{ ticket.event_name | upper }}"] if member else []
    return " ".join(random.sample(told, 2))


_STEPS: Sequence[Callable[[Random, bool], dict[str, Any]]] = (
    lambda random, member: {
        "hubspot.upsert_contact": {
            "email": "{{ contact.email }}",
            "properties": {"firstname": _said(random, member), "lifecyclestage": "customer"},
        }
    },
    lambda random, member: {
        "slack.post_message": {
            "channel": f"#room-{random.randrange(10_000)}",
            "text": _said(random, member),
        }
    },
    lambda random, member: {
        "mailchimp.subscribe": {
            "audience": "newsletter",
            "email": "{{ contact.email }}",
            "tags": ["{{ contact.name or event.type }}"] if random.random() < 0.3 else ["fan"],
        }
    },
)
