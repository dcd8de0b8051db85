"""What a connector declares of itself, its settings and its actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from bridge.connector.items import Call, Item, NonEmpty
from bridge.connector.outcomes import Delivered, Outcome, Retry, Unknown
from bridge.connector.pacing import Pacer, Rate, Unpaced
from bridge.connector.surveying import Change, Checked, Use

IfUnknown = Literal["repeat", "keep"]
"""A message that may have been sent: send it again, or keep it for a person."""


ConsentsTo = Literal["subscribe", "mail"]
"""What a person's consent allows an action to do."""


class OptIn(BaseModel):
    """The text beside the box that people tick, and the operator's name for this version of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    wording: NonEmpty = Field(description="The text beside the box, word for word.")
    version: NonEmpty = Field(description="Your name for this wording, such as 2026-01.")


class ConnectorSettings(BaseModel):
    """What `config/bridge.yaml` may say of an account; secrets are `SecretStr | None`.

    An account none of whose secrets is set runs in preview; where that is not the
    question, `lives_by` names the settings of which one must be set. `base_url` points
    the SDK at another host; `timeout` is in seconds, for each call. `if_unknown`
    replaces what the actions declare. Where people are put on lists, a field
    `opt_in: OptIn | None` lets the record of their consent name the wording.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    lives_by: ClassVar[tuple[str, ...]] = ()

    base_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Another host than the vendor's own, for tests.",
    )
    timeout: float = Field(default=10.0, gt=0, le=60, description="Seconds that one call may take.")
    if_unknown: IfUnknown | None = Field(
        default=None,
        description="What becomes of a message that may have been sent and cannot be looked up: "
        "repeat it, perhaps twice, or keep it for a person.",
    )

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
class Refusal:
    """What a rule asks of an account that it can never do; `field` leads to where it says so.

    What `only_warns` may be meant so, and keeps no rule from working.
    """

    what: str
    advice: str = ""
    field: tuple[str | int, ...] = ()
    only_warns: bool = False


@dataclass(frozen=True)
class Digest:
    """How an action puts up to `most` items of one lane into one message.

    The connector's `method(items, seconds)` returns one outcome for all;
    `preview(settings, items, seconds)` gives its calls. The items share their
    `sent_as` and come in the order of receipt; the oldest has waited `seconds`.
    `always`: the action is nothing but a digest, also of a single item.
    """

    method: str
    preview: Callable[[Any, Sequence[Any], float], Sequence[Call]]
    most: int = 1000
    always: bool = False


@dataclass(frozen=True)
class Action:
    """How the engine may use one method of a connector.

    `batch` is the most items of one call of the method; they come in the order
    of receipt. Only where the action `merges` may several be about one person:
    what it writes is then as if they were sent one by one in that order, and
    nothing of a person is sent after an item of theirs that is to be retried.
    `lane` is the item's field that must not be
    mixed in a batch; `together` a name that actions share which must not
    overtake each other for one person; `shards` how many lanes of one account
    may run side by side. `idempotent` says whether twice is once; where it is
    not, `if_unknown` is what becomes of an item that may have been done and
    cannot be looked up. `overwrites` is for an action that is not, and yet
    takes the place of what was there: an older one is not sent again behind
    a newer one. `digest` is how all that waits becomes one message
    once the lane is late. `consent_for` is the item's field with the
    address that must have consented, to a subscription or, where `consents_to` says so,
    to a single mailing; `withdraws_for` is the one with the address
    of a person who is taken off again. `preview` gives the calls that the method
    would make for one item.

    `event`: the items hold their event. `not_before(item, received)` is the
    earliest time at which the item may be sent, both aware times; such an action has a
    lane of its own, since what is of the same person waits behind it. `threads` is
    the item's field that asks for `item.earlier`: what was delivered first in
    the lane about the event's subject (its transaction, its shared space) by an
    action with `threads`; where it is left empty nothing is looked up. The
    reference of whatever is delivered so is remembered, unless it is empty.
    """

    name: str
    item: type[Item]
    preview: Callable[[Any, Any], Sequence[Call]]
    about: str
    batch: int = 1
    merges: bool = False
    lane: str | None = None
    together: str | None = None
    shards: int = 1
    idempotent: bool = True
    if_unknown: IfUnknown = "keep"
    overwrites: bool = False
    digest: Digest | None = None
    consent_for: str | None = None
    consents_to: ConsentsTo = "subscribe"
    withdraws_for: str | None = None
    event: bool = False
    not_before: Callable[[Any, datetime], datetime] | None = None
    threads: str | None = None


_Method = Callable[[Any, Sequence[Any]], list[Outcome]]


def action(
    item: type[Item],
    *,
    preview: Callable[[Any, Any], Sequence[Call]],
    batch: int = 1,
    merges: bool = False,
    lane: str | None = None,
    together: str | None = None,
    shards: int = 1,
    idempotent: bool = True,
    if_unknown: IfUnknown = "keep",
    overwrites: bool = False,
    digest: Digest | None = None,
    consent_for: str | None = None,
    consents_to: ConsentsTo = "subscribe",
    withdraws_for: str | None = None,
    event: bool = False,
    not_before: Callable[[Any, datetime], datetime] | None = None,
    threads: str | None = None,
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
            merges=merges,
            lane=lane,
            together=together,
            shards=shards,
            idempotent=idempotent,
            if_unknown=if_unknown,
            overwrites=overwrites,
            digest=digest,
            consent_for=consent_for,
            consents_to=consents_to,
            withdraws_for=withdraws_for,
            event=event,
            not_before=not_before,
            threads=threads,
        )
        return method

    return mark


class Connector:
    """The code for one destination vendor, set up for one account.

    Made once per worker process and account, and used for one lane at a time.
    Each HTTP request is made inside `with self.pacer.call():`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    Settings: ClassVar[type[ConnectorSettings]]
    rates: ClassVar[tuple[Rate, ...]] = ()
    """The vendor's published limits for one account."""
    concurrency: ClassVar[int | None] = None
    """The most calls that the vendor allows at the same moment."""

    def __init__(self, settings: Any, pacer: Pacer | None = None) -> None:
        self.settings = settings
        self.pacer = pacer or Unpaced()

    @classmethod
    @cache
    def actions(cls) -> Mapping[str, Action]:
        return {declared.name: declared for declared in _declared(cls)}

    @classmethod
    def refuses(
        cls, settings: Any | None, action: str, fields: Mapping[str, Any]
    ) -> Sequence[Refusal]:
        """What of a rule's step can never work with such an account: told when rules are read.

        `fields` as the rule writes them, templates and all, perhaps with mistakes that are
        told elsewhere; `settings` is None where nothing is known of the account. Pure.
        """
        return ()

    def find(self, action: str, item: Item) -> Delivered | Retry | Unknown | None:
        """Look for `item.sent_as`, whose outcome is unknown, before it is sent again.

        None: it is not there. Retry: the vendor cannot be asked now. Unknown:
        nobody can tell; then `if_unknown` decides.
        """
        return Unknown("this vendor cannot be asked")

    def survey(self, uses: Sequence[Use]) -> Sequence[Checked]:
        """Ask the vendor whether the credentials are good and what the rules name exists.

        One entry for each thing asked about, in the order to read them. Reads
        only; never raises for what the vendor answers.
        """
        return ()

    def changes(self, uses: Sequence[Use]) -> Sequence[Change]:
        """What has to be made at the vendor before these rules can run; raises Halted.

        Only what is missing; nothing that is there is changed.
        """
        return ()


def _declared(connector: type[Connector]) -> Iterator[Action]:
    for name in dir(connector):
        declared = getattr(getattr(connector, name), "action", None)
        if isinstance(declared, Action):
            yield declared
