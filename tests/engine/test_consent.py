from __future__ import annotations

import pytest

from bridge.connector import EmailAddress, Item
from bridge.connector import action as declare
from bridge.engine.consent import refusal
from bridge.event import Contact


class Subscription(Item):
    email: EmailAddress


@declare(Subscription, preview=lambda *_: [], consent_for="email")
def subscribe(_self: object, items: object) -> list:  # type: ignore[type-arg]
    """Subscribe somebody."""
    return []


@declare(Subscription, preview=lambda *_: [])
def store(_self: object, items: object) -> list:  # type: ignore[type-arg]
    """Keep somebody in a CRM, which is no marketing."""
    return []


ASKING, OTHER = subscribe.__dict__["action"], store.__dict__["action"]
ANA = Subscription(email="ana@example.com")


@pytest.mark.parametrize(
    ("contact", "allowed"),
    [
        (Contact(email="ana@example.com", consent=True), True),
        (Contact(email=" Ana@Example.COM ", consent=True), True),
        (Contact(email="ana@example.com", consent=False), False),
        (Contact(email="ana@example.com", consent=None), False),
        (Contact(email="ana@example.com", consent="true"), False),  # type: ignore[arg-type]
        (Contact(email="ana@example.com", consent=1), False),  # type: ignore[arg-type]
        (Contact(email="bo@example.com", consent=True), False),
        (Contact(email=None, consent=True), False),
    ],
)
def test_only_a_plain_yes_for_one_s_own_address_is_consent(contact: Contact, allowed: bool) -> None:
    assert (refusal(ASKING, ANA, contact) is None) is allowed


def test_actions_that_are_no_marketing_need_no_consent() -> None:
    assert refusal(OTHER, ANA, Contact(email="ana@example.com", consent=False)) is None


def test_a_refusal_says_why_and_names_nobody() -> None:
    reason = refusal(ASKING, ANA, Contact(email="bo@example.com", consent=True))
    assert reason is not None
    assert "@" not in reason
