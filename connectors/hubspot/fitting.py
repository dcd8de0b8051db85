"""Contacts' items as the account's properties take them; mistakes are named before any call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.connector import Call, Rejected
from connectors.hubspot.contacts import COUNTED, STAGE, UpsertContact
from connectors.hubspot.definitions import Property
from connectors.hubspot.schema import PROPERTIES, Schema
from connectors.hubspot.values import fitting

CONTACTS = "contacts"
"""The type of object, as the schema knows it."""


READING = Call("GET", f"{PROPERTIES}/{CONTACTS}", when="not read in the last ten minutes")


class Misfit(Exception):
    """One value or name is wrong, and so is its item."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.reason)
        self.rejected = rejected


def fitted(schema: Schema, item: UpsertContact) -> UpsertContact | Rejected:
    """The item with every value in its property's form. Raises NotRead and Halted.

    Where the token may not read the properties, values go on as the texts they are.
    """
    if not item.names() or not schema.is_known(CONTACTS):
        return item
    try:
        return item.model_copy(update=dict(_sections(schema, item)))
    except Misfit as misfit:
        return misfit.rejected


def stage_order(schema: Schema, items: Mapping[int, UpsertContact]) -> tuple[str, ...]:
    """The account's own lifecycle stages, the first first; empty where they cannot be read.

    Accounts have stages of their own, in an order of their own, which is that of the options:
    https://developers.hubspot.com/changelog/upcoming-customized-lifecycle-stages-for-contacts-and-companies
    """
    if not any(STAGE in item.properties for item in items.values()):
        return ()
    about = schema.property(CONTACTS, STAGE)
    return tuple(option.value for option in about.options) if about else ()


def _sections(schema: Schema, item: UpsertContact) -> Iterator[tuple[str, Any]]:
    for section in ("properties", "only_if_empty"):
        values: Mapping[str, str] = getattr(item, section)
        yield section, {name: _fit(schema, name, text) for name, text in values.items()}
    for name in item.increment:
        _must_hold_numbers(_known(schema, name))
    if item.increment:
        _known(schema, COUNTED)
    yield (
        "append",
        {name: _ticked(schema, name, options) for name, options in item.append.items()},
    )


def _fit(schema: Schema, name: str, text: str) -> str:
    found = fitting(_known(schema, name), text)
    if isinstance(found, Rejected):
        found = fitting(schema.property_anew(CONTACTS, name) or _known(schema, name), text)
    if isinstance(found, Rejected):
        raise Misfit(found)
    return found


def _ticked(schema: Schema, name: str, options: list[str]) -> list[str]:
    about = _known(schema, name)
    if not about.takes_many:
        raise Misfit(
            Rejected(
                f"HubSpot's property `{name}` takes one value only: "
                "put it under `properties` instead of `append`"
            )
        )
    return _fit(schema, name, ";".join(options)).split(";")


def _must_hold_numbers(about: Property) -> None:
    if about.type != "number":
        raise Misfit(
            Rejected(
                f"HubSpot's property `{about.name}` holds no number, "
                "so that `increment` cannot add to it"
            )
        )
    if about.read_only:
        _refuse_to_write(about)


def _refuse_to_write(about: Property) -> None:
    found = fitting(about, "")
    if isinstance(found, Rejected):
        raise Misfit(found)


def _known(schema: Schema, name: str) -> Property:
    about = schema.property(CONTACTS, name)
    if about is None:
        raise Misfit(
            Rejected(f"HubSpot has no property `{name}`; `showbridge hubspot setup` can create it")
        )
    return about
