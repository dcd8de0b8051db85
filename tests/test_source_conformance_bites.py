"""For each check of the suite one source that is wrong in just that way."""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest

from bridge import strict_json
from bridge.days import moment
from bridge.errors import Malformed, VerificationFailed
from bridge.event import Event, Identity, Webhook
from bridge.source import Field, Sample, Source, SourceSettings
from bridge.sources.showpad import SIGNATURE, Showpad
from bridge.sources.showpass import Showpass
from bridge.testing.sending import with_
from bridge.testing.sources import SourceConformance

CHECKS = sorted(name for name in dir(SourceConformance) if name.startswith("test_"))

suites: dict[str, type[SourceConformance]] = {}


def fails(check: str, **hooks: Any) -> Callable[[type[Source]], type[Source]]:
    def remember(source_class: type[Source]) -> type[Source]:
        members = {"source_class": source_class, **hooks}
        suites[check] = type(source_class.__name__, (SourceConformance,), members)
        return source_class

    return remember


class Signed(Showpad):
    """Right in everything, like Showpad."""

    @classmethod
    def samples(cls) -> tuple[Sample, ...]:
        return Showpad.samples()


class SignedById(Showpass):
    """Right in everything, like Showpass."""

    @classmethod
    def samples(cls) -> tuple[Sample, ...]:
        return Showpass.samples()


def test_every_check_has_a_source_that_is_wrong_in_just_that_way() -> None:
    assert sorted(suites) == CHECKS


@pytest.mark.parametrize("check", CHECKS)
def test_the_check_fails_what_is_wrong(check: str) -> None:
    with pytest.raises(AssertionError):
        getattr(suites[check](), check)()


@fails("test_every_documented_type_has_a_sample")
class DocumentsMoreThanItShows(Signed):
    event_types = (*Showpad.event_types, "content-viewed")


@fails("test_a_sample_is_of_the_type_that_its_name_says")
class MislabelsSamples(Signed):
    @classmethod
    def samples(cls) -> tuple[Sample, ...]:
        return tuple(replace(sample, event_type="shared") for sample in Showpad.samples())


@fails("test_a_signed_sample_is_verified")
class RefusesEverything(Signed):
    def verify(self, webhook: Webhook) -> None:
        raise VerificationFailed("signature-mismatch")


@fails("test_a_change_in_what_is_signed_is_refused")
class SignsTheTimeOnly(Signed):
    def verify(self, webhook: Webhook) -> None:
        super().verify(with_(webhook, body=b""))

    def sign(self, body: bytes, secret: str, now: float) -> Mapping[str, str]:
        return super().sign(b"", secret, now)


@fails("test_another_secret_is_refused")
class LooksAtTheFormOnly(Signed):
    def verify(self, webhook: Webhook) -> None:
        if len(webhook.headers.get(SIGNATURE, "")) != 44:
            raise VerificationFailed("signature-malformed")


@fails("test_without_secrets_nothing_is_verified")
class TrustsWhereNoSecretIsSet(Signed):
    def verify(self, webhook: Webhook) -> None:
        if self.secrets:
            super().verify(webhook)


@fails("test_both_secrets_are_accepted_during_a_rotation")
class KnowsOneSecret(Signed):
    def __init__(self, settings: SourceSettings, secrets: Sequence[str]) -> None:
        super().__init__(settings, secrets[:1])


@fails("test_each_signature_header_is_needed")
class VerifiesWhatIsSignedOnly(Signed):
    def verify(self, webhook: Webhook) -> None:
        if SIGNATURE in webhook.headers:
            super().verify(webhook)


@fails("test_garbage_in_a_signature_header_is_refused")
class AllowsAPrefix(Signed):
    def verify(self, webhook: Webhook) -> None:
        value = webhook.headers.get(SIGNATURE, "").removeprefix("sha1=")
        super().verify(with_(webhook, headers={**webhook.headers, SIGNATURE: value}))


@fails("test_every_header_that_depends_on_the_secret_is_declared")
class DeclaresNoCredential(Signed):
    signature_headers = ()


@fails("test_a_redelivery_has_the_same_key_and_fingerprint")
class NamesByArrival(Signed):
    def identify(self, webhook: Webhook) -> Identity:
        return replace(super().identify(webhook), idempotency_key=str(webhook.received_at))


@fails("test_two_events_have_two_keys")
class NamesByType(Signed):
    def identify(self, webhook: Webhook) -> Identity:
        identity = super().identify(webhook)
        return replace(identity, idempotency_key=identity.event_type)


@fails("test_another_content_has_another_fingerprint")
class FingerprintsTheKey(Signed):
    def identify(self, webhook: Webhook) -> Identity:
        identity = super().identify(webhook)
        return replace(identity, fingerprint=identity.idempotency_key)


@fails("test_neither_key_order_nor_white_space_changes_the_fingerprint")
class FingerprintsTheBytes(Signed):
    def identify(self, webhook: Webhook) -> Identity:
        found = hashlib.sha256(webhook.body).hexdigest()
        return replace(super().identify(webhook), fingerprint=found)


@fails("test_nothing_is_built_of_a_strangers_body")
class ParsesBeforeItVerifies(SignedById):
    def verify(self, webhook: Webhook) -> None:
        with suppress(Malformed):
            strict_json.loads(webhook.body)
        super().verify(webhook)


@fails("test_the_type_has_one_spelling")
class TakesTheTypeAsItIs(Signed):
    def identify(self, webhook: Webhook) -> Identity:
        return replace(super().identify(webhook), event_type=webhook.json["type"].strip())


@fails("test_names_are_safe_to_store")
class NamesByWhateverIsSent(Signed):
    def identify(self, webhook: Webhook) -> Identity:
        return replace(super().identify(webhook), idempotency_key=str(webhook.json.get("id")))


@fails("test_hostile_bodies_raise_nothing_undocumented")
class ParsesCarelessly(SignedById):
    def verify(self, webhook: Webhook) -> None:
        json.loads(webhook.body)
        super().verify(webhook)


@fails("test_an_unreadable_body_is_refused_or_quarantined")
class ProcessesWhatItCannotRead(Signed):
    def identify(self, webhook: Webhook) -> Identity:
        return replace(super().identify(webhook), quarantine=None)


@fails("test_no_shape_of_data_stops_normalise")
class TrustsTheShape(Signed):
    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        if "sharedSpace" in webhook.json["data"]:
            webhook.json["data"]["sharedSpace"]["name"].strip()
        return super().normalise(webhook)


@fails("test_an_unknown_type_is_one_event_with_its_raw_data")
class DropsUnknownTypes(Signed):
    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        events = super().normalise(webhook)
        return tuple(event for event in events if event.type in self.event_types)


@fails("test_an_event_has_the_source_and_type_of_its_webhook")
class NamesItsKind(Signed):
    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        return tuple(replace(event, source="showpad") for event in super().normalise(webhook))


@fails("test_every_fact_is_a_declared_field")
class DeclaresTooLittle(Signed):
    fields = Showpad.fields[1:]


@fails("test_every_declared_field_is_known_in_a_sample")
class DeclaresTooMuch(Signed):
    fields = (*Showpad.fields, Field("space.owner", "text", "who made it", "Marc"))


@fails("test_facts_and_examples_are_of_the_declared_kind")
class DeclaresAnotherKind(Signed):
    fields = tuple(
        replace(field, kind="number", example=1) if field.path == "space.name" else field
        for field in Showpad.fields
    )


@fails("test_fields_leave_room_for_what_every_event_has")
class TakesAReservedName(Signed):
    fields = (*Showpad.fields, Field("contact.role", "text", "guest or colleague", "guest"))


@fails("test_contacts_hold_no_empty_text")
class KeepsBlanks(Signed):
    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        events = super().normalise(webhook)
        return tuple(
            replace(event, contact=replace(event.contact, email=event.contact.email or ""))
            for event in events
        )


@fails("test_consent_needs_an_explicit_true")
class TakesAnythingForConsent(SignedById):
    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        consent = bool(webhook.json["data"].get("subscribe_to_venue"))
        events = super().normalise(webhook)
        return tuple(
            replace(event, contact=replace(event.contact, consent=consent)) for event in events
        )


@fails("test_admission_credentials_are_in_no_event", admission_credentials=("barcode_string",))
class PassesBarcodesOn(SignedById):
    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        raw = webhook.json["data"]
        return tuple(replace(event, raw=raw) for event in super().normalise(webhook))


@fails("test_signatures_and_secrets_are_in_no_record_and_no_error")
class ExplainsTooMuch(Signed):
    def verify(self, webhook: Webhook) -> None:
        try:
            super().verify(webhook)
        except VerificationFailed:
            expected = self.sign(webhook.body, self.secrets[0].decode(), webhook.received_at)
            raise VerificationFailed(f"expected {expected['x-showpad-signature-v1']}") from None


@fails("test_what_cannot_be_read_is_unknown_with_a_remark")
class ReadsInSilence(SignedById):
    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        return tuple(replace(event, remarks=()) for event in super().normalise(webhook))


@fails("test_an_amount_that_may_be_another_one_is_unknown")
class GuessesAmounts(SignedById):
    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        (event,) = super().normalise(webhook)
        written = str(webhook.json["data"].get("net_sales")).replace(",", "")
        total = Decimal(written) if written.isdigit() else None
        order = {**event.facts.get("order", {}), "total": total}
        return (replace(event, facts={**event.facts, "order": order}),)


@fails("test_a_day_without_a_time_stays_that_day_everywhere")
class KeepsDaysAsMidnight(Signed):
    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        return tuple(
            replace(event, facts={**event.facts, "occurred_at": moment(webhook.json.get("time"))})
            for event in super().normalise(webhook)
        )


@fails("test_dates_from_the_ends_of_the_calendar_stop_nothing")
class ConvertsCarelessly(Signed):
    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        when = moment(webhook.json.get("time"))
        occurred = when.astimezone(UTC) if when else None
        return tuple(
            replace(event, facts={**event.facts, "occurred_at": occurred})
            for event in super().normalise(webhook)
        )


@fails("test_alerts_and_remarks_name_nobody")
class RemarksOnPeople(Signed):
    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        events = super().normalise(webhook)
        return tuple(replace(event, remarks=(f"of {event.contact.email}",)) for event in events)


@fails("test_reading_changes_nothing")
class TidiesTheWebhookUp(Signed):
    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        webhook.json.pop("specversion", None)
        return super().normalise(webhook)


@fails("test_reading_twice_gives_the_same")
class AddsChance(Signed):
    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        raw = {"trace": str(uuid.uuid4())}
        return tuple(replace(event, raw=raw) for event in super().normalise(webhook))
