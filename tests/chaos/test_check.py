"""The checker sees what it is there to see: each broken promise in evidence made up for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos import check as kinds
from tests.chaos.books import Books, Kept, Owed
from tests.chaos.check import Evidence, Finding, check
from tests.chaos.plan import Plan, Size, Webhook, make

ANA, LEO = "ana@chaos.example", "leo@chaos.example"


def webhook(number: int, email: str = ANA, *, consents: bool = True, **more: Any) -> Webhook:
    return Webhook(
        uuid=f"uuid-{number}",
        email=email,
        sequence=number,
        kind=more.get("kind", "invoice.purchase"),
        transaction="t-1",
        channel="C0SALES001",
        consents=consents,
        poisoned=more.get("poisoned", False),
        at=0.0,
    )


def owed(number: int, account: str, state: str = "delivered") -> Owed:
    return Owed(f"{account}-{number}", f"uuid-{number}", account, state, None)


def post(number: int, deliveries: Sequence[str] | None = None) -> Mapping[str, Any]:
    named = [f"slack-{number}"] if deliveries is None else deliveries
    value = {"text": f"uuid-{number} and more", "deliveries": named}
    return {"vendor": "slack", "kind": "post", "key": "C0SALES001", "value": value}


def write(number: int, state: str = "paid", email: str = ANA) -> Mapping[str, Any]:
    value = {"last_event": f"{number:06}", "state": state}
    return {"vendor": "hubspot", "kind": "update", "key": email, "value": value}


def member(number: int, kind: str = "subscribe", email: str = ANA) -> Mapping[str, Any]:
    value = {"status": "subscribed", "merge_fields": {"LAST": f"{number:06}"}}
    return {"vendor": "mailchimp", "kind": kind, "key": email, "value": value}


GOOD = Evidence(
    plan=Plan(
        seed=0,
        webhooks=[webhook(1), webhook(2)],
        kills=[],
        wipes=[],
        weather=[],
        left=frozenset(),
        refunded_first=frozenset(),
    ),
    acknowledged={"uuid-1", "uuid-2"},
    books=Books(
        [Kept("uuid-1", "routed"), Kept("uuid-2", "routed")],
        [owed(number, account) for number in (1, 2) for account in ("hubspot", "slack")],
    ),
    effects=[post(1), post(2), write(1), write(2)],
)


def found(evidence: Evidence) -> list[str]:
    return [finding.kind for finding in check(evidence)]


def with_effects(*effects: Mapping[str, Any]) -> Evidence:
    return replace(GOOD, effects=list(effects))


def with_plan(**changes: Any) -> Evidence:
    return replace(GOOD, plan=replace(GOOD.plan, **changes))


def with_owed(*more: Owed) -> Evidence:
    return replace(GOOD, books=Books(GOOD.books.kept, [*GOOD.books.owed, *more]))


def test_what_arrived_once_and_in_order_is_no_finding() -> None:
    assert found(GOOD) == []
    assert found(with_effects(post(1), post(2), write(1), write(1), write(2))) == []


def test_a_digest_may_stand_for_several_deliveries() -> None:
    digest = post(9, ["slack-1", "slack-2"])
    assert found(with_effects(digest, write(2))) == []


@pytest.mark.parametrize(
    ("effects", "kind"),
    [
        ([post(1), write(2)], kinds.LOST),
        ([post(1), post(2), write(1)], kinds.LOST),
        ([post(1), post(2)], kinds.LOST),
        ([post(1), post(2), post(2), write(2)], kinds.DOUBLED),
        ([post(1), post(2, ["slack-1", "slack-2"]), write(2)], kinds.DOUBLED),
        ([post(2), post(1), write(2)], kinds.ORDER),
        ([post(1), post(2), write(2), write(1), write(2)], kinds.ORDER),
        ([post(1), post(2), write(2), member(1, email=LEO)], kinds.CONSENT),
    ],
)
def test_an_effect_that_should_not_be_so_is_found(
    effects: Sequence[Mapping[str, Any]], kind: str
) -> None:
    assert kind in found(with_effects(*effects))


def test_an_acknowledged_webhook_that_is_not_kept_is_lost() -> None:
    evidence = replace(GOOD, acknowledged={*GOOD.acknowledged, "uuid-3"})
    assert check(evidence) == [Finding(kinds.LOST, "webhook uuid-3 is not in the ledger")]


def test_a_redelivery_that_was_taken_for_new_is_a_double() -> None:
    twice = Books([*GOOD.books.kept, Kept("uuid-2", "routed")], GOOD.books.owed)
    assert found(replace(GOOD, books=twice)) == [kinds.DOUBLED]


@pytest.mark.parametrize("state", ["waiting", "sending", "dead", "rejected", "suppressed"])
def test_a_delivery_must_not_end_like_that(state: str) -> None:
    assert found(with_owed(owed(2, "mailchimp", state))) == [kinds.ENDED]


def test_no_agreement_is_a_good_reason_to_suppress() -> None:
    refused = replace(
        with_owed(owed(2, "mailchimp", "suppressed")),
        plan=replace(GOOD.plan, webhooks=[webhook(1), webhook(2, consents=False)]),
    )
    assert found(refused) == []


def test_nobody_is_subscribed_by_an_event_without_agreement() -> None:
    evidence = with_plan(webhooks=[webhook(1), webhook(2, consents=False)])
    assert found(replace(evidence, effects=[*GOOD.effects, member(2)])) == [kinds.CONSENT]


def test_nobody_who_has_left_is_subscribed_again() -> None:
    evidence = with_plan(left=frozenset({ANA}))
    assert found(replace(evidence, effects=[*GOOD.effects, member(1)])) == [kinds.CONSENT]


def test_a_late_purchase_must_leave_the_refund_in_place() -> None:
    evidence = with_plan(refunded_first=frozenset({ANA}))
    overwritten = [post(1), post(2), write(1, "refunded"), write(2)]
    assert found(replace(evidence, effects=overwritten)) == [kinds.ORDER]
    restored = [*overwritten, write(1, "refunded")]
    assert found(replace(evidence, effects=restored)) == []


def test_a_vendor_s_broken_rule_is_found() -> None:
    violation = {"vendor": "mailchimp", "kind": "violation", "key": ANA, "value": "PUT"}
    assert found(with_effects(*GOOD.effects, violation)) == [kinds.STATUS]


def test_the_same_seed_makes_the_same_plan() -> None:
    size = Size(kills=20, seconds=30.0, persons=40)
    plans = [make(seed, size, with_database=True, slow_seconds=6.0) for seed in (1, 1, 2)]
    assert plans[0] == plans[1]
    assert plans[0].fingerprint == plans[1].fingerprint != plans[2].fingerprint
