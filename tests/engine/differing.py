"""Two rule sets over webhooks of a shop, compared as `showbridge rules diff` does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.connector import (
    Call,
    Connector,
    ConnectorSettings,
    EmailAddress,
    Field,
    Item,
    Outcome,
    Rate,
    action,
)
from bridge.engine.comparing import Comparing, Comparison
from bridge.engine.spending import Prices
from bridge.engine.tally import Example, RuleCounts
from bridge.event import Webhook
from bridge.ledger.plan import Waiting
from bridge.rules import RuleSet, World, compile_rules
from bridge.sources.showpass import Showpass
from tests.web.conftest import purchase

BEGAN = 1_800_000_000.0
DAY = 86_400.0


class Note(Item):
    room: str = "lobby"
    text: str
    count: int | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    extra: Any = None


class Subscription(Item):
    email: EmailAddress


class Mail(Item):
    to: EmailAddress
    text: str = "hello"


def one_call(_settings: object, _item: object) -> list[Call]:
    return [Call("POST", "/")]


class Board(Connector):
    name = "board"
    title = "Board"
    Settings = ConnectorSettings
    rates = (Rate(10, 1.0),)

    @action(Note, preview=one_call, lane="room")
    def post(self, items: Sequence[Note]) -> list[Outcome]:
        """Post a note."""
        raise AssertionError

    @action(Mail, preview=lambda settings, item: one_call(settings, item) * 2)
    def mail(self, items: Sequence[Mail]) -> list[Outcome]:
        """Write to somebody."""
        raise AssertionError

    @action(Subscription, preview=one_call, consent_for="email")
    def subscribe(self, items: Sequence[Subscription]) -> list[Outcome]:
        """Subscribe somebody."""
        raise AssertionError


WORLD = World(sources={"showpass": Showpass}, accounts={"board": Board, "other": Board})


def rule(
    name: str = "A rule",
    do: str = "board.post: {text: hello}",
    options: str = "",
    where: str = "{}",
) -> str:
    """One rule about the shop, in YAML; `options` and `do` have a line for each."""
    wanted = "" if where == "{}" else f", where: {where}"
    lines = [f"  - name: {name}", f"    when: {{source: showpass{wanted}}}"]
    lines += [f"    {line}" for line in options.splitlines()]
    return "\n".join([*lines, "    do:", *(f"      - {line}" for line in do.splitlines())])


def compiled(*rules: str, head: str = "") -> RuleSet:
    return compile_rules(f"{head}\nrules:\n" + "\n".join(rules), "rules.yaml", WORLD)


class Shop:
    """Webhooks in the order of receipt; each is another transaction unless it says otherwise."""

    def __init__(self) -> None:
        self.webhooks: list[Waiting] = []

    def bought(self, *, days: float = 0.0, **data: Any) -> Shop:
        """A purchase so many days after the beginning."""
        return self.sent("invoice.purchase", days=days, **data)

    def sent(self, event_type: str, *, days: float = 0.0, **data: Any) -> Shop:
        number = len(self.webhooks) + 1
        name = data.setdefault("transaction_id", f"transaction-{number}")
        body = purchase(id=name, event_type=event_type, data=data)
        webhook = Webhook("showpass", body, {}, BEGAN + days * DAY)
        self.webhooks.append(Waiting(number, f"key-{number}", webhook, replayed=False))
        return self


def compare(
    before: RuleSet | Sequence[str], after: RuleSet | Sequence[str], shop: Shop, examples: int = 3
) -> Comparison:
    old, new = (each if isinstance(each, RuleSet) else compiled(*each) for each in (before, after))
    prices = Prices({"board": Board, "other": Board}, {})
    source = Showpass(Showpass.Settings(), [])
    comparing = Comparing({"showpass": source}, prices, old, new, examples)
    for webhook in shop.webhooks:
        comparing.take(webhook)
    return comparing.comparison()


def of(found: Comparison, name: str) -> RuleCounts:
    return next(counts for pair, counts in found.rules if pair.name == name)


def kinds(found: Comparison, name: str = "A rule") -> tuple[int, int, int]:
    """Added, removed, changed."""
    counts = of(found, name).kinds
    return counts["added"], counts["removed"], counts["changed"]


def the_example(found: Comparison, name: str = "A rule") -> Example:
    [example] = of(found, name).examples
    return example


def standings(found: Comparison) -> list[tuple[str, str]]:
    return [(pair.standing, pair.name) for pair, _ in found.rules]
