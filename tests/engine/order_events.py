"""What happens in the order model: purchases and refunds, each written in three ways."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.engine.route import Router
from bridge.rules import World, compile_rules
from bridge.sources.showpass import Showpass, ShowpassSettings
from tests.engine.order_vendor import Moody
from tests.web.conftest import purchase

RULES = """
rules:
  - name: Buyers
    when: {event: invoice.purchase}
    do: [send, merge, post]
  - name: Refunds
    when: {event: [invoice.refund, invoice.void]}
    do: [send, merge, post]
"""
FIELDS = """{person: "{{ contact.email }}", matter: "{{ tickets[0].id }}",
  name: "{{ contact.name }}", state: "%s"}"""
ACTIONS = ("send", "merge", "post")
PERSONS = ("ana@example.com", "bo@example.com")


def rules_text() -> str:
    """Each event writes its name, and the state of its ticket, in three ways."""
    text = RULES
    for state in ("bought", "refunded"):
        steps = "\n".join(f"      - moody.{each}: {FIELDS % state}" for each in ACTIONS)
        text = text.replace("do: [send, merge, post]", f"do:\n{steps}", 1)
    return text


ROUTER = Router(
    sources={"showpass": Showpass(ShowpassSettings(ticket_mismatch="accept"), [])},
    accounts={"moody": Moody},
    rules=compile_rules(
        rules_text(), "rules.yaml", World(sources={"showpass": Showpass}, accounts={"moody": Moody})
    ),
)


@dataclass(frozen=True)
class Received:
    """One webhook as the model knows it; its number is its index in the list, from 0."""

    name: str
    person: str
    ticket: str
    transaction: str
    ends: bool

    def body(self) -> bytes:
        return purchase(
            id=self.transaction,
            event_type="invoice.refund" if self.ends else "invoice.purchase",
            webhook_event_uuid=self.name,
            data={
                "transaction_id": self.transaction,
                "customer_name": self.name,
                "customer_email": self.person,
                "ticket_items": [{"id": self.ticket}],
            },
        )
