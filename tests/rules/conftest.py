"""A small world to write rules for: a ticket shop, an academy, a CRM and a chat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal

import pytest

from bridge import connector, rules
from bridge.connector import Connector, ConnectorSettings, EmailAddress, Item, NonEmpty, action
from bridge.event import Contact, Event, Identity, Webhook
from bridge.source import Field, Sample, Source


class Silent(Source):
    """What a source needs beside its vocabulary."""

    signature_covers: ClassVar[Literal["body", "id"]] = "body"
    signature_headers: ClassVar[tuple[str, ...]] = ()

    def verify(self, webhook: Webhook) -> None:
        raise NotImplementedError

    def identify(self, webhook: Webhook) -> Identity:
        raise NotImplementedError

    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        raise NotImplementedError

    def sign(self, body: bytes, secret: str, now: float) -> Mapping[str, str]:
        raise NotImplementedError

    @classmethod
    def samples(cls) -> tuple[Sample, ...]:
        return tuple(Sample(name, name, "{}") for name in cls.event_types)


class Shop(Silent):
    kind = "shop"
    title = "Shop"
    event_types = ("order.paid", "order.refunded", "shop.test")
    fields = (
        Field("order.total", "money", "the total", Decimal(100), ("order.*",)),
        Field("order.currency", "text", "the currency", "CAD", ("order.*",)),
        Field("order.gift", "yes/no", "a gift", False, ("order.*",)),
        Field("tickets", "list", "the tickets", [], ("order.*",)),
        Field("tickets.type", "text", "the type", "VIP", ("order.*",)),
        Field("tickets.seats", "number", "the seats", 2, ("order.*",)),
        Field(
            "tickets.starts_on", "date", "the start", datetime(2027, 7, 3, tzinfo=UTC), ("order.*",)
        ),
    )


class Academy(Silent):
    kind = "academy"
    title = "Academy"
    event_types = ("course-completed",)
    types_are_open = True
    fields = (Field("course.name", "text", "the course's name", "First aid"),)


class ContactItem(Item):
    email: EmailAddress
    properties: dict[str, str] = connector.Field(default_factory=dict)
    score: int | None = None
    tags: list[str] = connector.Field(default_factory=list)


class MessageItem(Item):
    escape: ClassVar[Callable[[str], str] | None] = staticmethod(
        lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    )
    channel: NonEmpty
    text: str
    style: Literal["plain", "loud"] = "plain"


class FragileItem(Item):
    text: str

    def model_post_init(self, context: Any) -> None:
        raise RuntimeError(f"a bug of the connector: {self.text}")


def nothing(settings: Any, item: Any) -> Sequence[connector.Call]:
    return ()


class Crm(Connector):
    name = "crm"
    title = "CRM"
    Settings = ConnectorSettings

    @action(ContactItem, preview=nothing)
    def upsert_contact(self, items: Sequence[ContactItem]) -> list[connector.Outcome]:
        """Create or update."""
        raise NotImplementedError


class Chat(Connector):
    name = "chat"
    title = "Chat"
    Settings = ConnectorSettings

    @action(MessageItem, preview=nothing)
    def post_message(self, items: Sequence[MessageItem]) -> list[connector.Outcome]:
        """Post."""
        raise NotImplementedError

    @action(FragileItem, preview=nothing)
    def break_down(self, items: Sequence[FragileItem]) -> list[connector.Outcome]:
        """Break."""
        raise NotImplementedError


@pytest.fixture(scope="session")
def world() -> rules.World:
    return rules.World(
        sources={"shop": Shop, "academy": Academy}, accounts={"crm": Crm, "chat": Chat}
    )


@pytest.fixture
def order() -> Event:
    return Event(
        source="shop",
        type="order.paid",
        contact=Contact(
            email="priya@example.com", name="Priya <b>", first_name="Priya", consent=True
        ),
        facts={
            "order": {"total": Decimal("236.25"), "currency": "CAD", "gift": False, "note": None},
            "tickets": [
                {"type": "VIP", "seats": 2, "starts_on": datetime(2027, 7, 3, 1, 30, tzinfo=UTC)},
                {"type": "Standing", "seats": 1, "starts_on": None},
                {"type": None, "seats": None, "starts_on": None},
            ],
        },
        raw={"deep": {"list": [{"colour": "red"}, {"colour": "blue"}]}, "id": 7},
    )


@pytest.fixture(scope="session")
def compiled(world: rules.World) -> Callable[[str], rules.RuleSet]:
    """Rules from the text of a whole file."""
    return lambda text: rules.compile_rules(text, "rules.yaml", world)


@pytest.fixture(scope="session")
def where(compiled: Callable[[str], rules.RuleSet]) -> Callable[[str], rules.RuleSet]:
    """One rule about every event of the shop, with one `where` in YAML's flow style."""

    def rule(condition: str) -> rules.RuleSet:
        return compiled(
            "rules:\n- name: A rule\n  when:\n    source: shop\n    event: order.*\n"
            f"    where: {condition}\n"
            "  do: [{chat.post_message: {channel: here, text: hello}}]\n"
        )

    return rule


@pytest.fixture(scope="session")
def saying(compiled: Callable[[str], rules.RuleSet]) -> Callable[[str], rules.Step]:
    """A step that posts a text, which is given without YAML's quotes."""

    def step(text: str) -> rules.Step:
        quoted = text.replace("'", "''")
        made = compiled(
            "rules:\n- name: A rule\n  when: {source: shop, event: order.*}\n"
            f"  do: [{{chat.post_message: {{channel: here, text: '{quoted}'}}}}]\n"
        )
        return made.rules[0].steps[0]

    return step
