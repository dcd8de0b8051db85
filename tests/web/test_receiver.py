"""The answers of the receiver, row by row: what senders can do, and what they get for it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.web.conftest import ROTATED, Receiver, joined, purchase

BODIES = {"showpass": purchase, "showpad": joined}
both_sources = pytest.mark.parametrize("source", ["showpass", "showpad"])

# Authentic for Showpad, whose signature covers the body; unreadable for anybody.
UNREADABLE = {
    "duplicate keys": b'{"id": "1", "id": "2"}',
    "NaN": b'{"id": NaN}',
    "Infinity": b'{"id": -Infinity}',
    "100,000 nested brackets": b"[" * 100_000,
    "deeper than anybody nests": b'{"id": "1", "data": ' + b"[" * 70 + b"]" * 70 + b"}",
    "a 5000-digit integer": b'{"id": ' + b"1" * 5000 + b"}",
    "a lone surrogate": b'{"id": "\\ud800"}',
    "UTF-16": '{"id": "1"}'.encode("utf-16"),
    "a trailing second object": b'{"id": "1"} {"id": "2"}',
    "an empty body": b"",
    "no JSON at all": b"\xff\xfe\x00",
    "a list": b"[1, 2]",
    "a text": b'"id"',
}


@both_sources
def test_a_signed_webhook_is_accepted_and_stored(receiver: Receiver, source: str) -> None:
    answer = receiver.post(source, BODIES[source]())
    assert (answer.status_code, answer.json) == (200, {"result": "accepted"})
    assert [row["state"] for row in receiver.stored()] == ["waiting"]


@both_sources
def test_the_same_webhook_five_times_is_one(receiver: Receiver, source: str) -> None:
    answers = []
    for _ in range(5):
        answers.append(receiver.post(source, BODIES[source]()))
        receiver.now.advance(7)
    assert [answer.status_code for answer in answers] == [200] * 5
    assert answers[4].json == {"result": "duplicate"}
    assert len(receiver.stored()) == 1


def test_the_same_key_with_another_body_keeps_the_first_and_alerts(receiver: Receiver) -> None:
    receiver.post("showpass", purchase())
    answer = receiver.post("showpass", purchase(data={"customer_email": "eve@example.com"}))
    assert answer.status_code == 200
    first, second = receiver.stored()
    assert b"ana@example.com" in first["body"]
    assert (first["state"], second["state"]) == ("waiting", "quarantined")
    assert "again with another content" in receiver.alerts()[0]


def test_key_order_and_white_space_are_no_other_body(receiver: Receiver) -> None:
    receiver.post("showpass", purchase())
    spaced = json.dumps(json.loads(purchase()), indent=3, sort_keys=True).encode()
    receiver.post("showpass", spaced)
    assert receiver.alerts() == []


def test_a_webhook_without_uuid_is_known_by_its_content(receiver: Receiver) -> None:
    body = purchase(webhook_event_uuid=...)
    answers = [receiver.post("showpass", body).json for _ in range(2)]
    assert answers == [{"result": "accepted"}, {"result": "duplicate"}]
    assert receiver.stored()[0]["idempotency_key"].startswith("sha256:")


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_what_showpass_cannot_have_sent_is_refused(receiver: Receiver, body: bytes) -> None:
    answer = receiver.post("showpass", body, {"X-SHOWPASS-SIGNATURE": "0" * 40})
    # As malformed where no signed part can be found, else for its signature.
    assert answer.status_code in (400, 401)
    assert receiver.stored() == []


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_what_showpad_signed_is_kept_even_if_it_cannot_be_read(
    receiver: Receiver, body: bytes
) -> None:
    answer = receiver.post("showpad", body)
    assert (answer.status_code, answer.get_json()["result"]) == (202, "quarantined")
    assert receiver.stored()[0]["body"] == body


@both_sources
def test_a_byte_order_mark_is_accepted(receiver: Receiver, source: str) -> None:
    body = b"\xef\xbb\xbf" + BODIES[source]()
    signed = receiver.sign(source, body if source == "showpad" else BODIES[source]())
    assert receiver.post(source, body, signed).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda signature: "",
        lambda signature: signature[:-1],
        lambda signature: signature + "0",
        lambda signature: "sha1=" + signature,
        lambda signature: "é" + signature[1:],
        lambda signature: signature + "," + signature[::-1],
        lambda signature: signature[:-1] + ("0" if signature[-1] != "0" else "1"),
        lambda signature: '""' + signature + '""',
    ],
    ids=["empty", "39", "41", "sha1=", "non-ASCII", "two values", "one digit", "quoted twice"],
)
def test_a_wrong_showpass_signature_is_refused(receiver: Receiver, change: Any) -> None:
    signature = dict(receiver.sign("showpass", purchase()))["X-SHOWPASS-SIGNATURE"]
    environ = {"HTTP_X_SHOWPASS_SIGNATURE": change(signature).encode().decode("latin-1")}
    answer = receiver.post("showpass", purchase(), {}, environ_base=environ)
    assert answer.status_code == 401
    assert receiver.stored() == []


@pytest.mark.parametrize("change", [str.upper, lambda signature: f'"{signature}"'])
def test_upper_case_and_one_pair_of_quotes_are_accepted(receiver: Receiver, change: Any) -> None:
    signature = dict(receiver.sign("showpass", purchase()))["X-SHOWPASS-SIGNATURE"]
    answer = receiver.post("showpass", purchase(), {"X-SHOWPASS-SIGNATURE": change(signature)})
    assert answer.status_code == 200


@both_sources
def test_a_missing_signature_is_refused(receiver: Receiver, source: str) -> None:
    assert receiver.post(source, BODIES[source](), {}).status_code == 401


@both_sources
def test_both_secrets_hold_during_a_rotation_and_no_other(receiver: Receiver, source: str) -> None:
    body = BODIES[source]()
    for secret, status in ((ROTATED, 200), ("a-guess", 401), ("secret-of-the-second", 401)):
        assert (
            receiver.post(source, body, receiver.sign(source, body, secret)).status_code == status
        )


def test_two_organisations_have_their_own_secrets_and_ledgers(receiver: Receiver) -> None:
    assert receiver.post("second", purchase()).status_code == 200
    assert receiver.post("showpass", purchase()).status_code == 200
    assert [row["source"] for row in receiver.stored()] == ["second", "showpass"]


def test_another_organisation_s_webhook_is_quarantined(receiver: Receiver) -> None:
    answer = receiver.post("second", purchase(data={"showpass_organization_id": 5796}))
    assert answer.status_code == 202
    assert receiver.stored()[0]["reason"] == "organization-mismatch"


def test_an_id_that_is_not_the_transaction_s_is_quarantined_where_the_operator_says_so(
    receiver: Receiver,
) -> None:
    body = purchase(data={"transaction_id": "b3-3eb2-405b-b640-39ec45d04fda"})
    assert receiver.post("strict", body).status_code == 202
    assert receiver.post("showpass", body).status_code == 200
    assert receiver.alerts() != []


def test_a_changed_showpad_body_is_refused(receiver: Receiver) -> None:
    signed = receiver.sign("showpad", joined())
    assert receiver.post("showpad", joined() + b" ", signed).status_code == 401


@pytest.mark.parametrize("seconds", [301, -301, 86400])
def test_a_stale_showpad_webhook_is_quarantined_and_the_clock_suspected(
    receiver: Receiver, seconds: float
) -> None:
    signed = receiver.sign("showpad", joined())
    receiver.now.advance(seconds)
    answer = receiver.post("showpad", joined(), signed)
    assert (answer.status_code, answer.get_json()["reason"]) == (202, "stale-timestamp")
    assert receiver.alerts() != []


def test_a_late_copy_of_a_showpad_webhook_is_a_duplicate(receiver: Receiver) -> None:
    signed = receiver.sign("showpad", joined())
    receiver.post("showpad", joined(), signed)
    receiver.now.advance(86400)
    answer = receiver.post("showpad", joined(), signed)
    assert (answer.status_code, answer.json) == (200, {"result": "duplicate"})


@both_sources
def test_unknown_event_types_are_stored(receiver: Receiver, source: str) -> None:
    body = {
        "showpass": purchase(event_type="invoice.teleport"),
        "showpad": joined(type="SOMETHING_NEW"),
    }[source]
    assert receiver.post(source, body).status_code == 200
    assert receiver.stored()[0]["state"] == "waiting"


@pytest.mark.parametrize(
    "name", ["\u0000", "\u202eabc", "🎟️", "x" * 300, "<script>", "<!channel>", "=HYPERLINK()"]
)
def test_hostile_texts_are_kept_as_received(receiver: Receiver, name: str) -> None:
    body = purchase(data={"customer_name": name})
    assert receiver.post("showpass", body).status_code == 200
    assert receiver.stored()[0]["body"] == body


@pytest.mark.parametrize("email", [None, "", " A@B.CA ", "not-an-email"])
def test_whatever_the_address_the_webhook_is_stored(receiver: Receiver, email: str | None) -> None:
    assert receiver.post("showpass", purchase(data={"customer_email": email})).status_code == 200


@pytest.mark.parametrize("given", ["f1\u0000", "", "x" * 129, 1.5, True, None, [], {}])
def test_an_id_that_nobody_signs_is_refused(receiver: Receiver, given: object) -> None:
    answer = receiver.post("showpass", purchase(id=given), {"X-SHOWPASS-SIGNATURE": "0" * 40})
    assert answer.status_code == 400


def test_an_integer_id_is_signed_as_its_decimal_text(receiver: Receiver) -> None:
    assert receiver.post("showpass", purchase(id=4711)).status_code == 200


# The request around the body


@both_sources
@pytest.mark.parametrize(
    "path", ["/hooks/{}/", "//hooks/{}", "/hooks//{}", "/hooks/{}?from=here", "/hooks/{}///?a=/"]
)
def test_careless_urls_reach_the_same_place_without_a_redirect(
    receiver: Receiver, source: str, path: str
) -> None:
    url, _, query = path.format(source).partition("?")
    careless = {"PATH_INFO": url, "QUERY_STRING": query}
    answer = receiver.post(source, BODIES[source](), environ_overrides=careless)
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data", ""])
@both_sources
def test_the_content_type_does_not_matter(receiver: Receiver, source: str, kind: str) -> None:
    signed = {**receiver.sign(source, BODIES[source]()), "Content-Type": kind}
    assert receiver.post(source, BODIES[source](), signed).status_code == 200


@both_sources
def test_a_compressed_body_is_refused_unless_the_operator_says_otherwise(
    receiver: Receiver, source: str
) -> None:
    plain = BODIES[source]()
    headers = {**receiver.sign(source, plain), "Content-Encoding": "gzip"}
    answer = receiver.post(source, gzip.compress(plain), headers)
    assert (answer.status_code, answer.get_json()["reason"]) == (
        415,
        "unsupported-content-encoding",
    )
    assert receiver.stored() == []


def test_a_compressed_body_is_read_where_the_operator_says_so(receiver: Receiver) -> None:
    plain = joined()
    headers = {**receiver.sign("zipped", plain), "Content-Encoding": "gzip"}
    assert receiver.post("zipped", gzip.compress(plain), headers).status_code == 200
    assert receiver.stored()[0]["body"] == plain


def test_a_decompression_bomb_is_refused(receiver: Receiver) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    headers = {"Content-Encoding": "gzip"}
    assert receiver.post("zipped", bomb, headers).status_code == 413


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [("br", b"x", 415), ("gzip", b"no gzip", 400), ("gzip", gzip.compress(b"{}")[:-3], 400)],
    ids=["another-coding", "no-gzip", "cut-short"],
)
def test_a_body_that_cannot_be_decompressed_is_refused(
    receiver: Receiver, coding: str, body: bytes, status: int
) -> None:
    headers = {**receiver.sign("zipped", body), "Content-Encoding": coding}
    assert receiver.post("zipped", body, headers).status_code == status


@both_sources
def test_a_body_over_the_cap_is_refused(receiver: Receiver, source: str) -> None:
    assert receiver.post(source, b" " * 20_000_000, {}).status_code == 413


def test_the_cap_is_the_operator_s(receiver: Receiver) -> None:
    big = purchase(data={"customer_name": "x" * 3000})
    assert receiver.post("small", big).status_code == 413
    assert receiver.post("small", purchase()).status_code == 200


def test_the_answer_to_a_bad_signature_is_the_operator_s(receiver: Receiver) -> None:
    answer = receiver.post("small", purchase(), {})
    assert (answer.status_code, answer.get_json()["result"]) == (200, "refused")
    assert receiver.stored() == []


def test_an_unguessable_path_has_to_be_known(receiver: Receiver) -> None:
    for path, status in (
        ("/hooks/hidden", 404),
        ("/hooks/hidden/guess", 404),
        ("/hooks/hidden/an-unguessable-path", 200),
        ("/hooks/hidden/an-unguessable-path/", 200),
        ("/hooks/showpass/an-unguessable-path", 404),
        ("/hooks/nobody", 404),
    ):
        assert receiver.post("hidden", purchase(), path=path).status_code == status, path


@pytest.mark.parametrize("forwarded", ["34.83.8.110", "127.0.0.1", "::1", ""])
def test_an_empty_list_of_senders_lets_nobody_send(receiver: Receiver, forwarded: str) -> None:
    headers = {**receiver.sign("unlisted", purchase()), "X-Forwarded-For": forwarded}
    assert receiver.post("unlisted", purchase(), headers).status_code == 403


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [
        ("34.83.8.110", 200),
        ("10.1.200.3", 200),
        ("6.6.6.6, 34.83.8.110", 200),
        ("34.83.8.110, 6.6.6.6", 403),
        ("6.6.6.6", 403),
        ("no address", 403),
        ("", 403),
    ],
)
def test_only_listed_addresses_may_send(receiver: Receiver, forwarded: str, status: int) -> None:
    headers = {**receiver.sign("listed", purchase()), "X-Forwarded-For": forwarded}
    assert receiver.post("listed", purchase(), headers).status_code == status


def test_a_stranger_cannot_forward_for_anybody(receiver: Receiver) -> None:
    headers = {**receiver.sign("listed", purchase()), "X-Forwarded-For": "34.83.8.110"}
    stranger = {"REMOTE_ADDR": "6.6.6.6"}
    answer = receiver.post("listed", purchase(), headers, environ_base=stranger)
    assert answer.status_code == 403


@both_sources
def test_probes_are_answered(receiver: Receiver, source: str) -> None:
    for method in ("GET", "HEAD"):
        answer = receiver.client.open(f"/hooks/{source}", method=method)
        assert answer.status_code == 200
    assert receiver.stored() == []


def test_a_signed_get_is_kept_and_the_operator_told(receiver: Receiver) -> None:
    signed = receiver.sign("showpad", b"")
    for query in ("a=1", "a=1", "a=2"):
        answer = receiver.client.get(f"/hooks/showpad?{query}", headers=dict(signed))
        assert answer.status_code == 200
    assert [row["body"] for row in receiver.stored()] == [b"a=1", b"a=2"]
    # As all of this version are, so that it is not taken for one from before.
    assert all(row["fingerprint"].startswith("raw:") for row in receiver.stored())
    assert "to POST" in receiver.alerts()[0]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_no_webhooks(receiver: Receiver, method: str) -> None:
    answer = receiver.client.open("/hooks/showpass", method=method)
    assert answer.status_code in (200, 405)
    assert receiver.stored() == []


# What stays when Redis or the ledger is away


def test_no_credential_is_stored_or_answered(receiver: Receiver) -> None:
    body = purchase()
    more = {"Authorization": "Basic x", "Cookie": "a=b", "X-Gateway-Token": "let-me-in"}
    signed = {**receiver.sign("showpass", body), **more}
    answer = receiver.post("showpass", body, signed)
    signature = signed["X-SHOWPASS-SIGNATURE"]
    kept = json.dumps(receiver.stored()[0], default=repr) + answer.text + str(answer.headers)
    assert signature not in kept
    assert "Basic" not in kept
    assert "a=b" not in kept
    assert "let-me-in" not in kept


def test_health_tells_of_a_redis_that_is_away_and_stays_ready(receiver: Receiver) -> None:
    assert receiver.client.get("/healthz").status_code == 200
    answer = receiver.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json()["ledger"] == "writable"
    assert answer.get_json()["redis"].startswith("away")
