"""Showpass as it sends: each person's events in turn, again and again until acknowledged."""

from __future__ import annotations

import heapq
import hmac
import http.client
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.chaos.plan import Plan, Webhook

SECRET = "a-secret-for-chaos"
THREADS = 8
SENDER_TIMEOUT = 10.0
AGAIN_AFTER = (0.3, 0.6, 1.0, 1.5)


def body(webhook: Webhook) -> bytes:
    """What rules read travels in fields that a real purchase has too."""
    ticket = {
        "id": int(webhook.transaction[:12], 16),
        "event_name": webhook.uuid,
        "ticket_type_id": f"{webhook.sequence:06}",
        "ticket_type_name": webhook.channel,
        "product_name": "poison" if webhook.poisoned else None,
    }
    data = {
        "transaction_id": webhook.transaction,
        "customer_name": "Ana Díaz",
        "customer_email": webhook.email,
        "subscribe_to_venue": webhook.consents,
        "currency": "CAD",
        "net_sales": "107.00",
        "ticket_items": [ticket],
        "invoice_items": [],
    }
    whole = {
        "id": webhook.transaction,
        "event_type": webhook.kind,
        "webhook_event_uuid": webhook.uuid,
        "data": data,
    }
    return json.dumps(whole).encode()


@dataclass(order=True)
class _Due:
    at: float
    number: int
    webhook: Webhook = field(compare=False)
    tries: int = field(compare=False, default=0)
    is_again: bool = field(compare=False, default=False)


class Sender:
    """Sends from threads of its own; `acknowledged` are the uuids that got a 2xx.

    `now` tells the seconds of the plan.
    """

    def __init__(self, plan: Plan, port: int, now: Callable[[], float]) -> None:
        self._port = port
        self._now = now
        self._waiting: list[_Due] = []
        self._numbers = count()
        self._change = threading.Condition()
        self._under_way = 0
        self._stopped = False
        self._chains: dict[str, list[Webhook]] = defaultdict(list)
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(THREADS)]
        self.acknowledged: set[str] = set()
        self.answers: Counter[str] = Counter()
        for webhook in reversed(plan.webhooks):
            self._chains[webhook.email.lower()].append(webhook)

    def start(self) -> None:
        with self._change:
            for chain in self._chains.values():
                self._go_on(chain)
        for thread in self._threads:
            thread.start()

    @property
    def is_done(self) -> bool:
        """Everything was sent, and acknowledged."""
        with self._change:
            return not self._waiting and not self._under_way

    @property
    def left(self) -> int:
        with self._change:
            return len(self._waiting) + self._under_way

    def stop(self) -> None:
        with self._change:
            self._stopped = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join(SENDER_TIMEOUT)

    def _go_on(self, chain: list[Webhook]) -> None:
        """The next of this person, with its redeliveries."""
        if not chain:
            return
        webhook = chain.pop()
        at = max(self._now(), webhook.at)
        self._push(_Due(at, next(self._numbers), webhook))
        for later in webhook.again:
            self._push(_Due(at + later, next(self._numbers), webhook, is_again=True))

    def _push(self, due: _Due) -> None:
        heapq.heappush(self._waiting, due)
        self._change.notify()

    def _serve(self) -> None:
        while (due := self._take()) is not None:
            status = self._send(due.webhook)
            with self._change:
                self._under_way -= 1
                self._note(due, status)

    def _take(self) -> _Due | None:
        with self._change:
            while not self._stopped:
                wait = self._waiting[0].at - self._now() if self._waiting else 1.0
                if self._waiting and wait <= 0:
                    self._under_way += 1
                    return heapq.heappop(self._waiting)
                self._change.wait(min(wait, 0.2))
        return None

    def _note(self, due: _Due, status: int) -> None:
        kind = "again" if due.is_again else "first" if not due.tries else "retried"
        self.answers[f"{kind} {status or 'broken'}"] += 1
        if 200 <= status < 300:
            first = due.webhook.uuid not in self.acknowledged
            self.acknowledged.add(due.webhook.uuid)
            if first:
                self._go_on(self._chains[due.webhook.email.lower()])
            return
        if not self._stopped:
            pause = AGAIN_AFTER[min(due.tries, len(AGAIN_AFTER) - 1)]
            again = _Due(self._now() + pause, due.number, due.webhook, due.tries + 1, due.is_again)
            self._push(again)

    def _send(self, webhook: Webhook) -> int:
        """The status; 0 where no answer came."""
        signature = hmac.digest(SECRET.encode(), webhook.transaction.encode(), "sha1").hex()
        headers = {"Content-Type": "application/json", "X-SHOWPASS-SIGNATURE": signature}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SENDER_TIMEOUT)
        try:
            connection.request("POST", "/hooks/showpass", body(webhook), headers)
            answer: Any = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
        return int(answer.status)
