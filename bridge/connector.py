"""The connector contract: the one module of the bridge that a connector imports.

A connector is a class published under the entry-point group
`showbridge.connectors`. It turns *items*, the filled-in `do` steps of rules,
into calls of one vendor's own SDK, and says what became of each. It never
sees queues, rules, events or other deliveries, and it never retries: the
engine alone does. `bridge.testing.connectors` holds the conformance suite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
)

__all__ = [
    "Action",
    "Call",
    "Connector",
    "ConnectorSettings",
    "Delivered",
    "EmailAddress",
    "Field",
    "Halted",
    "Item",
    "NonEmpty",
    "Outcome",
    "Rate",
    "Rejected",
    "Retry",
    "SecretStr",
    "Skipped",
    "Suppressed",
    "Unknown",
    "action",
]


# What became of an item


@dataclass(frozen=True)
class Delivered:
    """The vendor has it. `reference` is the vendor's id, `link` a page a person can open."""

    reference: str = ""
    link: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Retry:
    """Not now. `after` is in seconds, where the vendor says so.

    `whole_account`: the vendor refuses everything for a while (a rate limit, an
    outage), so the account rests and no other delivery runs into the same wall.
    """

    reason: str
    after: float | None = None
    whole_account: bool = False


@dataclass(frozen=True)
class Rejected:
    """Never: the vendor says that this item is wrong. A person has to look."""

    reason: str


@dataclass(frozen=True)
class Suppressed:
    """The vendor or the person says no (unsubscribed, forgotten): not an error, not retried."""

    reason: str


@dataclass(frozen=True)
class Unknown:
    """The call went out and no answer came back: it may have been done."""

    reason: str


Outcome = Delivered | Retry | Rejected | Suppressed | Unknown


class Halted(Exception):
    """Raised by an action when the account itself is refused (a revoked token, a missing scope).

    The account rests until a person acts; no delivery spends an attempt.
    """


# What is asked for


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


class Item(BaseModel):
    """What one `do` step of a rule hands to an action; fields are what marketers write.

    `escape` is applied to every value that a template inserts into this item's
    texts; what the rule itself says stays as it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    escape: ClassVar[Callable[[str], str] | None] = None

    _delivery_id: str = PrivateAttr(default="")

    @property
    def delivery_id(self) -> str:
        """The same on every attempt, different for every delivery; empty in a preview."""
        return self._delivery_id

    def for_delivery(self, delivery_id: str) -> Self:
        item = self.model_copy()
        item._delivery_id = delivery_id
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


# What a connector declares


class ConnectorSettings(BaseModel):
    """What `config/bridge.yaml` may say of an account; secrets are `SecretStr | None`.

    An account none of whose secrets is set runs in preview. `base_url` points
    the SDK at another host; `timeout` is in seconds, for each call.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    timeout: float = Field(default=10.0, gt=0, le=60)

    @field_validator("*")
    @classmethod
    def _copied_well(cls, value: Any) -> Any:
        """Secrets are trimmed, a blank one is none, and what no header can carry is refused."""
        if not isinstance(value, SecretStr):
            return value
        text = value.get_secret_value().strip()
        if not (text.isascii() and text.isprintable()) or " " in text:
            raise ValueError("this secret was not copied well: it holds blanks or odd characters")
        return SecretStr(text) if text else None


@dataclass(frozen=True)
class Rate:
    """At most `calls` in any window of `seconds`, over the whole account or each lane."""

    calls: int
    seconds: float
    per_lane: bool = False


@dataclass(frozen=True)
class Action:
    """How the engine may use one method of a connector.

    `batch` is the most items of one call of the method; `lane` the item's
    field that must not be mixed in a batch; `together` a name that actions
    share which must not overtake each other for one person; `shards` how many
    lanes of one account may run side by side; `idempotent` whether twice is once;
    `consent_for` the item's field with the address that must have consented;
    `preview` gives the calls that the method would make for one item.
    """

    name: str
    item: type[Item]
    preview: Callable[[Any, Any], Sequence[Call]]
    about: str
    batch: int = 1
    lane: str | None = None
    together: str | None = None
    shards: int = 1
    idempotent: bool = True
    consent_for: str | None = None


_Method = Callable[[Any, Sequence[Any]], list[Outcome]]


def action(
    item: type[Item],
    *,
    preview: Callable[[Any, Any], Sequence[Call]],
    batch: int = 1,
    lane: str | None = None,
    together: str | None = None,
    shards: int = 1,
    idempotent: bool = True,
    consent_for: str | None = None,
) -> Callable[[_Method], _Method]:
    """Make a method an action: it takes 1 to `batch` items and returns one outcome for each.

    `preview(settings, item)` is pure and tells the truth: the calls that the
    method makes for this item, in order. The first line of the method's
    docstring is what marketers read.
    """

    def mark(method: _Method) -> _Method:
        about = (method.__doc__ or "").strip().partition("\n")[0]
        method.__dict__["action"] = Action(
            name=method.__name__,
            item=item,
            preview=preview,
            about=about,
            batch=batch,
            lane=lane,
            together=together,
            shards=shards,
            idempotent=idempotent,
            consent_for=consent_for,
        )
        return method

    return mark


class Connector:
    """The code for one destination vendor, set up for one account.

    Made once per worker process and account, used by one thread at a time.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    Settings: ClassVar[type[ConnectorSettings]]
    rates: ClassVar[tuple[Rate, ...]] = ()
    """The vendor's published limits for one account."""
    concurrency: ClassVar[int | None] = None
    """The most calls that the vendor allows at the same moment."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    @classmethod
    def actions(cls) -> Mapping[str, Action]:
        return {declared.name: declared for declared in _declared(cls)}

    def find(self, action: str, item: Item) -> Delivered | Retry | Unknown | None:
        """Look for an item whose outcome is unknown, before it is sent again.

        None: it is not there. Retry: the vendor cannot be asked now. Unknown:
        nobody can tell; it is then sent once more, and after a second Unknown
        kept for a person.
        """
        return Unknown("this vendor cannot be asked")


def _declared(connector: type[Connector]) -> Iterator[Action]:
    for name in dir(connector):
        declared = getattr(getattr(connector, name), "action", None)
        if isinstance(declared, Action):
            yield declared
