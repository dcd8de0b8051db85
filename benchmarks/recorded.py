"""A ledger full of recorded webhooks: a realistic mix of all samples, each about somebody else."""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import update

from bridge.event import Webhook
from bridge.ledger.accept import Arrival, keep
from bridge.ledger.database import Database
from bridge.ledger.tables import webhooks
from bridge.source import Source

DAYS = 30
# Of a hundred webhooks; what is not named here comes once.
_SHARES = {"invoice.purchase": 70, "invoice.refund": 6, "invoice.void": 3, "course-completed": 10}
_TYPES = ("General admission", "Standing", "VIP", "Backstage", "Student")
_PORTION = 1_000


def fill(database: Database, sources: dict[str, Source], count: int, people: int) -> None:
    """So many routed webhooks of as many people, over the last 30 days."""
    chosen = random.Random(1)
    now = time.time()
    began = now - DAYS * 86_400 + 3_600
    made = _bodies(sources, chosen, people)
    for first in range(0, count, _PORTION):
        arrivals = []
        for number in range(first, min(first + _PORTION, count)):
            name, body = next(made)
            at = began + (now - began) * number / count
            webhook = Webhook(name, body, {"content-type": "application/json"}, at)
            arrivals.append(Arrival(webhook, sources[name].identify(webhook)))
        with database.write() as connection:
            keep(connection, arrivals)
    with database.write() as connection:
        connection.execute(update(webhooks).values(state="routed"))


def _bodies(
    sources: dict[str, Source], chosen: random.Random, people: int
) -> Iterator[tuple[str, bytes]]:
    shipped = [(name, sample) for name, source in sources.items() for sample in source.samples()]
    weights = [_SHARES.get(sample.name, 1) for _, sample in shipped]
    for number in itertools.count():
        ((name, sample),) = chosen.choices(shipped, weights)
        # In the order of keys, in which those that come together are kept.
        text = sample.text.replace("{{ uuid }}", str(UUID(int=number)))
        payload = json.loads(text)
        data = payload["data"]
        _vary(data, chosen, people)
        if "transaction_id" in data:
            payload["id"] = data["transaction_id"]
        yield name, json.dumps(payload).encode()


def _vary(data: dict[str, Any], chosen: random.Random, people: int) -> None:
    if "customer_email" in data:
        data["customer_email"] = f"person-{chosen.randrange(people)}@example.com"
        data["subscribe_to_venue"] = chosen.random() < 0.3
    if "transaction_id" in data:
        data["transaction_id"] = str(UUID(int=chosen.getrandbits(128)))
    if "net_sales" in data:
        data["net_sales"] = f"{chosen.choice((20, 45, 90, 236, 480))}.25"
    for item in data.get("ticket_items") or ():
        if item.get("ticket_type_name"):
            item["ticket_type_name"] = chosen.choice(_TYPES)
