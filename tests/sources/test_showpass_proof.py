"""What is proved of a Showpass body before it is read, and that both readings agree."""

import hashlib
import hmac
import json
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import strict_json
from bridge.errors import Malformed, SenderError, VerificationFailed
from bridge.event import Webhook
from bridge.sources.showpass import Showpass, ShowpassSettings

SECRET = "Jefe"
UUID = "09117c09-e1f8-4913-b2f5-52cc161cf5f7"


def showpass() -> Showpass:
    return Showpass(ShowpassSettings(), (SECRET,))


def signed(body: bytes, name: str) -> Webhook:
    """With the signature of an id, wherever that stands."""
    signature = hmac.digest(SECRET.encode(), name.encode(), "sha1").hex()
    return Webhook("tickets", body, {"x-showpass-signature": signature}, received_at=0)


def too_many(**members: Any) -> bytes:
    """More than are read, but no more for its length than is looked at."""
    envelope = {"id": "T-1", "webhook_event_uuid": UUID, "event_type": "Invoice.Purchase"}
    start = json.dumps({**envelope, **members}).encode()[:-1]
    return start + b', "data": [' + b'"1234567890123456789",' * 100_001 + b"0]}"


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "T-1"}',
        b'\xef\xbb\xbf{"id": "T-1"}',
        b'{"id": "\\u0054-1"}',
        b'{"\\u0069d": "T-1"}',
        b'{"data": {"id": "T-2", "ids": [{"id": "T-3"}]}, "id": "T-1"}',
        b' \n{ "a" : "\\"id\\": \\"T-2\\"" , "id" : "T-1" } \n',
    ],
)
def test_the_signed_id_is_found_however_it_is_written(body: bytes) -> None:
    showpass().verify(signed(body, "T-1"))


@pytest.mark.parametrize("number", ["7", "-7", "9" * 64])
def test_an_integer_of_any_size_is_signed_as_its_text(number: str) -> None:
    showpass().verify(signed(f'{{"id": {number}}}'.encode(), number))


@pytest.mark.parametrize("number", ["1.0", "1e2", "9" * 65, "true", "1.5", "-0.0"])
def test_a_number_that_parsers_read_in_different_ways_is_no_id(number: str) -> None:
    for text in (number, "1", "100", "True"):
        with pytest.raises(Malformed):
            showpass().verify(signed(f'{{"id": {number}}}'.encode(), text))


@pytest.mark.parametrize("name", ["T-1", "T-2"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "T-2", "id": "T-1"}',
        b'{"id": "T-1", "\\u0069d": "T-2"}',
        b'{"id": "T-1", "id": ["T-2"]}',
        b'{"id": "T-1", "data": NaN}',
        b'{"id": "T-1"} {"id": "T-2"}',
        b'{"id": "T-1", "data": "\\ud800"}',
        b'{"id": "T-1", "data": "\xff"}',
        b'{"id": "T-1", "data": {"a": 1, "a": 2}}',
        b'{"id": "T-1", "data": ' + b"[" * 70 + b"]" * 70 + b"}",
        b'[{"id": "T-1"}]',
        b'{"ID": "T-1"}',
        b'{"data": {"id": "T-1"}}',
    ],
)
def test_what_is_signed_and_could_be_read_in_two_ways_is_refused(body: bytes, name: str) -> None:
    with pytest.raises(SenderError):
        showpass().verify(signed(body, name))


@given(
    st.binary()
    | st.lists(
        st.sampled_from(
            [*'{}[]",:0 eE.-\\', "id", '"id"', '"id":', "T-1", '"T-1"', "\\u0069d", "1"]
        )
    ).map(lambda parts: "".join(parts).encode())
)
@settings(deadline=None, max_examples=500)
def test_what_is_verified_has_the_very_id_that_was_signed(body: bytes) -> None:
    for name in ("T-1", "1", "0", "10", "T-1T-1"):
        webhook = signed(body, name)
        with suppress(SenderError):
            showpass().verify(webhook)
            assert str(json.loads(body.removeprefix(b"\xef\xbb\xbf"))["id"]) == name


def test_a_signed_body_is_parsed_once() -> None:
    webhook = signed(json.dumps({"id": "T-1", "data": {}}).encode(), "T-1")
    source = showpass()
    source.verify(webhook)
    first = webhook.json
    source.identify(webhook)
    source.normalise(webhook)
    assert webhook.json is first


def test_an_unsigned_body_is_not_parsed() -> None:
    webhook = signed(b'{"id": "T-1", "data": {}}', "T-2")
    with pytest.raises(VerificationFailed):
        showpass().verify(webhook)
    assert "_json" not in vars(webhook)


def test_a_signed_body_with_too_many_members_is_put_aside_unread() -> None:
    webhook = signed(too_many(), "T-1")
    showpass().verify(webhook)
    found = showpass().identify(webhook)
    assert found.quarantine == "too-many-members"
    assert (found.idempotency_key, found.event_type) == (f"T-1/{UUID}", "invoice.purchase")
    assert found.fingerprint == f"raw:{hashlib.sha256(webhook.body).hexdigest()}"
    with pytest.raises(Malformed, match="too-many-members"):
        showpass().normalise(webhook)


@pytest.mark.parametrize("uuid", [None, [[["\x00"]]], "x" * 5000, {"a": 1}])
def test_without_a_uuid_too_many_members_are_known_by_their_bytes(uuid: Any) -> None:
    webhook = signed(too_many(webhook_event_uuid=uuid), "T-1")
    expected = f"sha256:{hashlib.sha256(webhook.body).hexdigest()}"
    assert showpass().identify(webhook).idempotency_key == expected


def test_too_many_members_of_a_stranger_are_refused_by_their_signature() -> None:
    with pytest.raises(VerificationFailed):
        showpass().verify(signed(too_many(), "T-2"))


def test_what_is_made_of_almost_nothing_but_members_is_refused_unread() -> None:
    body = b'{"id": "T-1", "data": [' + b"[]," * 1_000_000 + b"0]}"
    with pytest.raises(Malformed, match="too-many-members"):
        showpass().verify(signed(body, "T-1"))


def test_a_large_order_has_far_fewer_members_than_are_read() -> None:
    ticket = next(
        json.loads(sample.text)["data"]["ticket_items"][0]
        for sample in Showpass.samples()
        if sample.name == "invoice.purchase"
    )
    body = json.dumps({"id": "T-1", "data": {"ticket_items": [ticket] * 500}}).encode()
    assert strict_json.count_members(body) <= strict_json.MAX_MEMBERS // 5
    showpass().verify(signed(body, "T-1"))


def test_tickets_with_far_less_in_them_than_real_ones_have_are_read() -> None:
    body = (
        b'{"id": "T-1", "data": [' + b'{"id":90210001,"ticket_type_name":null},' * 24_000 + b"0]}"
    )
    assert len(body) / strict_json.count_members(body) < 14
    showpass().verify(signed(body, "T-1"))


def test_a_webhook_is_counted_and_hashed_once() -> None:
    webhook = signed(json.dumps({"id": "T-1", "data": ["x" * 30_000]}).encode(), "T-1")
    done: Counter[str] = Counter()

    def note(frame: Any, event: str, _arg: object) -> None:
        whole = frame.f_locals.get("body") is webhook.body or frame.f_locals.get("self") is webhook
        done[frame.f_code.co_name] += event == "call" and whole

    sys.setprofile(note)
    showpass().verify(webhook)
    identity = showpass().identify(webhook)
    again = webhook.fingerprint
    sys.setprofile(None)
    assert again == identity.fingerprint
    assert (done["count_members"], done["_new_fingerprint"], done["loads"]) == (1, 1, 1)


COSTLY = pytest.mark.parametrize(
    "body",
    [
        b'{"id": "T-1", "data": [' + (b"[" * 60 + b"]" * 60 + b",") * 41_000 + b"0]}",
        b'{"id": "T-1", "data": "' + b"x" * 4_999_000 + b'"}',
        b'{"id": "' + b"\\u00e9" * 800_000 + b'"}',
        b'{"id": "T-1"' + b',"id": "aaaaaaaaaaaaaaaaaaa"' * 170_000 + b"}",
        b'{"id": "T-1"' + b',"ab":123456' * 410_000 + b"}",
        b'{"id": ' + b"[" * 2_000_000 + b"}",
    ],
    ids=["lists", "a long text", "a long id", "many ids", "many numbers", "deep"],
)


@COSTLY
def test_five_megabytes_of_a_stranger_take_no_memory(body: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(SenderError):
        showpass().verify(signed(body, "T-2"))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 100_000


@COSTLY
def test_five_megabytes_of_a_stranger_take_little_more_time_than_their_hash(body: bytes) -> None:
    hashing = min(_seconds(lambda: hashlib.sha1(body).digest()) for _ in range(5))
    refusing = min(_seconds(lambda: _refuse(signed(body, "T-2"))) for _ in range(5))
    # Three to five times on a quiet machine; to build it takes fifty times and more.
    assert refusing < 15 * hashing


def _refuse(webhook: Webhook) -> None:
    with suppress(SenderError):
        showpass().verify(webhook)


def _seconds(work: Callable[[], object]) -> float:
    """Of this thread alone, whoever else is at work on the machine."""
    began = time.thread_time()
    work()
    return time.thread_time() - began
