"""What will happen, all of it drawn from one seed before anything starts."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

AUDIENCE = "a1b2c3d4e5"
EVERYTHING = "everything"
"""As a target: all parts of the bridge at once, as when the machine loses its power."""

TARGETS: Mapping[str, int] = {
    "worker 1": 17,
    "worker 2": 17,
    "a web worker": 18,
    "web": 12,
    "clock 1": 6,
    "clock 2": 6,
    "redis": 14,
    "database": 12,
    EVERYTHING: 4,
}
PERIOD = 6.0
"""Seconds after which the vendors' weather changes."""

Rates = Mapping[str, Mapping[str, float]]
CALM: dict[str, float] = {"before": 0, "after": 0, "reset": 0, "slow": 0, "throttle": 0}
_WEATHERS: Sequence[dict[str, float]] = (
    CALM,
    CALM | {"before": 0.15},
    CALM | {"after": 0.1},
    CALM | {"reset": 0.15},
    CALM | {"slow": 0.1},
    CALM | {"before": 0.03, "after": 0.03, "reset": 0.03, "slow": 0.03},
)


@dataclass(frozen=True)
class Size:
    """How much of what: `rate` in webhooks a second; of answers, `slow` and `resets` at least."""

    kills: int = 200
    seconds: float = 300.0
    persons: int = 300
    rate: float = 6.0
    slow: float = 0.02
    resets: float = 0.0


@dataclass(frozen=True)
class Webhook:
    """One event of a person, to be sent `at` or when the one before it is acknowledged.

    `sequence` counts the person's events. `again` are redeliveries: seconds
    after the first try, whatever became of that.
    """

    uuid: str
    email: str
    sequence: int
    kind: str
    transaction: str
    channel: str
    consents: bool
    poisoned: bool
    at: float
    again: tuple[float, ...] = ()


@dataclass(frozen=True)
class Kill:
    """`kill -9` of `target`, which comes back after `back_after` seconds; `wipe` is for Redis.

    `draw` (0 to 1) says which one where the target has several processes.
    """

    at: float
    target: str
    back_after: float
    wipe: bool
    draw: float


@dataclass(frozen=True)
class Plan:
    """`left` have unsubscribed before it all begins; `refunded_first` buy after their refund."""

    seed: int
    webhooks: Sequence[Webhook]
    kills: Sequence[Kill]
    wipes: Sequence[float]
    weather: Sequence[tuple[float, Rates]]
    left: frozenset[str]
    refunded_first: frozenset[str]

    @property
    def fingerprint(self) -> str:
        """The same for the same plan."""
        told = (self.webhooks, self.kills, self.wipes, self.weather, sorted(self.left))
        return hashlib.sha256(repr(told).encode()).hexdigest()[:12]


def make(seed: int, size: Size, *, with_database: bool, slow_seconds: float) -> Plan:
    """`with_database`: there is a database server to kill."""
    lot = random.Random(f"plan {seed}")
    emails = [f"person-{number:04}@chaos.example" for number in range(size.persons)]
    left = frozenset(lot.sample(emails, len(emails) // 16))
    others = [email for email in emails if email not in left]
    refunded_first = frozenset(lot.sample(others, len(others) // 16))
    return Plan(
        seed=seed,
        webhooks=sorted(_webhooks(lot, emails, refunded_first, size), key=lambda each: each.at),
        kills=list(_kills(lot, size, with_database)),
        wipes=sorted(lot.uniform(1, size.seconds) for _ in range(max(3, size.kills // 8))),
        weather=list(_weather(lot, size, slow_seconds)),
        left=left,
        refunded_first=refunded_first,
    )


def _webhooks(
    lot: random.Random, emails: Sequence[str], refunded_first: frozenset[str], size: Size
) -> Iterator[Webhook]:
    total = int(size.seconds * size.rate)
    each = max(2, round(total / len(emails)))
    for number, email in enumerate(emails):
        count = 2 if email in refunded_first else max(1, each + lot.randint(-2, 2))
        times = sorted(lot.uniform(0, size.seconds) for _ in range(count))
        kinds = list(_kinds(lot, count, first_refunded=email in refunded_first))
        # Ids are recognised where somebody reads them in a message.
        transaction = f"{seed_text(lot)}-{number:04}"
        for index, (at, kind) in enumerate(zip(times, kinds, strict=True)):
            if kind == "invoice.purchase" and email not in refunded_first:
                transaction = f"{seed_text(lot)}-{number:04}"
            yield Webhook(
                uuid=f"{seed_text(lot)}{seed_text(lot)}",
                # The same person, however the address is written.
                email=email.upper() if lot.random() < 0.05 else email,
                sequence=index + 1,
                kind=kind,
                transaction=transaction,
                channel=_channel(number),
                consents=lot.random() < 0.6,
                poisoned=lot.random() < 0.03 and email not in refunded_first,
                at=at,
                again=tuple(_again(lot, size.seconds - at)),
            )


def seed_text(lot: random.Random) -> str:
    return f"{lot.getrandbits(48):012x}"


def _kinds(lot: random.Random, count: int, *, first_refunded: bool) -> Iterator[str]:
    if first_refunded:
        yield from ("invoice.refund", "invoice.purchase")
        return
    before = ""
    for _ in range(count):
        refunds = before == "invoice.purchase" and lot.random() < 0.2
        before = "invoice.refund" if refunds else "invoice.purchase"
        yield before


def _channel(number: int) -> str:
    """Of 60 channels, a third of them by name."""
    which = number % 60
    return f"#sales-{which:03}" if which % 3 == 0 else f"C0SALES{which:03}"


def _again(lot: random.Random, longest: float) -> Iterator[float]:
    """At the same moment, soon, or late."""
    draw = lot.random()
    if draw < 0.06:
        yield from (0.0, 0.0)
    elif draw < 0.2:
        later = lot.uniform(0.1, 3.0) if draw < 0.16 else lot.uniform(5.0, 60.0)
        if later < longest:
            yield later


def _kills(lot: random.Random, size: Size, with_database: bool) -> Iterator[Kill]:
    weights = dict(TARGETS)
    if not with_database:
        weights[EVERYTHING] += weights.pop("database") // 4
    spacing = (size.seconds - 1.5) / max(1, size.kills)
    for number in range(size.kills):
        target = lot.choices(list(weights), list(weights.values()))[0]
        longest = 0.7 if target == "database" else 1.5
        back_after = lot.uniform(0.05, longest)
        if target == "redis" and lot.random() < 0.15:
            back_after = lot.uniform(3.0, 6.0)
        at = 1.5 + (number + lot.random()) * spacing
        yield Kill(at, target, back_after, wipe=lot.random() < 0.5, draw=lot.random())


def _weather(lot: random.Random, size: Size, slow_seconds: float) -> Iterator[tuple[float, Rates]]:
    at = 0.0
    while at < size.seconds:
        rates = {name: dict(lot.choice(_WEATHERS)) for name in ("hubspot", "slack", "mailchimp")}
        rates["slack"]["throttle"] = 0.02
        for each in rates.values():
            each["slow"] = max(size.slow, each["slow"])
            each["reset"] = max(size.resets, each["reset"])
            each |= {"latency": 0.03, "slow_seconds": slow_seconds, "whole_batch": 0.5}
        if size.seconds > 60 and lot.random() < 0.3:
            # After a 429 of these two everything of theirs rests for ten seconds.
            rates[lot.choice(("hubspot", "mailchimp"))]["throttle"] = 0.01
        yield at, rates
        at += PERIOD
