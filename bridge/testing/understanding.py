"""Checks of what a source makes of a webhook: events, contacts, facts, and nothing that leaks."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import date, timedelta, timezone
from fnmatch import fnmatchcase
from typing import Any

from bridge import days
from bridge.errors import Malformed
from bridge.event import Event, Identity, Webhook
from bridge.source import Sample, Source
from bridge.testing import hostile
from bridge.testing.facts import RESERVED, fits, paths
from bridge.testing.sending import (
    OTHER_SECRET,
    SECRET,
    Sending,
    attempt,
    identified,
    normalised,
    read,
    refusal,
    with_,
)

UNKNOWN_TYPE = "conformance-unknown"


class UnderstandingChecks(Sending):
    """Events and what they hold."""

    def test_an_unknown_type_is_one_event_with_its_raw_data(self) -> None:
        source = self.source(SECRET)
        for sample, webhook in self.sent():
            unknown = self.signed(_of_unknown_type(source, webhook))
            events = normalised(source, unknown)
            assert len(events) == 1, f"{sample.name} of an unknown type is {len(events)} events"
            assert events[0].type == UNKNOWN_TYPE, f"{sample.name} becomes {events[0].type}"
            assert events[0].raw or not webhook.json.get("data"), f"{sample.name} lost its data"

    def test_an_event_has_the_source_and_type_of_its_webhook(self) -> None:
        source = self.source(SECRET)
        for sample, webhook in self.sent():
            for event in normalised(source, webhook):
                assert event.source == webhook.source, f"{sample.name} is of {event.source}"
                assert event.type == identified(source, webhook).event_type, f"{sample.name}"

    def test_every_fact_is_a_declared_field(self) -> None:
        for sample, event in self._events():
            declared = {
                field.path
                for field in self.source_class.fields
                if any(fnmatchcase(event.type, glob) for glob in field.events)
            }
            undeclared = {path for path, _ in paths(event.facts)} - declared
            assert not undeclared, f"{sample.name} has undeclared {sorted(undeclared)}"

    def test_every_declared_field_is_known_in_a_sample(self) -> None:
        facts = [fact for _, event in self._events() for fact in paths(event.facts)]
        found = {path for path, value in facts if value is not None}
        missing = {field.path for field in self.source_class.fields} - found
        assert not missing, f"no sample knows {sorted(missing)}"

    def test_facts_and_examples_are_of_the_declared_kind(self) -> None:
        kinds = {field.path: field.kind for field in self.source_class.fields}
        for field in self.source_class.fields:
            assert fits(field.kind, field.example), f"the example of {field.path}"
        source = self.source(SECRET)
        for webhook in [webhook for webhook, _ in self.varied()]:
            for event in normalised(source, webhook):
                for path, value in paths(event.facts):
                    kind = kinds.get(path, "anything")
                    assert value is None or fits(kind, value), f"{path} is no {kind}"

    def test_fields_leave_room_for_what_every_event_has(self) -> None:
        names = [field.path for field in self.source_class.fields]
        assert len(names) == len(set(names)), "a field is declared twice"
        taken = {name.partition(".")[0] for name in names} & RESERVED
        assert not taken, f"{sorted(taken)} mean something else in a rule"

    def test_contacts_hold_no_empty_text(self) -> None:
        source = self.source(SECRET)
        for webhook, _ in self.varied():
            for event in normalised(source, webhook):
                texts = {**vars(event.contact), "consent": None}
                for name, value in texts.items():
                    assert value is None or value.strip(), f"contact.{name} is {value!r}"

    def test_consent_needs_an_explicit_true(self) -> None:
        source = self.source(SECRET)
        for sample, webhook in self.sent():
            for doubtful in ("true", "yes", "on", 1, None, [True], {"value": True}):
                payload = hostile.replaced(webhook.json, True, doubtful)
                for event in normalised(source, self.signed(json.dumps(payload).encode())):
                    assert event.contact.consent is not True, f"{sample.name}: {doubtful!r}"

    # What cannot be read, and days

    def test_what_cannot_be_read_is_unknown_with_a_remark(self) -> None:
        source = self.source(SECRET)
        # Any of them may be a text; names are made of several words.
        texts = {field.path for field in self.source_class.fields if field.kind == "text"}
        for sample, webhook in self.sent():
            before = normalised(source, webhook)
            for value in hostile.UNREADABLE_VALUES:
                for after in self._alike(source, webhook, value):
                    silent = {*_remarks(after)} <= {*_remarks(before)}
                    lost = sorted(_known(before) - _known(after)) if silent else []
                    if isinstance(value, str):
                        lost = [one for one in lost if one not in texts and "contact" not in one]
                    assert not lost, f"{sample.name}: {lost} became unknown without a remark"

    def test_an_amount_that_may_be_another_one_is_unknown(self) -> None:
        """`1,234` is a thousand and more to some, and one and a bit to others."""
        source = self.source(SECRET)
        for sample, webhook in self.sent():
            for after in self._alike(source, webhook, "1,234"):
                for path, value in _facts(after):
                    guessed = str(value) in ("1234", "1.234")
                    assert not guessed, f"{sample.name}: {path} is {value}, which is guessed"

    def test_a_day_without_a_time_stays_that_day_everywhere(self) -> None:
        source = self.source(SECRET)
        dated = {field.path for field in self.source_class.fields if field.kind == "date"}
        for sample, webhook in self.sent():
            before = normalised(source, webhook)
            for after in self._alike(source, webhook, _DAY.isoformat()):
                new = [
                    one for one in _facts(after) if one[0] in dated and one not in _facts(before)
                ]
                for path, value in new:
                    found = {days.day_in(value, zone) for zone in _ENDS_OF_THE_WORLD}
                    assert found <= {_DAY, None}, f"{sample.name}: {path} is {value}"

    def test_dates_from_the_ends_of_the_calendar_stop_nothing(self) -> None:
        """Senders write them for no date: no zone's clocks show them, so none is made of them."""
        source = self.source(SECRET)
        for _, webhook in self.sent():
            for far in ("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "0001-01-01"):
                for _ in self._alike(source, webhook, far):
                    continue

    def _alike(self, source: Source, webhook: Webhook, value: Any) -> Iterator[tuple[Event, ...]]:
        """The events of bodies in which one value is this one, if they are of the same type."""
        whole = identified(source, webhook)
        for body in hostile.replacing(webhook.body, value):
            signed = self.signed(body)
            found = attempt(source.identify, signed, Malformed)
            if isinstance(found, Identity) and not found.quarantine:
                events = attempt(source.normalise, signed)
                if found.event_type == whole.event_type and isinstance(events, tuple):
                    yield events

    # What must not leak, and what must not change

    def test_admission_credentials_are_in_no_event(self) -> None:
        source = self.source(SECRET)
        for sample, webhook in self.sent():
            written = repr(normalised(source, webhook))
            for name in self.admission_credentials:
                for value in hostile.members(webhook.json, name):
                    assert str(value) not in written, f"{sample.name} shows its {name}"

    def test_signatures_and_secrets_are_in_no_record_and_no_error(self) -> None:
        for sample, webhook in self.sent():
            source, stranger = self.source(SECRET), self.source(OTHER_SECRET)
            records = (identified(source, webhook), normalised(source, webhook))
            written = f"{records!r} {refusal(stranger, webhook)!r}"
            expected = self.signed(webhook.body, OTHER_SECRET).headers
            names = self.source_class.signature_headers
            values = [headers[name] for name in names for headers in (webhook.headers, expected)]
            for value in (SECRET, OTHER_SECRET, *values):
                assert value not in written, f"{sample.name} shows a credential"

    def test_alerts_and_remarks_name_nobody(self) -> None:
        source = self.source(SECRET)
        for webhook, identity in self.varied():
            for event in normalised(source, webhook):
                said = " ".join(
                    (*identity.alerts, identity.quarantine or "", *event.remarks, *event.left_out)
                )
                address = event.contact.email
                assert not (address and "@" in address and address in said), "an address is shown"

    def test_reading_changes_nothing(self) -> None:
        for sample, webhook in self.sent():
            source = self.source(SECRET)
            before = copy.deepcopy((vars(source), dict(webhook.headers), webhook.json))
            read(source, webhook)
            after = (vars(source), dict(webhook.headers), webhook.json)
            assert before == after, f"reading {sample.name} changed the source or the webhook"

    def test_reading_twice_gives_the_same(self) -> None:
        for sample, webhook in self.sent():
            one, other = self.source(SECRET), self.source(SECRET)
            again = with_(webhook)
            assert read(one, webhook) == read(other, again), f"{sample.name} reads in two ways"
            assert read(one, webhook) == read(one, again), f"{sample.name} reads in two ways"

    def _events(self) -> Iterator[tuple[Sample, Event]]:
        source = self.source(SECRET)
        for sample, webhook in self.sent():
            for event in normalised(source, webhook):
                yield sample, event


_DAY = date(2027, 7, 2)
_ENDS_OF_THE_WORLD = (timezone(timedelta(hours=-12)), timezone(timedelta(hours=14)))


def _remarks(events: tuple[Event, ...]) -> list[str]:
    return [said for event in events for said in (*event.remarks, *event.left_out)]


def _facts(events: tuple[Event, ...]) -> list[tuple[str, Any]]:
    """With what is known of the contact."""
    facts = [fact for event in events for fact in paths(event.facts)]
    return facts + [(f"contact.{n}", v) for event in events for n, v in vars(event.contact).items()]


def _known(events: tuple[Event, ...]) -> set[str]:
    return {path for path, value in _facts(events) if value not in (None, [])}


def _of_unknown_type(source: Source, webhook: Webhook) -> bytes:
    """The body with another type: whichever member it is that names it."""
    for name in webhook.json:
        body = json.dumps({**webhook.json, name: UNKNOWN_TYPE}).encode()
        found = attempt(source.identify, with_(webhook, body=body), Malformed)
        if isinstance(found, Identity) and found.event_type == UNKNOWN_TYPE:
            return body
    raise AssertionError("no member of the body names the event's type")
