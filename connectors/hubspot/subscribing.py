"""Asking HubSpot how a person stands, and subscribing who may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.connector import Delivered, Outcome, Rejected, Retry, Suppressed
from connectors.hubspot.answers import Answer, outcome
from connectors.hubspot.calls import Line, Turn
from connectors.hubspot.deal_stages import shown
from connectors.hubspot.definitions import dicts
from connectors.hubspot.remembered import Remembered
from connectors.hubspot.schema import NotRead
from connectors.hubspot.subscriptions import (
    PREFERENCES,
    SUBSCRIPTION,
    Subscribe,
    is_id,
    named_types,
    opted_out_path,
    status_path,
    to_subscribe,
)

SUBSCRIBED = "SUBSCRIBED"
OF_ALL, OF_BRAND = "PORTAL_WIDE_STATUS", "BRAND_WIDE_STATUS"


@dataclass
class Subscriptions:
    """An account's subscription types, by name."""

    line: Line
    remembered: Remembered[Mapping[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.remembered = Remembered(self._definitions)

    def id_of(self, named: str) -> str | Rejected:
        """Raises NotRead and Halted."""
        if is_id(named):
            return named
        types = self.remembered.get("") or {}
        ids = {name.strip().casefold(): each for name, each in types.items()}
        found = ids.get(named.casefold())
        return found or Rejected(
            f"HubSpot has no subscription type {shown(named)}; it has {named_types(list(types))}"
        )

    def _definitions(self, _: str) -> Mapping[str, str] | None:
        answer = self.line.request("GET", f"{PREFERENCES}/definitions")
        told = answer.body.get("subscriptionDefinitions")
        if not answer.ok or not isinstance(told, list):
            raise NotRead(_later(answer))
        return {str(each.get("name")): str(each.get("id")) for each in dicts(told)}


def subscribe(line: Line, types: Subscriptions, item: Subscribe) -> Outcome:
    """Raises Halted."""
    try:
        subscription = types.id_of(item.subscription)
    except NotRead as later:
        return later.retry
    if isinstance(subscription, Rejected):
        return subscription
    turn = Turn(line, SUBSCRIPTION)
    for asked in (_standing, _opted_out):
        if came_to := asked(turn, item, subscription):
            return came_to
    answer = turn.request("POST", f"{PREFERENCES}/subscribe", to_subscribe(item, subscription))
    return _subscribed(turn, item, subscription, answer)


def _standing(turn: Turn, item: Subscribe, subscription: str) -> Outcome | None:
    """None: not subscribed, and not opted out of everything."""
    answer = turn.request("GET", status_path(item))
    if answer.status == 404 and answer.body:
        return None
    told = answer.body.get("subscriptionStatuses")
    if not answer.ok or not isinstance(told, list):
        return _trouble(answer)
    of_this = [each for each in dicts(told) if str(each.get("id")) == subscription]
    if any(each.get("status") == SUBSCRIBED for each in of_this):
        return Delivered(subscription, remark="this person was subscribed already")
    sources = {each.get("sourceOfStatus") for each in of_this}
    if OF_BRAND in sources or any(each.get("sourceOfStatus") == OF_ALL for each in dicts(told)):
        return Suppressed("this person has opted out of all marketing e-mail")
    return None


def _opted_out(turn: Turn, item: Subscribe, subscription: str) -> Outcome | None:
    answer = turn.request("GET", opted_out_path(item), query={"channel": "EMAIL"})
    if answer.status == 404 and answer.body:
        return None
    told = answer.body.get("results")
    if not answer.ok or not isinstance(told, list):
        return _trouble(answer)
    return Suppressed("this person has opted out") if _is_out(dicts(told), subscription) else None


def _is_out(told: Sequence[Mapping[str, Any]], subscription: str) -> bool:
    return any(
        str(each.get("subscriptionId")) == subscription and each.get("status") == "UNSUBSCRIBED"
        for each in told
    )


def _subscribed(turn: Turn, item: Subscribe, subscription: str, answer: Answer) -> Outcome:
    if answer.ok and answer.body.get("status") == SUBSCRIBED:
        return Delivered(subscription)
    if answer.ok and answer.body.get("status") == "NOT_SUBSCRIBED":
        return Suppressed("HubSpot leaves this person unsubscribed")
    if answer.status and isinstance(outcome(answer, about=SUBSCRIPTION), Rejected):
        # Who opted out since we asked is refused as well, and that is no error.
        return _opted_out(turn, item, subscription) or _trouble(answer)
    return _trouble(answer)


def _later(answer: Answer) -> Retry:
    came_to = _trouble(answer)
    if isinstance(came_to, Retry):
        return came_to
    return Retry("HubSpot's answer makes no sense")


def _trouble(answer: Answer) -> Retry | Rejected:
    came_to = outcome(answer, about=SUBSCRIPTION)
    if isinstance(came_to, Retry | Rejected):
        return came_to
    return Retry("HubSpot's answer makes no sense")
