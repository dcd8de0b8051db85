import base64
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import VerificationFailed
from bridge.event import Event, Identity, Webhook
from bridge.sources.showpad import SIGNATURE, TIMESTAMP, Showpad, ShowpadSettings

# printf '{ "hello": "world" }.1669302166' | openssl dgst -sha256 -hmac "$SECRET" -binary | base64
SECRET = "key from the admin app ☃"
KNOWN_BODY = b'{ "hello": "world" }'
KNOWN_TIME = "1669302166"
KNOWN_SIGNATURE = "xIrkzIHvC+1h3QiGR75effsvh+Us10y4cwRkIQePx28="
NOW = 1669302166.0

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**60), 10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)


def showpad(*secrets: str, **setting: Any) -> Showpad:
    return Showpad(ShowpadSettings(**setting), secrets or (SECRET,))


def known(signature: str = KNOWN_SIGNATURE, timestamp: str = KNOWN_TIME) -> Webhook:
    headers = {SIGNATURE: signature, TIMESTAMP: timestamp}
    return Webhook("coaching", KNOWN_BODY, headers, received_at=NOW)


def arrival(body: bytes, signed_at: float = NOW, method: str = "POST") -> Webhook:
    signed = showpad().sign(body, SECRET, signed_at)
    headers = {name.lower(): value for name, value in signed.items()}
    return Webhook("coaching", body, headers, received_at=NOW, method=method)


def envelope(data: Any = None, **members: Any) -> bytes:
    whole = {
        "type": "shared-space-user-added",
        "specversion": "1",
        "id": "c40b30f2-fabf-4c89-aed0-f5f5aaac9a24",
        "time": "2022-11-24T15:02:46.250Z",
        "data": {} if data is None else data,
    }
    return json.dumps({**whole, **members}).encode()


def identity(body: bytes, **setting: Any) -> Identity:
    return showpad(**setting).identify(arrival(body))


def events(body: bytes) -> tuple[Event, ...]:
    return showpad().normalise(arrival(body))


def event(body: bytes) -> Event:
    [only] = events(body)
    return only


# The signature


def test_a_known_signature_is_verified() -> None:
    showpad().verify(known())


def test_signing_gives_the_headers_that_showpad_sends() -> None:
    assert showpad().sign(KNOWN_BODY, SECRET, now=1669302166.9) == {
        "Content-Type": "application/json",
        "x-showpad-signature-timestamp": KNOWN_TIME,
        "x-showpad-signature-v1": KNOWN_SIGNATURE,
    }


def test_a_body_written_in_another_way_is_refused() -> None:
    webhook = Webhook("coaching", b'{"hello":"world"}', known().headers, received_at=NOW)
    with pytest.raises(VerificationFailed, match="signature-mismatch"):
        showpad().verify(webhook)


@pytest.mark.parametrize(
    "signature",
    [
        f"{'A' * 43}=,{KNOWN_SIGNATURE}",
        f"{KNOWN_SIGNATURE},{'A' * 43}=",
        f"v0, {KNOWN_SIGNATURE}",
        f"{KNOWN_SIGNATURE},{KNOWN_SIGNATURE}",
        "," * 9 + KNOWN_SIGNATURE,
    ],
)
def test_one_matching_signature_of_several_is_enough(signature: str) -> None:
    showpad().verify(known(signature))


# The last letter of 43 carries two bits that mean nothing: 8, 9, + and / spell the same bytes.
SAME_BYTES = KNOWN_SIGNATURE.replace("8=", "9=")


@pytest.mark.parametrize(
    "signature",
    [
        "",
        ",",
        "," * 10 + KNOWN_SIGNATURE,
        KNOWN_SIGNATURE[:-1],
        KNOWN_SIGNATURE + "=",
        KNOWN_SIGNATURE.lower(),
        KNOWN_SIGNATURE.replace("+", "-"),
        f"{KNOWN_SIGNATURE[:20]} {KNOWN_SIGNATURE[20:]}",
        f"v1={KNOWN_SIGNATURE}",
        f'"{KNOWN_SIGNATURE}"',
        KNOWN_SIGNATURE[:-2] + "é=",
        SAME_BYTES,
        base64.b64decode(KNOWN_SIGNATURE).hex(),
    ],
)
def test_any_other_form_of_the_signature_is_refused(signature: str) -> None:
    with pytest.raises(VerificationFailed):
        showpad().verify(known(signature))


def test_the_other_spelling_is_of_the_same_bytes() -> None:
    assert SAME_BYTES != KNOWN_SIGNATURE
    assert base64.b64decode(SAME_BYTES) == base64.b64decode(KNOWN_SIGNATURE)


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        " 1669302166",
        "1669302166 ",
        "1669302166\n",
        "1_669_302_166",
        "+1669302166",
        "-1669302166",
        "1669302166.0",
        "1669302166,1669302166",
        "١٦٦٩٣٠٢١٦٦",
        "²",
        "NaN",
        "9" * 13,
    ],
)
def test_a_timestamp_that_is_not_plain_digits_is_refused(timestamp: str) -> None:
    with pytest.raises(VerificationFailed, match="timestamp"):
        showpad().verify(known(timestamp=timestamp))


@pytest.mark.parametrize("missing", [SIGNATURE, TIMESTAMP])
def test_a_missing_header_is_refused(missing: str) -> None:
    headers = {name: value for name, value in known().headers.items() if name != missing}
    with pytest.raises(VerificationFailed, match="missing"):
        showpad().verify(Webhook("coaching", KNOWN_BODY, headers, received_at=NOW))


@pytest.mark.parametrize("secrets", [(SECRET, "new"), ("new", SECRET)])
def test_either_key_is_accepted_during_a_rotation(secrets: tuple[str, str]) -> None:
    showpad(*secrets).verify(known())


def test_a_stale_signature_is_authentic_all_the_same() -> None:
    showpad().verify(arrival(envelope(), signed_at=1))


# The identity


def test_the_key_is_the_id_of_the_envelope() -> None:
    assert identity(envelope(id="abc-1")).idempotency_key == "abc-1"


@pytest.mark.parametrize("given_id", [None, "", "é", "x" * 129, 7, []])
def test_without_a_usable_id_the_key_is_a_hash_and_an_alert_is_raised(given_id: Any) -> None:
    found = identity(envelope(id=given_id))
    assert found.idempotency_key.startswith("sha256:")
    assert found.alerts
    assert found.quarantine is None


@pytest.mark.parametrize("away", [-300, -299, 0, 299, 300])
def test_five_minutes_on_either_side_are_tolerated(away: int) -> None:
    found = showpad().identify(arrival(envelope(), signed_at=NOW + away))
    assert found.quarantine is None


@pytest.mark.parametrize("away", [-86400, -301, 301, 86400])
def test_what_is_further_away_is_quarantined_under_its_own_key(away: int) -> None:
    found = showpad().identify(arrival(envelope(), signed_at=NOW + away))
    assert found.quarantine == "stale-timestamp"
    assert found.idempotency_key == identity(envelope()).idempotency_key


def test_the_tolerance_is_a_setting() -> None:
    webhook = arrival(envelope(), signed_at=NOW - 301)
    assert showpad(tolerance=600).identify(webhook).quarantine is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "unparsable: invalid-json"),
        (b'{"id": 1, "id": 1}', "unparsable: duplicate-key"),
        (b'{"id": NaN}', "unparsable: not-a-number"),
        (b"[" * 100_000, "unparsable: nested-too-deeply"),
        (b"[1]", "unparsable: not-an-object"),
        (b"null", "unparsable: not-an-object"),
    ],
)
def test_an_authentic_body_that_cannot_be_read_is_quarantined(body: bytes, reason: str) -> None:
    found = identity(body)
    assert found.quarantine == reason
    assert found.event_type == "unknown"
    assert found.idempotency_key.startswith("sha256:")


def test_a_body_that_cannot_be_read_is_recognised_when_it_comes_again() -> None:
    one, other = arrival(b"{"), arrival(b"{", signed_at=NOW + 8)
    assert showpad().identify(one) == showpad().identify(other)


@pytest.mark.parametrize("given_type", [None, "", " ", "\0", 7, []])
def test_an_envelope_without_a_type_is_quarantined(given_type: Any) -> None:
    assert identity(envelope(type=given_type)).quarantine == "event-type-missing"


def test_a_signed_delivery_by_get_is_quarantined() -> None:
    found = showpad().identify(arrival(b"", method="GET"))
    assert found.quarantine == "delivered-by-get"


def test_two_empty_deliveries_by_get_have_two_keys() -> None:
    one, other = (arrival(b"", NOW + away, "GET") for away in (0, 1))
    assert showpad().identify(one).idempotency_key != showpad().identify(other).idempotency_key


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ("COURSE_COMPLETED", "course-completed"),
        ("Shared-Space-Created", "shared-space-created"),
        (" content_viewed ", "content-viewed"),
        ("a\0b" + "c" * 500, "ab" + "c" * 198),
        ("İ" * 200, ("i̇" * 200)[:200]),
    ],
)
def test_types_are_in_lower_case_with_hyphens(sent: str, found: str) -> None:
    assert identity(envelope(type=sent)).event_type == found
    assert event(envelope(type=sent)).type == found


@pytest.mark.parametrize("version", ["1", 1, 2.5, None, [], {}])
def test_no_specversion_is_an_error(version: Any) -> None:
    assert identity(envelope(specversion=version)).quarantine is None


# The event


@pytest.mark.parametrize("time", ["2022-15-30T06:45:00.250Z", "soon", "", 1669302166, [], {}, True])
def test_a_time_that_cannot_be_read_is_none_with_a_remark(time: Any) -> None:
    found = event(envelope(time=time))
    assert found.facts["occurred_at"] is None
    assert "cannot be read" in found.remarks[0]
    assert identity(envelope(time=time)).quarantine is None


def test_the_remark_quotes_what_looks_like_a_time() -> None:
    assert event(envelope(time="2022-15-30T06:45:00.250Z")).remarks == (
        'the time "2022-15-30T06:45:00.250Z" cannot be read',
    )


def test_the_remark_quotes_nothing_else() -> None:
    assert event(envelope(time="lena@example.org")).remarks == ("the time cannot be read",)


def test_a_missing_time_is_none() -> None:
    found = event(envelope(time=None))
    assert (found.facts["occurred_at"], found.remarks) == (None, ())


def test_a_time_is_in_utc() -> None:
    found = event(envelope(time="2022-11-24T15:02:46.250Z"))
    assert found.facts["occurred_at"] == datetime(2022, 11, 24, 15, 2, 46, 250000, UTC)


def test_the_contact_is_the_invitee_and_the_inviter_is_a_fact() -> None:
    data = {"inviter": {"email": "marc@example.org"}, "invitee": {"email": " lena@example.org "}}
    found = event(envelope(data))
    assert found.contact.email == "lena@example.org"
    assert found.facts["inviter"]["email"] == "marc@example.org"


def test_names_and_consent_are_unknown() -> None:
    contact = event(
        envelope({"invitee": {"email": "a@b.ca", "name": "A", "consent": True}})
    ).contact
    assert (contact.name, contact.first_name, contact.consent) == (None, None, None)


def test_without_an_invitee_s_address_nobody_else_is_the_contact_but_who_took_part() -> None:
    data = {"inviter": {"email": "marc@example.org"}, "invitee": {"email": None}}
    assert event(envelope(data)).contact.email is None
    assert event(envelope({**data, "participant": {"email": "p@b.ca"}})).contact.email == "p@b.ca"


def test_an_external_invitee_has_no_user_id() -> None:
    facts = event(envelope({"invitee": {"shareActorId": "f4", "email": "a@b.ca"}})).facts
    assert facts["invitee"] == {"email": "a@b.ca", "user_id": None, "actor_id": "f4"}


def test_the_subject_is_the_shared_space() -> None:
    found = event(envelope({"sharedSpace": {"id": "14aa", "name": "Breakfast"}}))
    assert found.subject == found.facts["space"]["id"] == "14aa"


def test_the_empty_objects_of_a_published_envelope_are_one_event() -> None:
    body = envelope({"inviter": {}, "invitee": {}, "sharedSpace": {}}, specversion=1)
    assert event(body).contact.email is None


def test_a_list_of_people_is_an_event_for_each() -> None:
    data = [{"invitee": {"email": "a@b.ca"}}, {"invitee": {"email": "c@d.ca"}}]
    found = events(envelope(data))
    assert [each.contact.email for each in found] == ["a@b.ca", "c@d.ca"]
    assert [each.raw for each in found] == data


@pytest.mark.parametrize("data", [[], [1], [{"id": 1}, {"id": 2}], [{"email": "a@b.ca"}, 7]])
def test_any_other_list_is_one_event_with_the_whole_list(data: list[Any]) -> None:
    assert event(envelope(data)).raw == {"data": data}


@pytest.mark.parametrize("data", ["text", 7, True])
def test_data_of_another_shape_is_kept(data: Any) -> None:
    assert event(envelope(data)).raw == {"data": data}


def test_an_unknown_type_keeps_what_was_sent() -> None:
    found = event(envelope({"assets": [1]}, type="content-viewed"))
    assert (found.type, found.raw) == ("content-viewed", {"assets": [1]})


@pytest.mark.parametrize(
    ("sent", "noun"),
    [
        ("shared-space-created", "shared space"),
        ("shared-space-user-added", "space member"),
        ("COURSE_COMPLETED", "course completion"),
        ("content-viewed", ""),
    ],
)
def test_a_digest_counts_each_type_by_its_noun(sent: str, noun: str) -> None:
    assert event(envelope(type=sent)).noun == noun


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"7"])
def test_what_is_no_envelope_holds_no_event(body: bytes) -> None:
    assert events(body) == ()


# Anything at all


@given(json_values, json_values, json_values, json_values)
@settings(deadline=None)
def test_no_value_stops_a_signed_webhook(name: Any, time: Any, data: Any, member: Any) -> None:
    if isinstance(data, dict):
        data = {"invitee": member, "sharedSpace": member, "inviter": {"email": member}, **data}
    source, webhook = showpad(), arrival(envelope(data, type=name, id=name, time=time))
    source.verify(webhook)
    assert source.identify(webhook).idempotency_key
    assert source.normalise(webhook)


@given(st.binary(), st.floats(0, 10**11))
@settings(deadline=None)
def test_no_signed_bytes_raise_anything(body: bytes, signed_at: float) -> None:
    source, webhook = showpad(), arrival(body, signed_at)
    source.verify(webhook)
    source.identify(webhook)
    source.normalise(webhook)


@given(st.binary(), st.text() | st.just(KNOWN_SIGNATURE), st.text() | st.just(KNOWN_TIME))
@settings(deadline=None)
def test_no_headers_raise_anything_undocumented(body: bytes, signature: str, time: str) -> None:
    webhook = Webhook("coaching", body, {SIGNATURE: signature, TIMESTAMP: time}, received_at=NOW)
    with suppress(VerificationFailed):
        showpad().verify(webhook)
    showpad().identify(webhook)
    showpad().normalise(webhook)
