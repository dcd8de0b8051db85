"""What rules hand to HubSpot for a contact. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ValidationInfo, field_validator

from bridge.connector import EmailAddress, Field, Item
from connectors.hubspot.values import number

ADDRESS = "email"
STAGE = "lifecyclestage"
COUNTED = "showbridge_counted"
"""The contact's property that says which deliveries have been counted by `increment`."""


def texts(value: Any) -> Any:
    """Texts without what would blank a property: HubSpot clears a value that is sent empty."""
    if not isinstance(value, Mapping):
        return value
    named = {str(name): text_of(name, given) for name, given in _allowed(value)}
    return {name: text for name, text in named.items() if text.strip()}


def text_of(name: Any, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value).replace("\0", "")
    raise ValueError(f"`{name}` must be one text, number or true/false")


def _allowed(value: Mapping[Any, Any]) -> Iterable[tuple[Any, Any]]:
    for name in value:
        if str(name).lower() == ADDRESS:
            raise ValueError("the address belongs into `email:`, beside `properties:`")
        if str(name).lower() == COUNTED:
            raise ValueError(f"`{COUNTED}` is kept by the bridge itself")
    return value.items()


def _amounts(value: Any) -> Any:
    """Numbers to add, without empty ones and zeros."""
    if not isinstance(value, Mapping):
        return value
    amounts = {str(name): _amount(name, given) for name, given in _allowed(value)}
    return {name: amount for name, amount in amounts.items() if amount}


def _amount(name: Any, value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    text = text_of(name, value).strip()
    found = number(text or "0") if not isinstance(value, bool) else None
    if found is None:
        raise ValueError(f"`{name}` must be a number to add")
    return found


def _lists(value: Any) -> Any:
    """One option, several with semicolons between them, or a list of them."""
    if not isinstance(value, Mapping):
        return value
    named = {str(name): _options(name, given) for name, given in _allowed(value)}
    return {name: options for name, options in named.items() if options}


def _options(name: Any, value: Any) -> list[str]:
    given = value if isinstance(value, list | tuple) else [value]
    parts = [part.strip() for each in given for part in text_of(name, each).split(";")]
    return list(dict.fromkeys(filter(None, parts)))


class UpsertContact(Item):
    """Properties by HubSpot's internal names; an empty value leaves the contact's own alone."""

    email: EmailAddress = Field(
        description="The contact's e-mail address; without one there is nothing to do."
    )
    properties: Annotated[dict[str, str], BeforeValidator(texts)] = Field(
        default_factory=dict,
        description="Values to set, by HubSpot's internal names; an empty value changes nothing.",
    )
    only_if_empty: Annotated[dict[str, str], BeforeValidator(texts)] = Field(
        default_factory=dict,
        description="Values to set only where the contact has none yet.",
    )
    increment: Annotated[dict[str, Decimal], BeforeValidator(_amounts)] = Field(
        default_factory=dict,
        description="Numbers to add to what number properties hold; a negative one takes away.",
    )
    append: Annotated[dict[str, list[str]], BeforeValidator(_lists)] = Field(
        default_factory=dict,
        description="Options to tick beside those that are ticked, in properties of checkboxes.",
    )

    example: ClassVar[Mapping[str, Any]] = {
        "email": "{{ contact.email }}",
        "properties": {"lastname": "{{ contact.last_name }}", "lifecyclestage": "customer"},
        "only_if_empty": {"first_event": "{{ tickets[0].event_name }}"},
        "increment": {"tickets_bought": "{{ tickets | length }}"},
        "append": {"ticket_types": "{{ tickets | map(attribute='type') | join(';') }}"},
    }

    @field_validator("only_if_empty", "increment", "append")
    @classmethod
    def _said_once(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        """One section for each property: with two, nobody could say which comes first."""
        for section, before in info.data.items():
            if twice := sorted(set(value) & set(before if isinstance(before, dict) else {})):
                raise ValueError(f"`{twice[0]}` stands under `{section}` already")
        return value

    def names(self) -> set[str]:
        """The properties that it is about."""
        return {*self.properties, *self.only_if_empty, *self.increment, *self.append}
