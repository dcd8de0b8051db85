"""Every operator as documents describe it: in one line, with an example that tests run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class OperatorReference:
    """`example` is one line of `where` as it is written, which Showpass's sample purchase fits."""

    name: str
    about: str
    example: str


OPERATOR_REFERENCE: tuple[OperatorReference, ...] = (
    OperatorReference(
        "is", "it is the same; `field: value` is short for it", "order.currency: {is: CAD}"
    ),
    OperatorReference(
        "is_not",
        "it is not the same; of a list: no entry is",
        "order.payment_type: {is_not: complimentary}",
    ),
    OperatorReference(
        "one_of",
        "it is one of these, or one of the list of that name under `lists`; `field: [a, b]` is"
        " short for it",
        "tickets.type: {one_of: [VIP, Backstage]}",
    ),
    OperatorReference(
        "exactly",
        "it is the same, capitals included",
        "tickets.type: {exactly: VIP}",
    ),
    OperatorReference("contains", "that is in it", "tickets.event_name: {contains: folk}"),
    OperatorReference(
        "starts_with", "it begins with that", 'tickets.event_name: {starts_with: "Bow River"}'
    ),
    OperatorReference(
        "ends_with", "it ends with that", 'contact.email: {ends_with: "@example.com"}'
    ),
    OperatorReference(
        "matches",
        "all of it fits a pattern, in which `*` is any text and `?` any one character",
        'tickets.event_name: {matches: "Bow*Night"}',
    ),
    OperatorReference("at_least", "it is that or more", "order.total: {at_least: 100}"),
    OperatorReference("at_most", "it is that or less", "order.total: {at_most: 499.99}"),
    OperatorReference("more_than", "it is more than that", "order.total: {more_than: 100}"),
    OperatorReference("less_than", "it is less than that", "order.total: {less_than: 500}"),
    OperatorReference(
        "between",
        "it is one of the two or between them; of days each is meant as a whole",
        "order.total: {between: [100, 499.99]}",
    ),
    OperatorReference(
        "before", "it is earlier than that", "tickets.starts_on: {before: 2027-08-01}"
    ),
    OperatorReference("after", "it is later than that", "tickets.starts_on: {after: now}"),
    OperatorReference(
        "within",
        "it is at most so far away from another time, which is the one of receipt unless it"
        " says which",
        "tickets.ends_on: {within: 12 hours after tickets.starts_on}",
    ),
    OperatorReference(
        "country",
        "it is a telephone number of that country, or of one of several; numbers with +1 are told"
        " apart by their area code",
        "contact.phone: {country: CA}",
    ),
    OperatorReference(
        "present",
        "`true`: something is there; `false`: nothing is",
        "contact.email: {present: true}",
    ),
)
"""In the order of the documents."""

COMBINER_REFERENCE: tuple[OperatorReference, ...] = (
    OperatorReference(
        "any",
        "one of several holds",
        "tickets.type: {any: [{contains: VIP}, {starts_with: Back}]}",
    ),
    OperatorReference(
        "all",
        "every one of several holds",
        "tickets.type: {all: [{contains: VIP}, {is_not: Staff}]}",
    ),
    OperatorReference(
        "not", "what is in it does not hold", "tickets.type: {not: {contains: Staff}}"
    ),
)
"""What puts conditions together, of one field or of the whole event."""


ENTRIES_REFERENCE: tuple[OperatorReference, ...] = (
    OperatorReference(
        "where",
        "one and the same entry fulfils all of this; its fields are named without the list",
        "items: {where: {type: {contains: VIP}, quantity: {at_least: 1}}}",
    ),
    OperatorReference(
        "count",
        "so many entries fulfil `where`; without `count` at least one does",
        "items: {where: {kind: ticket}, count: {at_least: 2}}",
    ),
    OperatorReference(
        "sum",
        "a field of the entries that fulfil `where` comes to so much; without `where` of all",
        "items: {sum: {quantity: {at_least: 3}}}",
    ),
)
"""What is asked of a list's entries."""


@dataclass(frozen=True)
class TimeReference:
    """One way to write a time or a length of time, and the operators or keys that take it."""

    written: str
    means: str
    taken_by: tuple[str, ...]


_MOMENTS = ("before", "after")

TIME_REFERENCE: tuple[TimeReference, ...] = (
    TimeReference("2027-07-03", "that whole day in `time_zone`, else in UTC", _MOMENTS),
    TimeReference(
        "2027-07-03T19:30:00-06:00",
        "that moment; without a zone in `time_zone`, else in UTC",
        _MOMENTS,
    ),
    TimeReference("now", "when the event was received", _MOMENTS),
    TimeReference("in 3 days", "so much later than that", _MOMENTS),
    TimeReference("2 weeks ago", "so much earlier than that", _MOMENTS),
    TimeReference(
        "2 hours before tickets.starts_on",
        "so much earlier than the time in a field; `after` is later",
        _MOMENTS,
    ),
    TimeReference("7 days", "at most so far from the receipt, before or after it", ("within",)),
    TimeReference(
        "7 days of tickets.starts_on",
        "at most so far from the time in a field, before or after it",
        ("within",),
    ),
    TimeReference(
        "7 days before tickets.starts_on",
        "not after it, and at most so long before; `after` the other way round",
        ("within",),
    ),
)
"""In the order of the documents."""

ABOUT: Mapping[str, str] = {
    one.name: one.about for one in (*OPERATOR_REFERENCE, *COMBINER_REFERENCE, *ENTRIES_REFERENCE)
}
