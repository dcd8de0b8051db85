"""The records that travel: what arrived, what it means, and whom it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bridge import strict_json
from bridge.errors import Malformed

ORDER_KEY_LENGTH = 320


@dataclass(frozen=True)
class Webhook:
    """One HTTP request from a source, as it arrived.

    `source` is the configured name, not the kind. Header names are lower-case.
    `received_at` is in Unix seconds, by our clock.
    """

    source: str
    body: bytes
    headers: Mapping[str, str]
    received_at: float
    method: str = "POST"

    @property
    def json(self) -> Any:
        """The body as strict JSON, parsed once; raises Malformed."""
        # Before Python 3.12 `cached_property` has one lock for all instances.
        if "_json" not in self.__dict__:
            self.__dict__["_json"] = strict_json.loads(self.body, self.members)
        return self.__dict__["_json"]

    @property
    def members(self) -> int:
        """The most values that it may hold, JSON or not, counted once."""
        if "_members" not in self.__dict__:
            self.__dict__["_members"] = strict_json.count_members(self.body)
        return int(self.__dict__["_members"])

    @property
    def fingerprint(self) -> str:
        """A hash of the content: of the JSON, whatever its key order and white space, or else
        of the very bytes. Made once.
        """
        if "_fingerprint" not in self.__dict__:
            self.__dict__["_fingerprint"] = self._new_fingerprint()
        return str(self.__dict__["_fingerprint"])

    def _new_fingerprint(self) -> str:
        try:
            return strict_json.fingerprint(self.json)
        except Malformed:
            return strict_json.raw_fingerprint(self.body)


@dataclass(frozen=True)
class Identity:
    """What the receiver must know of a verified webhook before it can be kept.

    `idempotency_key` is the same on a redelivery and different otherwise: 1 to
    128 printable ASCII characters. `former_key` is what an earlier version of the source
    would have named it, None if that was the same.

    `fingerprint` is a hash of what was sent: where one key comes with two, a person is told,
    and both contents are kept. `Webhook.fingerprint` does for most.

    `quarantine` says why an authentic webhook cannot be processed; `alerts` what a person
    should know of one that can. `signed_part` is what the signature covers where that is not
    the whole body: its holder can write all the rest. When the quarantine is full, the
    signed part that holds most of it loses its oldest webhooks.
    """

    idempotency_key: str
    event_type: str
    fingerprint: str
    quarantine: str | None = None
    alerts: tuple[str, ...] = ()
    former_key: str | None = None
    signed_part: str = ""


@dataclass(frozen=True)
class Contact:
    """The person an event is about. None is "not known", never an empty text.

    `consent` is True only where the person said yes to marketing in this very
    event, False where the person was asked and did not, None where nobody asked.
    """

    email: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    consent: bool | None = None


@dataclass(frozen=True)
class Event:
    """Something that happened, in our shape.

    `facts` are what rules may ask beside `contact`: plain mappings, lists,
    texts, booleans, ints, Decimals, aware datetimes, and dates where there is no time, under
    names that the source declares as its fields. `raw` is the sender's own data, without
    admission credentials. `subject` names what keeps its order besides the
    contact: a transaction, a shared space. `remarks` are for the reader of the
    event's story; `left_out` too, and a person is told: what this holds less than was sent.
    `unread` names what was sent and could not be read: a person is told once for each.

    `noun` ("purchase"), `amount` and `currency` are what a message that sums
    many events up makes of this one; an empty noun: nobody sums it up.

    `begins` and `ends` name matters, such as "transaction 4711": where what
    ends a matter comes before what begins it, the end is done once more after
    the beginning. No event has both. `proven` are those of them that the signature covers:
    they are the same matter whoever is named in it.

    `claims` name matters too, but by what the signature does not cover: nothing is done
    by them alone, and a person is told of an end that only they connect with what it ends.
    With `holds_claims` such an end is kept for a person instead of being processed.

    `id` and `received_at` (Unix seconds, by our clock) are the receiver's, not the
    source's: the same on every replay.
    """

    source: str
    type: str
    contact: Contact = Contact()
    facts: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    remarks: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    noun: str = ""
    amount: Decimal | None = None
    currency: str = ""
    begins: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    proven: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    holds_claims: bool = False
    id: str = ""
    received_at: float | None = None

    @property
    def order_key(self) -> str:
        """What deliveries of this event must not overtake each other by; empty: nothing.

        Short and free of U+0000, whatever was sent as an address: databases index it.
        """
        key = (self.contact.email or self.subject or "").casefold()
        return key.replace("\0", "")[:ORDER_KEY_LENGTH]
