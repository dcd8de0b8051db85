"""The source contract: what a sender of webhooks has to tell the bridge.

A source is a class published under the entry-point group `showbridge.sources`.
Its methods are pure: bytes in, records out; no network, no database, no clock.
`bridge.testing.sources` holds the conformance suite that every source passes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from bridge.event import Event, Identity, Webhook

FieldKind = Literal["text", "number", "money", "date", "yes/no", "list", "anything"]


@dataclass(frozen=True)
class Field:
    """One thing that rules may ask of an event.

    `path` is dotted: `order.total`. Members of a list are named by the list:
    `tickets.type` is the type of any ticket. `events` are globs of the event
    types that carry the field.
    """

    path: str
    kind: FieldKind
    about: str
    example: Any
    events: tuple[str, ...] = ("*",)


@dataclass(frozen=True)
class Sample:
    """A realistic webhook body that ships with a source; `{{ uuid }}` is fresh on each send."""

    name: str
    event_type: str
    text: str


class SourceSettings(BaseModel):
    """What `config/bridge.yaml` may say of a source of this kind, beside what every source has."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(ABC):
    """One kind of sender, set up for one configured source."""

    kind: ClassVar[str]
    title: ClassVar[str]
    Settings: ClassVar[type[SourceSettings]] = SourceSettings
    signature_covers: ClassVar[Literal["body", "id"]]
    signature_headers: ClassVar[tuple[str, ...]]
    """Lower-case names of the headers that carry credentials: never logged, never stored."""
    kept_headers: ClassVar[tuple[str, ...]] = ()
    """Lower-case names of the vendor's other headers that are worth keeping with a webhook.

    Any header that nobody named is not kept, since it may hold a credential.
    """
    event_types: ClassVar[tuple[str, ...]]
    """The types that the vendor documents; others are stored and shown all the same."""
    types_are_open: ClassVar[bool] = False
    """True where the vendor is known to send types that it does not publish."""
    fields: ClassVar[tuple[Field, ...]]
    sampled_at: ClassVar[datetime] = datetime(2027, 6, 1, 12, tzinfo=UTC)
    """When its samples came in, where a test of rules does not say: near the times in them."""
    sample_ids: ClassVar[tuple[str, ...]] = ()
    """Paths in its samples' bodies, such as `data.order.id`, of ids that sending makes fresh."""
    show_field: ClassVar[str | None] = None
    """The field that names the show, for `once_per: event`; None: there are no shows."""

    def __init__(self, settings: SourceSettings, secrets: Sequence[str]) -> None:
        self.settings = settings
        self.secrets = tuple(secret.encode() for secret in secrets)

    @abstractmethod
    def verify(self, webhook: Webhook) -> None:
        """Return if one of the secrets signed it; compare in constant time.

        Until then nothing is built of a stranger's body: it costs about what hashing it costs.
        Raises VerificationFailed, or Malformed where a part of the body must be found first.
        """

    @abstractmethod
    def identify(self, webhook: Webhook) -> Identity:
        """Name a verified webhook.

        Raises Malformed only where the signature does not cover the body; an
        authentic body that cannot be read is quarantined instead. What rules and guards ask
        is normalised by the same functions as in `normalise`.
        """

    @abstractmethod
    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        """The events of a verified, identified webhook.

        An unknown type yields one event of that type with its raw data. Raises Malformed
        for what was put aside unread, which stays in quarantine.
        """

    @abstractmethod
    def sign(self, body: bytes, secret: str, now: float) -> Mapping[str, str]:
        """The headers that the vendor would send with `body` at Unix time `now`."""

    @classmethod
    def samples(cls) -> tuple[Sample, ...]:
        """The shipped bodies, in order: `samples/<kind>/*.json` beside the source's module."""
        package = cls.__module__.rpartition(".")[0]
        folder = resources.files(package) / "samples" / cls.kind
        files = sorted(folder.iterdir(), key=lambda file: file.name)
        return tuple(_sample(file.name, file.read_text("utf-8")) for file in files)


def _sample(file_name: str, text: str) -> Sample:
    """`3-invoice.void.json` is the third sample, named and typed `invoice.void`."""
    name = file_name.removesuffix(".json").partition("-")[2]
    return Sample(name=name, event_type=name, text=text)
