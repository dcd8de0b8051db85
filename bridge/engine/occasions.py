"""By what events know each other: for `once_per`, and for what calls off that which waits. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from bridge.engine.lane_names import short
from bridge.event import Event
from bridge.ledger.endings import key_of
from bridge.ledger.plan import Once, Unless
from bridge.rules import Rule
from bridge.rules.records import OncePer
from bridge.rules.seen import Seen
from bridge.rules.templates import render
from bridge.rules.work import CannotRender, noting


class Unknown(Exception):
    """Why nobody can tell for what a rule is done once."""


def once_of(rule: Rule, event: Event, seen: Seen, show_field: str | None) -> Once | None:
    """None where the rule is done for every event; raises Unknown.

    Also where the event does not say whom or what it is about: what is unknown is nobody, and
    never the same as another unknown.
    """
    if rule.once is None:
        return None
    value = _value(rule.once, rule, event, seen, show_field)
    if not value:
        return None
    parts = (rule.name, rule.once.of, value)
    key = hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]
    return Once(key, rule.once.period, f"once per {rule.once.said}")


def _value(once: OncePer, rule: Rule, event: Event, seen: Seen, show_field: str | None) -> str:
    if once.of == "contact":
        return (event.contact.email or "").strip().casefold()
    if once.of == "transaction":
        return f"{event.source} {event.subject}" if event.subject else ""
    if once.of == "event":
        return _show(rule, event, seen, show_field)
    assert once.text is not None  # noqa: S101  # as compiled
    try:
        with noting() as notes:
            text = render(once.text, seen.names)
        return "" if notes.blanks else " ".join(text.split()).casefold()
    except CannotRender as why:
        raise Unknown(f"`once_per` cannot be filled in: {why}") from None


def _show(rule: Rule, event: Event, seen: Seen, show_field: str | None) -> str:
    """Of the entry that the rule is at, else of all the event's entries together."""
    if show_field is None:
        return ""
    each = rule.for_each
    path = show_field
    if each is not None and show_field.startswith(f"{each.path}."):
        path = f"{each.name}{show_field.removeprefix(each.path)}"
    found = sorted({str(value) for value in seen.find(path)})
    return f"{event.source} {' '.join(found)}" if found else ""


def unless_of(rule: Rule, event: Event) -> Unless | None:
    """None where nothing calls it off."""
    if rule.unless is None:
        return None
    by_contact = rule.unless.same == "contact"
    if by_contact:
        return Unless(rule.unless.types, tuple(_of_contact(event)))
    keys = tuple(dict.fromkeys(_of_transaction(event)))
    return Unless(rule.unless.types, keys, tuple(_claimed(event)))


def known_as(event: Event) -> tuple[str, ...]:
    """The keys by which it calls off what waits."""
    return tuple(dict.fromkeys([*_of_contact(event), *_of_transaction(event)]))


def _claimed(event: Event) -> Iterator[str]:
    if event.order_key:
        for matter in event.claims:
            yield key_of(event.source, short(matter), event.order_key)


def _of_contact(event: Event) -> Iterator[str]:
    """Whatever source it is from: the person is the same."""
    if event.contact.email:
        yield key_of("", "contact", event.order_key)


def _of_transaction(event: Event) -> Iterator[str]:
    """Of the same person: nobody calls off what somebody else waits for.

    What the signature covers is the same whoever is named: people refund to other addresses.
    """
    for matter in event.proven:
        yield key_of(event.source, short(matter))
    if not event.order_key:
        return
    if event.subject:
        yield key_of(event.source, short(f"subject {event.subject}"), event.order_key)
    for matter in (*event.begins, *event.ends):
        yield key_of(event.source, short(matter), event.order_key)
