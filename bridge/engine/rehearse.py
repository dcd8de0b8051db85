"""What rules would do with a webhook, and why: planned as live, with nothing written or sent.

Pure beside what it is given. The plan is `Router.plan`'s, the calls are those of
the connectors' previews: whatever goes live goes the same way.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from bridge.config import Config, SourceConfig
from bridge.connector import Action, ConnectorSettings, Rejected
from bridge.engine.calling import Calls, calls_of, item_of
from bridge.engine.route import Router, events_of
from bridge.errors import Malformed, OperatorError
from bridge.event import Event, Webhook
from bridge.ledger import occasions
from bridge.ledger.claim import Claimed
from bridge.ledger.database import Connection
from bridge.ledger.plan import Plan, PlannedDelivery, PlannedEvent, Waiting
from bridge.rules import Examination, RuleSet, Verdict, examine
from bridge.rules.seen import Seen
from bridge.rules.values import view

PLACEHOLDER = b"{{ uuid }}"

# What is signed with it never leaves.
_SECRET = "rehearsal"  # noqa: S105


@dataclass(frozen=True)
class Stage:
    """Rehearses webhooks by one rule set. `settings` are those of the accounts, by name."""

    router: Router
    settings: Mapping[str, ConnectorSettings]

    @classmethod
    def of(cls, config: Config, rules: RuleSet) -> Stage:
        router = Router(
            sources={name: each.source for name, each in config.sources.items()},
            accounts={name: each.connector for name, each in config.accounts.items()},
            rules=rules,
        )
        return cls(router, {name: each.settings for name, each in config.accounts.items()})

    @property
    def rules(self) -> RuleSet:
        return self.router.rules

    def rehearse(self, waiting: Waiting, now: float) -> Rehearsal:
        """`now` in Unix seconds: what is due by then is not put off. Never raises."""
        return Rehearsal(self, waiting, now)


@dataclass(frozen=True)
class Rehearsal:
    """What one webhook would come to. Each part is made when it is asked for."""

    stage: Stage
    waiting: Waiting
    now: float
    decided: Plan | None = None

    @cached_property
    def plan(self) -> Plan:
        """In the state `quarantined`, with a reason, where it cannot be routed."""
        return self.decided or self.stage.router.plan(self.waiting, self.now)

    @cached_property
    def events(self) -> tuple[RehearsedEvent, ...]:
        """None where it cannot be routed."""
        source = self.stage.router.sources.get(self.waiting.webhook.source)
        if source is None or self.plan.state == "quarantined":
            return ()
        return tuple(
            RehearsedEvent(self, position, event)
            for position, event in enumerate(events_of(self.waiting, source), start=1)
        )


def once_only(connection: Connection, rehearsals: Sequence[Rehearsal]) -> list[Rehearsal]:
    """The same in the order of receipt, less what is done once and was done already.

    By the ledger, which is only read, or by an earlier one of them.
    """
    received = {each.waiting.number: each.waiting.webhook.received_at for each in rehearsals}
    plans = occasions.decide(connection, [each.plan for each in rehearsals], received).plans
    return [replace(each, decided=plan) for each, plan in zip(rehearsals, plans, strict=True)]


@dataclass(frozen=True)
class RehearsedEvent:
    """One of the webhook's events; `position` counts them from 1."""

    rehearsal: Rehearsal = field(repr=False)
    position: int
    event: Event

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Of the rules that are about such events."""
        return tuple(Verdict(**each) for each in self._planned.verdicts)

    @property
    def remarks(self) -> Sequence[str]:
        """What the event's story would tell: what of it is unknown, and what texts lack."""
        return self._planned.remarks

    @property
    def _planned(self) -> PlannedEvent:
        return self.rehearsal.plan.events[self.position - 1]

    @cached_property
    def examinations(self) -> tuple[Examination, ...]:
        """Of every rule in order, asked on its own: whatever other rules say."""
        seen = Seen(view(self.event))
        return tuple(examine(rule, self.event, seen) for rule in self.rehearsal.stage.rules.rules)

    @cached_property
    def deliveries(self) -> tuple[RehearsedDelivery, ...]:
        plan = self.rehearsal.plan
        return tuple(
            RehearsedDelivery(self.rehearsal, each)
            for each in plan.deliveries
            if each.position == self.position
        )


@dataclass(frozen=True)
class RehearsedDelivery:
    """One delivery as it is planned, and the calls that would be made for it."""

    rehearsal: Rehearsal = field(repr=False)
    planned: PlannedDelivery

    @property
    def action(self) -> Action:
        kind = self.rehearsal.stage.router.accounts[self.planned.account]
        return kind.actions()[self.planned.action]

    @property
    def is_sent(self) -> bool:
        """Now or later, as far as the plan knows."""
        return self.planned.state in ("waiting", "scheduled")

    @cached_property
    def calls(self) -> Calls:
        """None where nothing is sent, or the preview fails."""
        if not self.is_sent:
            return ()
        item = item_of(self.action, _claimed(self.planned, self.rehearsal))
        if isinstance(item, Rejected):
            return ()
        settings = self.rehearsal.stage.settings.get(self.planned.account)
        return calls_of(self.action, partial(self.action.preview, settings, item))


def _claimed(planned: PlannedDelivery, rehearsal: Rehearsal) -> Claimed:
    """As a worker has it in hand at the first attempt."""
    return Claimed(
        id=planned.id,
        webhook=rehearsal.waiting.number,
        account=planned.account,
        action=planned.action,
        order_key=planned.order_key,
        item=planned.item,
        attempt=1,
        failures=0,
        uncertain=False,
        planned_at=max(rehearsal.now, planned.due_at),
        gist=planned.gist,
        event=planned.event,
        topic=planned.topic,
    )


def arriving(source: SourceConfig, body: bytes, at: float) -> Waiting:
    """A body as if the source sent it, signed, at that time (Unix seconds); its number is 0.

    Raises OperatorError where the bridge would refuse it or keep it for a person.
    """
    kind = source.source
    try:
        headers = {name.lower(): text for name, text in kind.sign(body, _SECRET, at).items()}
        webhook = Webhook(source.name, body, _kept(headers, source), at)
        identity = kind.identify(webhook)
    except Malformed as error:
        raise OperatorError(f"{source.name} would be refused it: {error.reason}") from error
    if identity.quarantine:
        raise OperatorError(f"it would be kept for a person: {identity.quarantine}")
    return Waiting(0, identity.idempotency_key, webhook, replayed=False)


def _kept(headers: Mapping[str, str], source: SourceConfig) -> dict[str, str]:
    credentials = source.source.signature_headers
    return {name: text for name, text in headers.items() if name not in credentials}


def filled_in(text: bytes) -> bytes:
    """A sample's text with a UUID at each placeholder, the same ones however often it is made."""
    first, *rest = text.split(PLACEHOLDER)
    numbered = enumerate(rest)
    return first + b"".join(_uuid(number) + part for number, part in numbered)


def _uuid(number: int) -> bytes:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"rehearsal {number}")).encode()
