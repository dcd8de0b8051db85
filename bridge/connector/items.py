"""What an action is asked to do, and the call that it makes for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr


class Skipped(ValueError):
    """Raised by an item's validator: this event cannot feed this action, and that is no error."""


def _address(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise Skipped("the event has no e-mail address")
    local, at, domain = text.rpartition("@")
    if not (at and local and domain and text.isprintable()) or any(
        c.isspace() or c in ",;<>" for c in text
    ):
        raise Skipped("the event's e-mail address is not one")
    return text


EmailAddress = Annotated[str, BeforeValidator(_address)]
"""A trimmed address. Without one the delivery is suppressed with a reason; others still run."""

NonEmpty = Annotated[str, AfterValidator(str.strip), Field(min_length=1)]


@dataclass(frozen=True)
class Earlier:
    """What was delivered before in the same lane about the same matter: the vendor's reference."""

    reference: str


@dataclass(frozen=True)
class Gist:
    """What an item's event comes to, for messages that sum many up.

    `what` is a noun in the singular ("purchase"), `amount` in units of `currency`.
    """

    what: str
    amount: Decimal | None = None
    currency: str = ""


class Item(BaseModel):
    """What one `do` step of a rule hands to an action; fields are what marketers write.

    `escape` is applied to every value that a template inserts into this item's
    texts; what the rule itself says stays as it is. `placeholders` are what the
    action itself replaces in them, such as `{email}`; anything else in such
    brackets is taken for a slip. `example` is what a rule could write below the
    action, for the reference; each field has a description.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    escape: ClassVar[Callable[[str], str] | None] = None
    placeholders: ClassVar[frozenset[str]] = frozenset()
    example: ClassVar[Mapping[str, Any]] = {}

    _delivery_id: str = PrivateAttr(default="")
    _sent_as: str = PrivateAttr(default="")
    _gist: Gist | None = PrivateAttr(default=None)
    _planned_at: float | None = PrivateAttr(default=None)
    _event: Mapping[str, Any] | None = PrivateAttr(default=None)
    _earlier: Earlier | None = PrivateAttr(default=None)

    @property
    def delivery_id(self) -> str:
        """The same on every attempt, different for every delivery; empty in a preview."""
        return self._delivery_id

    @property
    def sent_as(self) -> str:
        """The name to put into a message and to look for: the delivery's, or its digest's."""
        return self._sent_as or self._delivery_id

    @property
    def gist(self) -> Gist | None:
        """None where the event is of a kind that nobody sums up."""
        return self._gist

    @property
    def planned_at(self) -> float | None:
        """In Unix seconds: nothing was sent of it before."""
        return self._planned_at

    @property
    def event(self) -> Mapping[str, Any]:
        """The event in plain JSON data, under the names that rules use, without `raw`.

        `event` in it has `id` (the same on a replay), `type`, `source` and `time` (ISO 8601:
        when it was received), and `time_zone` where the rules have one. Amounts and times are
        texts. Empty unless the action is declared with `event=True`.
        """
        return self._event or {}

    @property
    def earlier(self) -> Earlier | None:
        """What this item follows, where the action has `threads`; None: there is nothing."""
        return self._earlier

    def for_delivery(
        self,
        delivery_id: str,
        *,
        sent_as: str = "",
        gist: Gist | None = None,
        planned_at: float | None = None,
        event: Mapping[str, Any] | None = None,
        earlier: Earlier | None = None,
    ) -> Self:
        item = self.model_copy()
        item._delivery_id = delivery_id
        item._sent_as = sent_as
        item._gist = gist
        item._planned_at = planned_at
        item._event = event
        item._earlier = earlier
        return item


@dataclass(frozen=True)
class Call:
    """One HTTP request to the vendor, without credentials: what a preview shows.

    `path` is from the root of the vendor's host. `body` is plain JSON data.
    `when` says in a few words on what the call depends, if it does.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    when: str = ""
