"""What rules would do with an event, at a terminal and for programs: nothing was done of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from bridge.cli.calls import Requests, print_requests
from bridge.cli.examined import members_said
from bridge.cli.json_lines import iso
from bridge.cli.pairs import pairs
from bridge.cli.screen import clean, duration, stated
from bridge.config import Config
from bridge.engine.rehearse import RehearsedDelivery, RehearsedEvent
from bridge.rules import Rule

INDENT = 2
_LONGEST = 2000


def print_deliveries(
    console: Console,
    deliveries: Sequence[RehearsedDelivery],
    event: RehearsedEvent,
    config: Config,
    called_off: Mapping[str, str],
) -> None:
    """Numbered, each with when, why not, and its calls. `called_off`: see `facts`."""
    for number, delivery in enumerate(deliveries, start=1):
        planned = delivery.planned
        console.print()
        console.print(
            Text.assemble(
                (f"{number}. ", "bold"),
                (clean(f"{planned.account}.{planned.action}"), "bold"),
                "  ",
                stated(planned.state, _tense(delivery, config)),
            )
        )
        told = [(name, stated(state, text)) for name, state, text in _facts(delivery, event)]
        if planned.id in called_off:
            told.append(("but", stated("suppressed", called_off[planned.id])))
        console.print(pairs(told))
        if delivery.is_sent:
            print_requests(console, _requests(delivery), INDENT)


def _tense(delivery: RehearsedDelivery, config: Config) -> str:
    if not delivery.is_sent:
        return f"would be {delivery.planned.state}"
    account = config.accounts.get(delivery.planned.account)
    preview = ", in preview" if account and account.preview else ""
    later = " later" if delivery.planned.state == "scheduled" else ""
    return f"would be sent{later}{preview}"


def _requests(delivery: RehearsedDelivery) -> Requests:
    if not delivery.calls:
        return Requests("calls", trouble="the connector's preview tells of none")
    return Requests("calls", delivery.calls)


def _facts(delivery: RehearsedDelivery, event: RehearsedEvent) -> Iterator[tuple[str, str, str]]:
    """Label, state for the colour, words."""
    planned = delivery.planned
    rule = rule_of(delivery)
    member = members_said(rule, [number] if (number := member_of(delivery, event)) else [])
    yield "rule", "", f"{planned.rule}, step {planned.step}{member}"
    if planned.reason:
        yield "reason", planned.state, planned.reason
    if not delivery.is_sent:
        return
    if planned.due_at > delivery.rehearsal.now:
        yield "when", "", when_said(delivery)
    if planned.once:
        yield "once", "", f"{planned.once.words}: nothing of it was done before"
    elif rule.once:
        unknown = "this event does not say which, so it is done each time"
        yield "once", "", f"once per {rule.once.said}: {unknown}"
    if rule.unless and planned.unless:
        types = " or ".join(rule.unless.types)
        yield "unless", "", f"{types} of the same {rule.unless.same} comes before it is sent"


def when_said(delivery: RehearsedDelivery) -> str:
    """`2 days later: Thu 3 Jul 2027, 09:00 MDT`, in the rules' time zone."""
    due, now = delivery.planned.due_at, delivery.rehearsal.now
    zone = ZoneInfo(delivery.rehearsal.stage.rules.time_zone)
    moment = datetime.fromtimestamp(due, zone)
    return f"{duration(due - now)} later: {moment:%a} {moment.day} {moment:%b %Y, %H:%M %Z}"


def rule_of(delivery: RehearsedDelivery) -> Rule:
    rules = delivery.rehearsal.stage.rules.rules
    return next(rule for rule in rules if rule.name == delivery.planned.rule)


def member_of(delivery: RehearsedDelivery, event: RehearsedEvent) -> int | None:
    """The number of the entry that the delivery is for, where its rule goes through a list.

    Deliveries of a rule come entry by entry, each entry with all steps.
    """
    rule = rule_of(delivery)
    verdict = next(each for each in event.verdicts if each.rule == rule.name)
    if not verdict.members:
        return None
    of_rule = [each.planned.id for each in event.deliveries if each.planned.rule == rule.name]
    return verdict.members[of_rule.index(delivery.planned.id) // len(rule.steps)]


def as_object(
    delivery: RehearsedDelivery, event: RehearsedEvent, called_off: Mapping[str, str]
) -> dict[str, Any]:
    """For `--json`; times in ISO 8601 and UTC."""
    planned = delivery.planned
    is_later = delivery.is_sent and planned.due_at > delivery.rehearsal.now
    return {
        "id": planned.id,
        "rule": planned.rule,
        "step": planned.step,
        "member": member_of(delivery, event),
        "account": planned.account,
        "action": planned.action,
        "state": planned.state,
        "reason": planned.reason,
        "due_at": iso(planned.due_at) if is_later else None,
        "once": planned.once.words if planned.once else None,
        "unless": list(planned.unless.types) if planned.unless else [],
        "called_off": called_off.get(planned.id),
        "item": dict(planned.item),
        "calls": [dict(call) for call in delivery.calls],
    }
