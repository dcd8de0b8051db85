"""Subscriptions through HubSpot's own SDK: with consent alone, and nobody is brought back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.connector import Delivered, Halted, Rejected, Retry, Suppressed
from bridge.engine.consent import refusal
from bridge.event import Contact
from bridge.testing.vendor import Answer, Silence
from connectors.hubspot import HubSpot
from connectors.hubspot.subscriptions import Subscribe
from tests.connectors.hubspot_bench import BARRED, LIMITED, Hub, HubSpotConformance, hub
from tests.connectors.hubspot_crm import Crm

ADA = "ada@example.com"
TYPES = "GET /communication-preferences/v3/definitions"
STATUS = "GET /communication-preferences/v3/status/email/ada%40example.com"
PRECISE = "GET /communication-preferences/v4/statuses/ada%40example.com"
SUBSCRIBE = "POST /communication-preferences/v3/subscribe"
EVENT = {
    "event": {
        "id": "e1",
        "time": "2026-03-01T10:00:00+00:00",
        "type": "invoice.purchase",
        "source": "showpass",
    }
}


@pytest.fixture
def there() -> Iterator[Hub]:
    with hub(Crm()) as found:
        yield found


def join(email: str = ADA, subscription: str = "Newsletter", **fields: Any) -> Subscribe:
    item = Subscribe(email=email, subscription=subscription, **fields)
    return item.for_delivery("0" * 24, event=EVENT)


class TestConformance(HubSpotConformance):
    action = "subscribe"

    def item(self, action: str) -> Mapping[str, Any]:
        return {"email": "ada+tag@example.com", "subscription": "newsletter"}

    def refused_item(self, action: str) -> Mapping[str, Any]:
        return {"email": "refused@example.com", "subscription": "Nothing of that name"}


def test_who_was_never_asked_is_subscribed_by_the_name_of_the_type(there: Hub) -> None:
    assert there.one("subscribe", join()) == Delivered("501")
    assert there.crm.statuses == {(ADA, "501"): "SUBSCRIBED"}
    assert there.requests[-1].body == {
        "emailAddress": ADA,
        "subscriptionId": "501",
        "legalBasis": "CONSENT_WITH_NOTICE",
        "legalBasisExplanation": (
            "Agreed to marketing in the event that Showbridge received "
            "(invoice.purchase of showpass, received 2026-03-01T10:00:00+00:00)"
        ),
    }
    assert there.calls() == [TYPES, STATUS, PRECISE, SUBSCRIBE]


def test_the_type_may_be_named_by_its_id(there: Hub) -> None:
    assert there.one("subscribe", join(subscription="502")) == Delivered("502")
    assert there.calls() == [STATUS, PRECISE, SUBSCRIBE]


def test_the_legal_basis_may_be_another(there: Hub) -> None:
    there.one("subscribe", join(legal_basis="PERFORMANCE_OF_CONTRACT", explanation="Ticket terms"))
    sent = there.requests[-1].body
    assert (sent["legalBasis"], sent["legalBasisExplanation"]) == (
        "PERFORMANCE_OF_CONTRACT",
        "Ticket terms",
    )
    with pytest.raises(ValidationError):
        join(legal_basis="BECAUSE")


def test_who_is_subscribed_already_is_left_alone(there: Hub) -> None:
    there.one("subscribe", join())
    there.calls()
    again = there.one("subscribe", join())
    assert again == Delivered("501", remark="this person was subscribed already")
    assert there.calls() == [STATUS]


# Never back


def test_who_has_opted_out_is_not_even_tried(there: Hub) -> None:
    there.crm.statuses[(ADA, "501")] = "UNSUBSCRIBED"
    assert there.one("subscribe", join()) == Suppressed("this person has opted out")
    assert there.calls() == [TYPES, STATUS, PRECISE]


def test_who_has_opted_out_of_everything_is_not_even_tried(there: Hub) -> None:
    there.crm.opted_out.add(ADA)
    assert there.one("subscribe", join()) == Suppressed(
        "this person has opted out of all marketing e-mail"
    )
    assert there.calls() == [TYPES, STATUS]


def test_who_opts_out_in_the_meantime_stays_out(there: Hub) -> None:
    """HubSpot refuses it, and says why when it is asked again."""
    there.crm.statuses[(ADA, "501")] = "UNSUBSCRIBED"
    unaware = Answer(200, {"results": [{"subscriptionId": 501, "status": "NOT_SPECIFIED"}]})
    there.instead(PRECISE.removeprefix("GET "), unaware)
    assert there.one("subscribe", join()) == Suppressed("this person has opted out")
    assert there.calls() == [TYPES, STATUS, PRECISE, SUBSCRIBE, PRECISE]
    assert there.crm.statuses[(ADA, "501")] == "UNSUBSCRIBED"


def test_whom_hubspot_leaves_unsubscribed_is_suppressed(there: Hub) -> None:
    there.instead("/v3/subscribe", Answer(200, {"id": "501", "status": "NOT_SUBSCRIBED"}))
    assert there.one("subscribe", join()) == Suppressed("HubSpot leaves this person unsubscribed")


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["event", "opt out", "opt out of all", "opt in by hand"]),
        st.sampled_from([ADA, "eve@example.com"]),
        st.sampled_from([True, False, None]),
    ),
    max_size=12,
)


@examples(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=_STEPS)
def test_no_history_subscribes_without_a_yes_or_brings_anybody_back(
    there: Hub, steps: list[tuple[str, str, bool | None]]
) -> None:
    """Events go through the bridge's gate, as they do in the engine."""
    crm, action = there.crm, HubSpot.actions()["subscribe"]
    crm.statuses.clear()
    crm.opted_out.clear()
    agreed: set[str] = set()
    for what, email, consent in steps:
        out = crm.statuses.get((email, "501")) == "UNSUBSCRIBED" or email in crm.opted_out
        item = join(email)
        if what == "event" and refusal(action, item, Contact(email=email, consent=consent)) is None:
            assert consent is True
            agreed |= set() if out else {email}
            outcome = there.one("subscribe", item)
            assert isinstance(outcome, Suppressed if out else Delivered)
        elif what == "opt out":
            crm.statuses[(email, "501")] = "UNSUBSCRIBED"
        elif what == "opt out of all":
            crm.opted_out.add(email)
        elif what == "opt in by hand":
            crm.statuses[(email, "501")] = "SUBSCRIBED"
            crm.opted_out.discard(email)
            agreed.add(email)
        if out and what == "event":
            assert crm.statuses.get((email, "501")) != "SUBSCRIBED" or email in crm.opted_out
    on = {email for (email, _), status in crm.statuses.items() if status == "SUBSCRIBED"}
    assert on <= agreed


def test_the_gate_stands_before_it() -> None:
    assert HubSpot.actions()["subscribe"].consent_for == "email"


# What HubSpot says


def test_a_type_that_is_not_there_is_named_with_those_that_are(there: Hub) -> None:
    assert there.one("subscribe", join(subscription="News")) == Rejected(
        "HubSpot has no subscription type “News”; it has “Newsletter”, “One to One”"
    )


def test_an_id_that_is_none_is_refused_by_hubspot(there: Hub) -> None:
    refused = there.one("subscribe", join(subscription="999"))
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("HubSpot refuses the subscription (400")


@pytest.mark.parametrize("path", ["v3/definitions", "ada%40example.com", "v3/subscribe"])
@pytest.mark.parametrize(
    "reply", [Silence.DROP, Answer(500), Answer(429, LIMITED), Answer(200, "<html>")], ids=repr
)
def test_whatever_passes_is_tried_again(there: Hub, path: str, reply: Any) -> None:
    there.instead(path, reply)
    assert isinstance(there.one("subscribe", join()), Retry)
    assert there.one("subscribe", join()) == Delivered("501")


@pytest.mark.parametrize("path", ["v3/definitions", "ada%40example.com", "v3/subscribe"])
def test_a_token_without_the_scope_halts_the_account(there: Hub, path: str) -> None:
    there.instead(path, BARRED)
    with pytest.raises(Halted, match=r"communication_preferences\.read_write"):
        there.one("subscribe", join())


def test_somebody_of_whom_hubspot_knows_nothing_is_subscribed(there: Hub) -> None:
    absent = Answer(404, {"status": "error", "category": "OBJECT_NOT_FOUND"})
    there.instead("ada%40example.com", absent, absent)
    assert there.one("subscribe", join()) == Delivered("501")
