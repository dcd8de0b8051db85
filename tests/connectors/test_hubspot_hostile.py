"""Whatever an event holds stays within its value: nothing else is asked for because of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from bridge.connector import Retry
from bridge.testing.probes import HOSTILE
from bridge.testing.vendor import VendorServer
from connectors.hubspot import CONTACTS, HubSpot, HubSpotSettings, UpsertContact
from tests.connectors.hubspot_account import Account

ODD = [*HOSTILE, "<!channel>", "<http://evil|Pay>", "=HYPERLINK()", ";a;b", "\u202eabc", "a\u0000b"]
TEXTS = st.one_of(st.sampled_from(ODD), st.text(max_size=80))


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with VendorServer() as started:
        yield started


def sent(server: VendorServer, **fields: Any) -> list[Any]:
    server.handler = Account().answer
    server.requests.clear()
    hubspot = HubSpot(HubSpotSettings(access_token=SecretStr("pat-1"), base_url=server.url))
    try:
        item = UpsertContact.model_validate(fields)
    except ValidationError:
        return []
    outcomes = hubspot.upsert_contact([item])
    assert not [each for each in outcomes if isinstance(each, Retry)]
    return [each for each in server.requests if each.path.startswith(CONTACTS)]


@settings(deadline=None, max_examples=60)
@given(text=TEXTS)
@example(text="\ud800")
def test_a_text_stays_within_its_property(server: VendorServer, text: str) -> None:
    fields = {"properties": {"city": text}, "only_if_empty": {"firstname": text}}
    for request in sent(server, email="ada@example.com", **fields):
        assert request.path in (CONTACTS, f"{CONTACTS}/ada%40example.com")
        if request.body:
            properties = request.body["properties"]
            assert set(properties) <= {"email", "city", "firstname"}
            assert {properties.get("city"), properties.get("firstname")} <= {
                text.replace("\0", ""),
                None,
            }


@settings(deadline=None, max_examples=60)
@given(text=TEXTS)
def test_options_are_those_between_the_semicolons(server: VendorServer, text: str) -> None:
    for request in sent(server, email="ada@example.com", append={"interests": text}):
        told = request.body["properties"].get("interests", "")
        wanted = [part.strip() for part in text.replace("\0", "").split(";") if part.strip()]
        assert [each for each in told.split(";") if each] == list(dict.fromkeys(wanted))


@settings(deadline=None, max_examples=60)
@given(local=TEXTS.map(lambda text: text[:1000]), name=st.text(max_size=20))
def test_an_address_is_one_part_of_the_path(server: VendorServer, local: str, name: str) -> None:
    email = f"{local}@{name}.example"
    for request in sent(server, email=email, properties={"city": "Oslo"}, increment={"visits": 1}):
        if request.method in ("GET", "PATCH") and "idProperty" in request.query:
            part = request.path.removeprefix(f"{CONTACTS}/")
            assert "/" not in part
            assert unquote(part) == email.strip()
