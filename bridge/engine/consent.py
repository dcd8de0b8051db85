"""The consent gate: who may be put on a mailing list. Pure.

Marketing needs a yes that the person gave in this very event. Not asked, asked
and not ticked, or a yes by somebody else are no yes. The gate stands before
the connector, so that neither a rule nor a connector can go round it.
"""

from __future__ import annotations

from bridge.connector import Action, Item
from bridge.event import Contact
from bridge.ledger.consents import stored
from bridge.ledger.plan import PlannedConsent

NO_CONSENT = "no consent"
"""How each refusal begins."""


def refusal(action: Action, item: Item, contact: Contact) -> str | None:
    """Why `item` must not be sent for want of consent; None where it may."""
    if action.consent_for is None:
        return None
    if contact.consent is None:
        return f"{NO_CONSENT}: this event does not say whether the person agreed to marketing"
    if contact.consent is not True:
        return f"{NO_CONSENT}: the person was asked and did not agree to marketing"
    address = str(getattr(item, action.consent_for))
    if address.strip().lower() != (contact.email or "").strip().lower():
        return f"{NO_CONSENT}: only the address of the person who agreed may be subscribed"
    return None


def decision(
    action: Action, item: Item, contact: Contact, wording: str | None
) -> PlannedConsent | None:
    """What is kept of putting somebody on a list or taking them off it."""
    field = action.consent_for or action.withdraws_for
    if field is None:
        return None
    address = stored(str(getattr(item, field)))
    if action.consent_for:
        return PlannedConsent(address, action.consents_to, contact.consent, wording)
    return PlannedConsent(address, "unsubscribe", contact.consent, None)
