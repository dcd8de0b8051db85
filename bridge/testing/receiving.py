"""Checks of what a source says of a webhook before it is kept: who sent it, and which it is."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

from bridge.errors import Malformed, VerificationFailed
from bridge.event import Identity, Webhook
from bridge.source import Source
from bridge.strict_json import canonical
from bridge.testing import hostile
from bridge.testing.sending import (
    NOW,
    OTHER_SECRET,
    SECRET,
    Sending,
    attempt,
    fresh,
    identified,
    refusal,
    with_,
)


class ReceivingChecks(Sending):
    """Signatures, identities, and bodies that are neither."""

    # Samples

    def test_every_documented_type_has_a_sample(self) -> None:
        shipped = {sample.event_type for sample in self.source_class.samples()}
        missing = set(self.source_class.event_types) - shipped
        assert not missing, f"no sample for {sorted(missing)}"

    def test_a_sample_is_of_the_type_that_its_name_says(self) -> None:
        for sample, webhook in self.sent():
            found = identified(self.source(SECRET), webhook).event_type
            assert found == sample.event_type, f"{sample.name} is identified as {found}"

    # The signature

    def test_a_signed_sample_is_verified(self) -> None:
        for sample, webhook in self.sent():
            reason = refusal(self.source(SECRET), webhook)
            assert reason is None, f"{sample.name} is refused: {reason}"

    def test_a_change_in_what_is_signed_is_refused(self) -> None:
        for sample, webhook in self.sent():
            for body in _changed(webhook.body, self.source_class.signature_covers):
                reason = refusal(self.source(SECRET), with_(webhook, body=body))
                assert reason is not None, f"{sample.name} is accepted with another content"

    def test_another_secret_is_refused(self) -> None:
        for sample, webhook in self.sent():
            reason = refusal(self.source(OTHER_SECRET), webhook)
            assert isinstance(reason, VerificationFailed), f"{sample.name}: {reason}"

    def test_without_secrets_nothing_is_verified(self) -> None:
        for sample, webhook in self.sent():
            reason = refusal(self.source(), webhook)
            assert isinstance(reason, VerificationFailed), f"{sample.name}: {reason}"

    def test_nothing_is_built_of_a_strangers_body(self) -> None:
        source = self.source(OTHER_SECRET)
        for name, body in hostile.COSTLY.items():
            most = _most_memory(source, self.signed(body))
            assert most < 3 * len(body), f"{name}: {most:,} bytes for a body of {len(body):,}"

    def test_the_type_has_one_spelling(self) -> None:
        source = self.source(SECRET)
        for sample, webhook in self.sent():
            expected = identified(source, webhook).event_type
            for spelling in hostile.spellings(sample.event_type):
                body = _retyped(webhook.body, sample.event_type, spelling)
                found = identified(source, self.signed(body)).event_type
                assert found == expected, f"{spelling!a} is identified as {found!a}"

    def test_both_secrets_are_accepted_during_a_rotation(self) -> None:
        source = self.source(SECRET, OTHER_SECRET)
        for sample in self.source_class.samples():
            for secret in (SECRET, OTHER_SECRET):
                reason = refusal(source, self.signed(fresh(sample), secret))
                assert reason is None, f"{sample.name} is refused by one of two: {reason}"

    def test_each_signature_header_is_needed(self) -> None:
        for sample, webhook in self.sent():
            for name in _credentials(webhook):
                headers = {key: value for key, value in webhook.headers.items() if key != name}
                reason = refusal(self.source(SECRET), with_(webhook, headers=headers))
                assert isinstance(reason, VerificationFailed), f"{sample.name} without {name}"

    def test_garbage_in_a_signature_header_is_refused(self) -> None:
        for sample, webhook in self.sent():
            for name in _credentials(webhook):
                for value in _garbage(webhook.headers[name]):
                    headers = {**webhook.headers, name: value}
                    reason = refusal(self.source(SECRET), with_(webhook, headers=headers))
                    assert isinstance(reason, VerificationFailed), f"{sample.name}: {name}"

    def test_every_header_that_depends_on_the_secret_is_declared(self) -> None:
        for sample in self.source_class.samples():
            body = fresh(sample)
            one, other = self.signed(body).headers, self.signed(body, OTHER_SECRET).headers
            secret = {name for name in one if one[name] != other[name]}
            declared = set(self.source_class.signature_headers)
            assert secret == declared, f"signed in {sorted(secret)}, declared {sorted(declared)}"

    # The identity

    def test_a_redelivery_has_the_same_key_and_fingerprint(self) -> None:
        source = self.source(SECRET, OTHER_SECRET)
        for sample, webhook in self.sent():
            again = self.signed(webhook.body, OTHER_SECRET, NOW + 60)
            one, other = identified(source, webhook), identified(source, again)
            assert one.idempotency_key == other.idempotency_key, f"{sample.name} has two keys"
            assert one.fingerprint == other.fingerprint, f"{sample.name} has two fingerprints"

    def test_two_events_have_two_keys(self) -> None:
        source = self.source(SECRET)
        webhooks = [webhook for _ in range(2) for _, webhook in self.sent()]
        keys = {identified(source, webhook).idempotency_key for webhook in webhooks}
        assert len(keys) == len(webhooks), "two events share an idempotency key"

    def test_another_content_has_another_fingerprint(self) -> None:
        source = self.source(SECRET)
        first = self.signed(fresh(self.source_class.samples()[0]))
        one = identified(source, first)
        for body in hostile.variations(first.body):
            other = attempt(source.identify, self.signed(body), Malformed)
            same = canonical(json.loads(body)) == canonical(first.json)
            if isinstance(other, Identity) and other.idempotency_key == one.idempotency_key:
                assert same or other.fingerprint != one.fingerprint, "a change goes unnoticed"

    def test_neither_key_order_nor_white_space_changes_the_fingerprint(self) -> None:
        source = self.source(SECRET)
        for sample, webhook in self.sent():
            turned = self.signed(_turned(webhook.body))
            one, other = identified(source, webhook), identified(source, turned)
            assert one.fingerprint == other.fingerprint, f"{sample.name} has two fingerprints"

    def test_names_are_safe_to_store(self) -> None:
        for _, identity in self.varied():
            event_type = identity.event_type
            for key in (identity.idempotency_key, identity.former_key or "none"):
                assert 1 <= len(key) <= 128, "a key is 1 to 128 characters"
                assert all(" " <= character <= "~" for character in key), "a key is printable ASCII"
            assert len(identity.signed_part) <= 128, "what is signed is at most 128 characters"
            assert 1 <= len(event_type) <= 200, "an event type is 1 to 200 characters"
            assert "\0" not in event_type, "PostgreSQL takes no U+0000"

    # Hostile bodies

    def test_hostile_bodies_raise_nothing_undocumented(self) -> None:
        source = self.source(SECRET)
        documented = (Malformed,) if self.source_class.signature_covers == "id" else ()
        for webhook in map(self.signed, (hostile.UNREADABLE | hostile.STRANGE).values()):
            reason = attempt(source.verify, webhook, *documented)
            identity = attempt(source.identify, webhook, *documented)
            if reason is None and isinstance(identity, Identity):
                attempt(source.normalise, webhook)

    def test_an_unreadable_body_is_refused_or_quarantined(self) -> None:
        source = self.source(SECRET)
        for name, body in hostile.UNREADABLE.items():
            webhook = self.signed(body)
            reason = refusal(source, webhook)
            if self.source_class.signature_covers == "id":
                assert isinstance(reason, Malformed), f"{name}: {reason}"
            else:
                assert reason is None, f"{name} is signed, but refused: {reason}"
                assert identified(source, webhook).quarantine, f"{name} is not quarantined"

    def test_no_shape_of_data_stops_normalise(self) -> None:
        source = self.source(SECRET)
        for webhook, _ in self.varied():
            attempt(source.normalise, webhook)


def _changed(body: bytes, covers: str) -> Iterator[bytes]:
    if covers == "id":
        payload = json.loads(body)
        for changed in (f"{payload['id']}0", str(payload["id"])[:-1] + "~", "0"):
            yield json.dumps({**payload, "id": changed}).encode()
        return
    for place in range(0, len(body), max(1, len(body) // 40)):
        yield body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    yield body + b" "


def _turned(body: bytes) -> bytes:
    """The same, with its members in the opposite order and other white space."""
    return json.dumps(dict(reversed(json.loads(body).items())), indent=3).encode()


def _retyped(body: bytes, old: str, new: str) -> bytes:
    payload = json.loads(body)
    named = {name: new for name, value in payload.items() if _is_type(value, old)}
    return json.dumps({**payload, **named}).encode()


def _is_type(value: Any, name: str) -> bool:
    """In whatever style the vendor writes it."""
    return isinstance(value, str) and value.casefold().replace("_", "-") == name


def _most_memory(source: Source, webhook: Webhook) -> int:
    """That is taken at once while the webhook is refused."""
    tracemalloc.start()
    try:
        reason = refusal(source, webhook)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reason is not None, "a stranger's webhook is accepted"
    return most


def _credentials(webhook: Webhook) -> list[str]:
    return [name for name in webhook.headers if name != "content-type"]


def _garbage(value: str) -> tuple[str, ...]:
    return (
        *("", " ", "\0", "é", "0", "0" * 10_000, "," * 500, '"', "²" * len(value)),
        *("١" * len(value), "é" * len(value), "0" * len(value)),
        *(f"sha1={value}", f"{value}0", value[:-1], f"{value}{value}", f"{value[:-1]}é"),
    )
