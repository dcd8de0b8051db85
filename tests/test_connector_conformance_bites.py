"""The conformance suite fails a wrong connector, at the very check that is about the mistake."""

from __future__ import annotations

import http.client
import inspect
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from pydantic import ConfigDict, SecretStr

from bridge.connector import (
    Call,
    Connector,
    ConnectorSettings,
    Delivered,
    EmailAddress,
    Halted,
    Item,
    NotNow,
    Outcome,
    Rejected,
    Retry,
    action,
)
from bridge.testing.connectors import ConnectorConformance
from bridge.testing.vendor import Answer, Reply, Request, closed_url


class Person(Item):
    email: EmailAddress
    note: str = ""


class ToySettings(ConnectorSettings):
    api_key: SecretStr | None = None


def preview(settings: ToySettings, item: Person) -> list[Call]:
    return [Call("POST", "/people", body={"email": item.email, "note": item.note})]


class Toy(Connector):
    """A connector as it should be; the wrong ones change one thing."""

    name = "toy"
    title = "Toy"
    Settings: ClassVar[type[ConnectorSettings]] = ToySettings

    @action(Person, preview=preview, batch=10, merges=True)
    def put(self, items: Sequence[Person]) -> list[Outcome]:
        """Put a person on the list."""
        return [self.one(item) for item in items]

    def one(self, item: Person) -> Outcome:
        try:
            with self.pacer.call():
                status, body = self.send(item)
        except NotNow as busy:
            return Retry(str(busy), busy.after, whole_account=True)
        except OSError:
            return Retry("the vendor did not answer")
        except http.client.HTTPException:
            return Retry("the vendor's answer broke off")
        return self.judge(status, body, item)

    def send(self, item: Person, seconds: float | None = None) -> tuple[int, bytes]:
        timeout = seconds or self.settings.timeout
        wire = http.client.HTTPConnection(urlsplit(self.base_url()).netloc, timeout=timeout)
        try:
            wire.request("POST", "/people", self.body(item), self.headers(item))
            response = wire.getresponse()
            return response.status, response.read()
        finally:
            wire.close()

    def base_url(self) -> str:
        return str(self.settings.base_url)

    def headers(self, item: Person) -> dict[str, str]:
        key = self.settings.api_key.get_secret_value()
        return {"Authorization": key, "Content-Type": "application/json"}

    def body(self, item: Person) -> str:
        return json.dumps({"email": item.email, "note": item.note})

    def judge(self, status: int, body: bytes, item: Person) -> Outcome:
        if status == 401:
            raise Halted("the key is refused")
        if status == 429 or status >= 500:
            return Retry(f"the vendor has a problem ({status})", whole_account=True)
        if status >= 400:
            return Rejected(f"the vendor refuses the person ({status})")
        return Delivered() if body == b'{"id": 1}' else Retry("the answer makes no sense")


class ToySuite(ConnectorConformance):
    connector = Toy

    def settings(self, base_url: str, timeout: float) -> ConnectorSettings:
        given = {"api_key": "k-secret-1", "base_url": base_url, "timeout": timeout}
        return self.connector.Settings.model_validate(given)

    def item(self, action: str) -> Mapping[str, Any]:
        return {"email": "ada@example.com", "note": "met at the fair"}

    def refused_item(self, action: str) -> Mapping[str, Any]:
        return {"email": "refused@example.com"}

    def vendor(self, action: str, request: Request) -> Reply:
        return Answer(400) if "refused@" in str(request) else Answer(200, {"id": 1})


# One mistake each


class SaysNothing(Toy):
    @action(Person, preview=preview)
    def put(self, items: Sequence[Person]) -> list[Outcome]:
        return [self.one(item) for item in items]


class Lax(Person):
    model_config = ConfigDict(extra="allow")


class TakesAnything(Toy):
    @action(Lax, preview=preview)
    def put(self, items: Sequence[Person]) -> list[Outcome]:
        """Put a person on the list."""
        return [self.one(item) for item in items]


class NamesNoField(Toy):
    @action(Person, preview=preview, lane="colour")
    def put(self, items: Sequence[Person]) -> list[Outcome]:
        """Put a person on the list."""
        return [self.one(item) for item in items]


class Shouted(Person):
    escape: ClassVar[Callable[[str], str] | None] = staticmethod(str.upper)


class EscapesPlainWords(Toy):
    @action(Shouted, preview=preview)
    def put(self, items: Sequence[Person]) -> list[Outcome]:
        """Put a person on the list."""
        return [self.one(item) for item in items]


class StrictSettings(ToySettings):
    api_key: SecretStr


class NeedsItsSecret(Toy):
    Settings = StrictSettings


def chatty(settings: ToySettings, item: Person) -> list[Call]:
    if settings.base_url:
        Toy(settings).send(item)
    return preview(settings, item)


class PreviewsOnTheWire(Toy):
    @action(Person, preview=chatty)
    def put(self, items: Sequence[Person]) -> list[Outcome]:
        """Put a person on the list."""
        return [self.one(item) for item in items]


class PreviewsSomethingElse(Toy):
    def body(self, item: Person) -> str:
        return json.dumps({"email": item.email, "note": item.note, "status": "subscribed"})


def indiscreet(settings: ToySettings, item: Person) -> list[Call]:
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    return [Call("POST", "/people", {"key": key}, {"email": item.email, "note": item.note})]


class PreviewsItsSecret(Toy):
    @action(Person, preview=indiscreet)
    def put(self, items: Sequence[Person]) -> list[Outcome]:
        """Put a person on the list."""
        return [self.one(item) for item in items]


class KnowsBetterWhereToCall(Toy):
    def base_url(self) -> str:
        return closed_url()


class DislikesDeliveryIds(Toy):
    def one(self, item: Person) -> Outcome:
        return Rejected("what is this id?") if item.delivery_id else super().one(item)


class OneForAll(Toy):
    @action(Person, preview=preview, batch=10)
    def put(self, items: Sequence[Person]) -> list[Outcome]:
        """Put a person on the list."""
        outcomes = [self.one(item) for item in items]
        worst = next((one for one in outcomes if isinstance(one, Rejected)), None)
        return [worst] * len(items) if worst else outcomes


class PutsNotesIntoHeaders(Toy):
    def headers(self, item: Person) -> dict[str, str]:
        return {**super().headers(item), "X-Note": item.note}


class RetriesTheNextOneToo(Toy):
    def judge(self, status: int, body: bytes, item: Person) -> Outcome:
        return Retry("slow down") if status == 429 else super().judge(status, body, item)


class RetriesByItself(Toy):
    def send(self, item: Person, seconds: float | None = None) -> tuple[int, bytes]:
        status, body = super().send(item, seconds)
        return super().send(item, seconds) if status >= 500 else (status, body)


class GivesUpOnAClosedPort(Toy):
    def one(self, item: Person) -> Outcome:
        try:
            self.send(item)
        except ConnectionRefusedError:
            return Rejected("nobody is there")
        except OSError:
            return Retry("the vendor did not answer")
        return super().one(item)


class RepeatsWhatMayBeDone(Toy):
    def send(self, item: Person, seconds: float | None = None) -> tuple[int, bytes]:
        try:
            return super().send(item, seconds)
        except ConnectionResetError:
            return super().send(item, seconds)


class WaitsTooLong(Toy):
    def send(self, item: Person, seconds: float | None = None) -> tuple[int, bytes]:
        return super().send(item, self.settings.timeout * 30)


class BlamesThePerson(Toy):
    def judge(self, status: int, body: bytes, item: Person) -> Outcome:
        return Rejected("refused") if status == 401 else super().judge(status, body, item)


class BelievesEveryAnswer(Toy):
    def judge(self, status: int, body: bytes, item: Person) -> Outcome:
        return Delivered() if status == 200 else super().judge(status, body, item)


class FindsWithoutCare(Toy):
    def find(self, action: str, item: Item) -> Delivered | None:
        assert isinstance(item, Person)
        _, body = self.send(item)
        return Delivered(json.loads(body)["id"])


class NamesThePerson(Toy):
    def judge(self, status: int, body: bytes, item: Person) -> Outcome:
        return Rejected(f"no {item.email}") if status == 400 else super().judge(status, body, item)


class ForgetsThePeopleBehindTheFirst(Toy):
    @action(Person, preview=preview, batch=10)
    def put(self, items: Sequence[Person]) -> list[Outcome]:
        """Put a person on the list."""
        return [self.one(items[0]), *[Retry("later") for _ in items[1:]]]


class GivesUpOnABatch(Toy):
    @action(Person, preview=preview, batch=10)
    def put(self, items: Sequence[Person]) -> list[Outcome]:
        """Put a person on the list."""
        lost = Rejected("the batch was lost")
        outcomes = [self.one(item) for item in items]
        return [lost if isinstance(one, Retry) else one for one in outcomes]


class GreetsTheVendorFirst(Toy):
    def one(self, item: Person) -> Outcome:
        self.send(item)
        return super().one(item)


class TakesNoTurnForAnError(Toy):
    def one(self, item: Person) -> Outcome:
        outcome = super().one(item)
        is_whole = isinstance(outcome, Retry) and outcome.whole_account
        return Retry("no turn") if is_whole else outcome


class LogsItsKey(Toy):
    def headers(self, item: Person) -> dict[str, str]:
        headers = super().headers(item)
        logging.getLogger("toy").debug("sending %s", headers)
        return headers


WRONG: dict[str, type[Toy]] = {
    "test_every_action_tells_marketers_what_it_does": SaysNothing,
    "test_every_item_refuses_fields_that_it_does_not_know": TakesAnything,
    "test_lane_and_consent_name_fields_of_the_item": NamesNoField,
    "test_escaping_leaves_plain_words_alone": EscapesPlainWords,
    "test_an_account_without_secrets_can_preview": NeedsItsSecret,
    "test_a_preview_sends_nothing_and_stays_the_same": PreviewsOnTheWire,
    "test_a_preview_tells_the_requests_that_a_new_item_makes": PreviewsSomethingElse,
    "test_a_preview_shows_no_secret": PreviewsItsSecret,
    "test_a_new_item_is_delivered_to_the_given_address": KnowsBetterWhereToCall,
    "test_an_item_with_its_delivery_id_is_delivered": DislikesDeliveryIds,
    "test_a_refused_item_is_rejected_and_its_neighbours_delivered": OneForAll,
    "test_hostile_texts_never_raise": PutsNotesIntoHeaders,
    "test_too_many_calls_are_retried_later_and_not_at_once": RetriesTheNextOneToo,
    "test_a_server_error_is_left_to_the_engine": RetriesByItself,
    "test_a_closed_port_is_retried": GivesUpOnAClosedPort,
    "test_a_dropped_connection_is_not_repeated": RepeatsWhatMayBeDone,
    "test_a_vendor_that_hangs_is_given_up": WaitsTooLong,
    "test_refused_credentials_halt_the_account": BlamesThePerson,
    "test_nonsense_is_no_delivery": BelievesEveryAnswer,
    "test_looking_a_delivery_up_never_raises": FindsWithoutCare,
    "test_no_reason_tells_a_secret_or_an_address": NamesThePerson,
    "test_nothing_private_is_logged_or_printed": LogsItsKey,
    "test_a_batch_is_delivered": ForgetsThePeopleBehindTheFirst,
    "test_a_poisoned_item_amid_a_batch_is_rejected_alone": OneForAll,
    "test_a_batch_whose_connection_drops_is_not_given_up": GivesUpOnABatch,
    "test_each_request_of_a_batch_is_made_within_its_pace": GreetsTheVendorFirst,
    "test_what_the_pace_does_not_allow_is_retried_when_it_does": TakesNoTurnForAnError,
}

CHECKS = [name for name in dir(ConnectorConformance) if name.startswith("test_")]

Run = Callable[[type[Toy], str], Exception | None]


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Run:
    """Runs one check of the suite on a connector; answers with its failure, if it fails."""

    def check(connector: type[Toy], name: str) -> Exception | None:
        suite = type("Suite", (ToySuite,), {"connector": connector})()
        method = getattr(suite, name)
        wanted = inspect.signature(method).parameters
        try:
            method(**{fixture: request.getfixturevalue(fixture) for fixture in wanted})
        except pytest.fail.Exception as failure:  # by `pytest.raises`; no Exception of its own
            return AssertionError(str(failure))
        except Exception as failure:  # noqa: BLE001  # whatever breaks a check fails it
            return failure
        return None

    return check


def test_no_check_lacks_a_connector_that_fails_it() -> None:
    assert sorted(WRONG) == sorted(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_a_good_connector_passes(run: Run, name: str) -> None:
    assert run(Toy, name) is None


@pytest.mark.parametrize("name", CHECKS)
def test_a_wrong_connector_fails_at_the_check_about_its_mistake(run: Run, name: str) -> None:
    assert run(WRONG[name], name) is not None
