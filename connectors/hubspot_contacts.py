"""What rules hand to HubSpot, and how the items of one contact become one write. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator

from bridge.connector import EmailAddress, Field, Item

ADDRESS = "email"
STAGE = "lifecyclestage"


def _texts(value: Any) -> Any:
    """Texts without what would blank a property: HubSpot clears a value that is sent empty."""
    if not isinstance(value, Mapping):
        return value
    if any(str(name).lower() == ADDRESS for name in value):
        raise ValueError("the address belongs into `email:`, beside `properties:`")
    texts = {str(name): _text(name, given) for name, given in value.items()}
    return {name: text for name, text in texts.items() if text.strip()}


def _text(name: Any, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value).replace("\0", "")
    raise ValueError(f"`{name}` must be one text, number or true/false")


class UpsertContact(Item):
    """`properties` by HubSpot's internal names; an empty value leaves the contact's own alone."""

    email: EmailAddress
    properties: Annotated[dict[str, str], BeforeValidator(_texts)] = Field(default_factory=dict)


@dataclass(frozen=True)
class Write:
    """Items of one contact as one write, by their places in the batch, in order of receipt."""

    items: Mapping[int, UpsertContact]

    @property
    def name(self) -> str:
        """The `objectWriteTraceId`: no other write of the same batch has it."""
        return str(next(iter(self.items)))

    @property
    def email(self) -> str:
        return next(iter(self.items.values())).email

    @cached_property
    def properties(self) -> dict[str, str]:
        """A later value replaces an earlier one; what later items leave alone stays."""
        merged: dict[str, str] = {}
        for item in self.items.values():
            merged |= item.properties
        return merged

    @property
    def to_create(self) -> dict[str, str]:
        return {ADDRESS: self.email, **self.properties}

    def halves(self) -> list[Write]:
        places = list(self.items)
        middle = len(places) // 2
        return [self._part(places[:middle]), self._part(places[middle:])]

    def stages(self) -> list[Write]:
        """Cut wherever the lifecycle stage changes.

        HubSpot moves it forward only, so the last one need not be the one that stays:
        https://integrate.hubspot.com/t/update-lifecycle-stage-using-api/1333
        """
        parts: list[list[int]] = [[]]
        reached = ""
        for place, item in self.items.items():
            stage = item.properties.get(STAGE) or reached
            if reached and stage != reached:
                parts.append([])
            parts[-1].append(place)
            reached = stage
        return [self._part(places) for places in parts]

    def _part(self, places: Sequence[int]) -> Write:
        return Write({place: self.items[place] for place in places})


def key_of(email: str) -> str:
    """HubSpot keeps addresses in lower case."""
    return email.strip().lower()


def by_address(items: Sequence[UpsertContact]) -> dict[str, Write]:
    """One write for each address, in order of their first items."""
    found: dict[str, dict[int, UpsertContact]] = {}
    for place, item in enumerate(items):
        found.setdefault(key_of(item.email), {})[place] = item
    return {key: Write(places) for key, places in found.items()}


def joined(writes: Sequence[Write]) -> Write:
    """The writes of one contact that goes by several addresses."""
    items: Iterator[tuple[int, UpsertContact]] = (
        each for write in writes for each in write.items.items()
    )
    return Write(dict(sorted(items, key=lambda each: each[0])))
