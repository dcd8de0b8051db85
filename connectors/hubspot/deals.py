"""What rules hand to HubSpot of deals, and the calls that it comes to. Pure.

A deal is known by a property of unique values, such as the transaction's id, and
never searched for: what was created a second ago is not in HubSpot's search yet
(https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm), so
that the same event twice would make two deals. By a unique property HubSpot
itself sees to it that twice is once
(https://developers.hubspot.com/docs/api-reference/2026-03/crm/objects/deals/batch/upsert-deals).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from bridge.connector import EmailAddress, Field, Item, NonEmpty, Skipped, Use
from connectors.hubspot.answers import Subject
from connectors.hubspot.deal_stages import Wanted
from connectors.hubspot.values import figures, number

OBJECT = "deals"
DEAL = Subject("deal", "crm.objects.deals.read, crm.objects.deals.write and crm.schemas.deals.read")

NAME, STAGE, PIPELINE = "dealname", "dealstage", "pipeline"
AMOUNT, CURRENCY, CLOSES = "amount", "deal_currency_code", "closedate"
_OWN_FIELDS = {
    NAME: "name",
    STAGE: "stage",
    PIPELINE: "pipeline",
    AMOUNT: "amount",
    CURRENCY: "currency",
    CLOSES: "close_date",
}


def _texts(value: Any) -> Any:
    """Texts without what would blank a property: HubSpot clears a value that is sent empty."""
    if not isinstance(value, Mapping):
        return value
    for name in value:
        if own := _OWN_FIELDS.get(str(name).lower()):
            raise ValueError(f"`{name}` belongs into `{own}:`, beside `properties:`")
    texts = {str(name): _text(given) for name, given in value.items()}
    return {name: text for name, text in texts.items() if text}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value).replace("\0", "").strip()
    raise ValueError("must be one text, number or true/false")


def _id(value: Any) -> str:
    text = _text(value)
    if not text:
        raise Skipped("the event has nothing that the deal is known by")
    return text


def _amount(value: Any) -> str:
    text = _text(value)
    found = number(text) if text else None
    if text and (found is None or isinstance(value, bool)):
        raise ValueError("must be a plain number such as 120.50, without a currency")
    return "" if found is None else figures(found)


def _currency(value: Any) -> str:
    text = _text(value).upper()
    if text and not (len(text) == 3 and text.isascii() and text.isalpha()):
        raise ValueError("must be a currency's three letters, such as CAD")
    return text


def _any_address(value: Any) -> str:
    """Empty where it is none: the deal does not depend on it."""
    try:
        return TypeAdapter(EmailAddress).validate_python(value)
    except ValidationError:
        return ""


Text = Annotated[str, BeforeValidator(_text)]
Properties = Annotated[dict[str, str], BeforeValidator(_texts)]


class MoveDeal(Item):
    """Of a deal that is there; what is left empty is left alone."""

    example: ClassVar[Mapping[str, Any]] = {
        "id_property": "showpass_order",
        "id": "{{ order.id }}",
        "stage": "Closed lost",
    }

    id_property: NonEmpty = Field(
        description="HubSpot's internal name of the deal property that holds `id`; "
        "its values must be unique."
    )
    id: Annotated[str, BeforeValidator(_id)] = Field(
        description="What the deal is known by, such as the number of the order; "
        "without it nothing is done."
    )
    stage: NonEmpty = Field(description="The deal stage, as HubSpot shows it, or its id.")
    pipeline: Text = Field(
        default="",
        description="The pipeline, as HubSpot shows it, or its id; without it the deal's own, "
        "and for a new deal the account's first.",
    )
    amount: Annotated[str, BeforeValidator(_amount)] = Field(
        default="", description="What the deal is worth, as a number without a currency."
    )
    close_date: Text = Field(default="", description="When the deal closes or was closed.")
    properties: Properties = Field(
        default_factory=dict,
        description="Further deal properties by HubSpot's internal names, and their values.",
    )
    backwards: bool = Field(
        default=False,
        description="Whether the deal may also go back to an earlier stage, "
        "or to another pipeline.",
    )

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.stage, self.pipeline, self.backwards)

    @property
    def written(self) -> dict[str, str]:
        """By HubSpot's names; the stage, which needs looking up, is not among them."""
        own = {AMOUNT: self.amount, CLOSES: self.close_date}
        return {name: value for name, value in own.items() if value} | self.properties


class UpsertDeal(MoveDeal):
    """With the contact that it is linked to, where there is an address."""

    example: ClassVar[Mapping[str, Any]] = {
        "id_property": "showpass_order",
        "id": "{{ order.id }}",
        "name": "{{ contact.name or 'Order' }}, {{ order.id }}",
        "stage": "Closed won",
        "amount": "{{ order.total }}",
        "currency": "{{ order.currency }}",
        "email": "{{ contact.email }}",
    }

    email: Annotated[str, BeforeValidator(_any_address)] = Field(
        default="",
        description="The address of the contact to link the deal to; where there is no such "
        "contact, one with nothing but the address is made.",
    )
    name: Text = Field(
        default="", description="The deal's name; a new deal without one is named by its `id`."
    )
    currency: Annotated[str, BeforeValidator(_currency)] = Field(
        default="",
        description="The currency's three letters, such as CAD; only for accounts with several.",
    )

    @property
    def written(self) -> dict[str, str]:
        own = {NAME: self.name, CURRENCY: self.currency}
        return {name: value for name, value in own.items() if value} | super().written


Needed = tuple[str, str, str, bool]
"""A property that a rule needs: its object type, its name, its type, whether it is unique."""


def needed(use: Use) -> list[Needed]:
    """What has to be there before the rule can run; nobody can tell the types of `properties`."""
    if use.action not in ("upsert_deal", "move_deal", "add_note"):
        return []
    unique = use.literal("deal_id_property" if use.action == "add_note" else "id_property")
    found = [(OBJECT, unique.strip(), "string", True)] if unique and unique.strip() else []
    others = use.fields.get("properties") if use.action != "add_note" else None
    names = others if isinstance(others, Mapping) else {}
    return [*found, *((OBJECT, str(name), "string", False) for name in names)]
