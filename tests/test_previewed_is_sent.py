"""What a preview shows is what the vendors' own SDKs send: same webhooks, two runs, one answer.

Both runs go through the real receiver, ledger, rules and engine. The first has
the shipped configuration without credentials; the second has credentials, and
`base_url` leads the real SDKs to a vendor on this machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
import yaml
from flask.testing import FlaskClient
from redis import Redis

from bridge.config import Config, load
from bridge.engine import assemble
from bridge.engine.queue import LaneQueue
from bridge.engine.turns import Turns
from bridge.engine.wake import Waker
from bridge.ledger.database import Database
from bridge.ledger.due import due_lanes
from bridge.ledger.lanes import INBOX, occupied
from bridge.ledger.look_up import totals
from bridge.ledger.migrate import migrate
from bridge.ledger.stories import DeliveryRecord, story
from bridge.sources.showpad import Showpad
from bridge.sources.showpass import Showpass
from bridge.testing.vendor import Answer, Reply, Request, VendorServer
from bridge.web.app import create_app
from tests.conftest import Now
from tests.connectors.mailchimp_api.checking import mistakes
from tests.connectors.slack_limits import flaws

SHIPPED = Path(__file__).parent.parent / "config"
SECRETS = {"SHOWPASS_SECRETS": "showpass-secret", "SHOWPAD_SECRETS": "showpad-secret"}
CREDENTIALS = {
    "HUBSPOT_ACCESS_TOKEN": "pat-na1-for-tests",
    "SLACK_BOT_TOKEN": "xoxb-for-tests",
    "MAILCHIMP_API_KEY": "0123456789abcdef-us6",
}

NEWSLETTER = "a1b2c3d4e5"
"""The id of Mailchimp's audience with that name."""

Body = tuple[str, bytes]
"""The source's name, and what it sends."""


@dataclass
class Vendors:
    """HubSpot, Slack and Mailchimp, as far as the bridge asks them, with a memory."""

    contacts: set[str] = field(default_factory=set)
    members: dict[str, str] = field(default_factory=dict)

    def answer(self, request: Request) -> Reply:
        speak: Mapping[str, Callable[[Request], Reply]] = {
            "crm": self._hubspot,
            "api": self._slack,
            "3.0": self._mailchimp,
        }
        return speak[request.path.split("/")[1]](request)

    def _hubspot(self, request: Request) -> Reply:
        if request.method == "GET":
            return _refusal(403, "the token may not read the properties")
        if request.method == "PATCH":
            address = unquote(request.path.rpartition("/")[2]).lower()
            known = address in self.contacts
            return Answer(200, {"id": "1"}) if known else _refusal(404, "resource not found")
        address = request.body["properties"]["email"].lower()
        if address in self.contacts:
            return _refusal(409, "Contact already exists. Existing ID: 1")
        self.contacts.add(address)
        return Answer(201, {"id": "1"})

    def _slack(self, request: Request) -> Reply:
        if flaws(request):
            return Answer(200, {"ok": False, "error": "invalid_blocks"})
        return Answer(200, {"ok": True, "ts": "1.1", "channel": "C0123456789"})

    def _mailchimp(self, request: Request) -> Reply:
        if request.path == "/3.0/lists":
            return Answer(200, {"lists": [{"id": NEWSLETTER, "name": "Newsletter"}]})
        if request.path.endswith("/merge-fields"):
            fields = [{"tag": tag, "name": tag, "type": "text"} for tag in ("FNAME", "LNAME")]
            return Answer(200, {"merge_fields": fields})
        person = request.path.split("/")[5]
        if request.path.endswith("/tags"):
            return Answer(204)
        if request.method == "PUT":
            self.members.setdefault(person, request.body["status_if_new"])
        elif person not in self.members:
            return Answer(404, {"title": "Resource Not Found", "status": 404})
        return Answer(200, {"id": person, "contact_id": "1", "status": self.members[person]})


def _refusal(status: int, message: str) -> Answer:
    return Answer(status, {"status": "error", "message": message, "category": "CONFLICT"})


@dataclass(frozen=True)
class Sent:
    """A call as a preview tells it, or as a vendor got it."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any


@dataclass
class Bridge:
    """Receiver, ledger and engine of one configuration; turns are taken here, one by one."""

    config: Config
    database: Database
    client: FlaskClient
    turns: Turns
    waker: Waker
    now: Now
    vendor: VendorServer
    received: int = 0

    def receive(self, body: Body) -> None:
        """Raises unless it is accepted."""
        source = self.config.sources[body[0]]
        signed = source.source.sign(body[1], source.secrets[0], self.now())
        answer = self.client.post(f"/hooks/{body[0]}", data=body[1], headers=dict(signed))
        assert (answer.status_code, answer.get_json()["result"]) == (200, "accepted")
        self.received += 1

    def work(self) -> dict[str, list[Sent]]:
        """Take turns until nothing waits; the requests that reached the vendor, by lane."""
        sent: dict[str, list[Sent]] = {}
        while lanes := self._due():
            for lane in lanes:
                before = len(self.vendor.requests)
                self.waker.wake(lane)
                self.turns.take(lane)
                sent.setdefault(lane, []).extend(map(_sent, self.vendor.requests[before:]))
            self.now.advance(2)
        assert not sent.pop(INBOX, []), "routing called a vendor"
        with self.database.read() as connection:
            assert not {"waiting", "sending"} & totals(connection).deliveries.keys()
        return {lane: requests for lane, requests in sent.items() if requests}

    def deliveries(self) -> list[DeliveryRecord]:
        """Of the last webhook."""
        with self.database.read() as connection:
            found = story(connection, self.received)
        assert found is not None
        assert found.state == "routed"
        return [each for event in found.events for each in event.deliveries]

    def _due(self) -> list[str]:
        with self.database.read() as connection:
            return sorted({*due_lanes(connection, self.now()), *occupied(connection, self.now())})


def _sent(request: Request) -> Sent:
    """As a preview tells it, which cannot know the id of an audience that a rule names."""
    wrong = mistakes(request) if request.path.startswith("/3.0/") else []
    assert not wrong, wrong
    path = request.path.replace(NEWSLETTER, "***")
    return Sent(request.method, path, dict(request.query), request.body)


Start = Callable[..., Bridge]


@pytest.fixture
def vendors() -> Vendors:
    return Vendors()


@pytest.fixture
def start(tmp_path: Path, redis: Redis, vendors: Vendors) -> Iterator[Start]:
    """Starts bridges on SQLite, by a folder of configuration and the environment's credentials."""
    running: list[tuple[Database, Any]] = []

    def started(folder: Path, vendor: VendorServer, **environ: str) -> Bridge:
        data = tmp_path / f"data-{len(running)}"
        data.mkdir()
        config = load({**SECRETS, **environ, "SHOWBRIDGE_DATA": str(data)}, folder)
        database = Database(config.database_url)
        migrate(database)
        now, queue = Now(), LaneQueue(redis)
        app = create_app(config, database, redis, now)
        running.append((database, app.extensions["bell"]))
        turns = assemble.turns(config, database, queue, now)
        waker = Waker(database, queue, now)
        return Bridge(config, database, app.test_client(), turns, waker, now, vendor)

    yield started
    for database, bell in running:
        bell.stop()
        database.close()


@pytest.fixture
def vendor(vendors: Vendors) -> Iterator[VendorServer]:
    with VendorServer(handler=vendors.answer) as server:
        yield server


@pytest.fixture
def preview(start: Start, vendor: VendorServer) -> Bridge:
    """The shipped files as they are; no credential is set."""
    bridge = start(SHIPPED, vendor)
    assert all(account.preview for account in bridge.config.accounts.values())
    return bridge


@pytest.fixture
def led(tmp_path: Path, vendor: VendorServer) -> Path:
    """The shipped files, each account led to the vendor on this machine."""
    folder = tmp_path / "config"
    folder.mkdir()
    settings = yaml.safe_load((SHIPPED / "bridge.yaml").read_text("utf-8"))
    for account in settings["accounts"].values():
        account["base_url"] = vendor.url
    (folder / "bridge.yaml").write_text(yaml.safe_dump(settings))
    (folder / "rules.yaml").write_text((SHIPPED / "rules.yaml").read_text("utf-8"))
    return folder


@pytest.fixture
def live(start: Start, led: Path, vendor: VendorServer) -> Bridge:
    bridge = start(led, vendor, **CREDENTIALS)
    assert not any(account.preview for account in bridge.config.accounts.values())
    return bridge


def samples() -> list[Body]:
    """All that ship, in order, with ids that stay the same in both runs."""
    shipped = [
        ("showpass" if source is Showpass else "showpad", sample.text)
        for source in (Showpass, Showpad)
        for sample in source.samples()
    ]
    return [
        (name, text.replace("{{ uuid }}", str(UUID(int=number))).encode())
        for number, (name, text) in enumerate(shipped, start=1)
    ]


def purchase(**data: Any) -> Body:
    """The sample of a purchase with changes to its data."""
    payload = json.loads(samples()[0][1])
    payload["data"].update(data)
    return "showpass", json.dumps(payload).encode()


def previewed(delivery: DeliveryRecord, *left_out: str) -> list[Sent]:
    """The calls on record of the last attempt, without those whose `when` is `left_out`."""
    return [
        Sent(call["method"], call["path"], dict(call["query"]), call["body"])
        for attempt in delivery.attempts[-1:]
        for call in attempt.calls
        if call["when"] not in left_out
    ]


def remembered(call: Sent) -> bool:
    """Whether a connector asks for it once in a while only: every preview tells it."""
    starts, ends = ("/crm/v3/properties/",), ("/3.0/lists", "/merge-fields")
    return call.path.startswith(starts) or call.path.endswith(ends)


def without_remembered(calls: Sequence[Sent]) -> list[Sent]:
    return [call for call in calls if not remembered(call)]


def both(preview: Bridge, live: Bridge, body: Body) -> dict[str, list[Sent]]:
    """Run one webhook through both; what was sent, after seeing that nothing was in the preview."""
    preview.receive(body)
    assert preview.work() == {}
    live.receive(body)
    return live.work()


def assert_same(preview: Bridge, live: Bridge, sent: Mapping[str, Sequence[Sent]]) -> None:
    """Delivery by delivery: one in each lane, so the requests of its turn are its own."""
    planned, done = preview.deliveries(), live.deliveries()
    assert [each.id for each in planned] == [each.id for each in done]
    shown = {each.lane: previewed(each) for each in planned if each.state == "previewed"}
    assert len(shown) == sum(each.state == "previewed" for each in planned)
    expected = {lane: without_remembered(calls) for lane, calls in shown.items()}
    assert {lane: without_remembered(calls) for lane, calls in sent.items()} == expected
    for lane, calls in sent.items():
        assert set(map(str, filter(remembered, calls))) <= set(map(str, shown[lane]))
    ended = {"previewed": "delivered"}
    assert [ended.get(each.state, each.state) for each in planned] == [e.state for e in done]


def test_each_shipped_sample_is_sent_exactly_as_it_was_previewed(
    preview: Bridge, live: Bridge
) -> None:
    bodies = samples()
    assert len(bodies) == 9
    calls = 0
    for body in bodies:
        sent = both(preview, live, body)
        assert sent, f"nothing was sent for {body}"
        assert_same(preview, live, sent)
        calls += sum(map(len, sent.values()))
    assert calls == len(live.vendor.requests)


@pytest.mark.parametrize(
    "data",
    [
        {"customer_email": "O'Neil+vip/50%@Example.COM"},
        {"customer_email": "zoë&co=#1?@exämple.org"},
        {"customer_email": "..%2f..@example.org"},
        {"customer_name": "<!channel> & <b>Bobby</b> \U0001f3ab \u202eabc"},
        {"customer_name": "No Name", "customer_phone_number": None},
        {"customer_name": "=HYPERLINK(1)", "customer_phone_number": "  "},
        {"customer_email": None},
        {"customer_email": "nobody"},
        {"subscribe_to_venue": "true"},
        {"net_sales": None, "currency": None, "ticket_items": []},
    ],
    ids=repr,
)
def test_odd_buyers_are_sent_exactly_as_they_were_previewed(
    preview: Bridge, live: Bridge, data: dict[str, Any]
) -> None:
    assert_same(preview, live, both(preview, live, purchase(**data)))


def test_an_odd_address_is_one_part_of_the_path(
    preview: Bridge, live: Bridge, vendors: Vendors
) -> None:
    both(preview, live, purchase(customer_email="O'Neil+vip/50%@Example.COM"))
    (patch,) = [each for each in live.vendor.requests if each.method == "PATCH"]
    assert patch.path.startswith("/crm/v3/objects/contacts/O%27Neil%2Bvip%2F50%25%40")
    assert vendors.contacts == {"o'neil+vip/50%@example.com"}


def test_a_message_carries_the_id_that_its_delivery_has_in_both_ledgers(
    preview: Bridge, live: Bridge
) -> None:
    both(preview, live, samples()[0])
    posted = [each.body for each in live.vendor.requests if each.path == "/api/chat.postMessage"]
    carried = [message["metadata"]["event_payload"]["delivery_id"] for message in posted]
    planned = [each.id for each in preview.deliveries() if each.account == "slack"]
    assert sorted(carried) == sorted(planned)
    assert len(set(carried)) == 2


def test_of_a_contact_that_is_known_the_call_that_makes_one_is_left_out(
    preview: Bridge, live: Bridge, vendors: Vendors
) -> None:
    vendors.contacts.add("priya.raghunathan@example.com")
    sent = both(preview, live, samples()[0])
    (planned,) = [each for each in preview.deliveries() if each.account == "hubspot"]
    assert [call.method for call in previewed(planned)] == ["GET", "PATCH", "POST"]
    unconditional = previewed(planned, "no contact with this address yet")
    assert sent[planned.lane] == unconditional
    assert [call.method for call in unconditional] == ["GET", "PATCH"]


def test_whoever_has_left_the_audience_is_asked_about_and_left_alone(
    preview: Bridge, live: Bridge, vendors: Vendors
) -> None:
    preview.receive(samples()[0])
    preview.work()
    (planned,) = [each for each in preview.deliveries() if each.account == "mailchimp"]
    asking, *_ = without_remembered(previewed(planned))
    vendors.members[asking.path.rpartition("/")[2]] = "unsubscribed"
    live.receive(samples()[0])
    assert without_remembered(live.work()[planned.lane]) == [asking]
    left = previewed(planned, "unless this person has left the audience", "after that")
    assert without_remembered(left) == [asking]
    (done,) = [each for each in live.deliveries() if each.account == "mailchimp"]
    assert (done.state, done.reason) == ("suppressed", "this person has unsubscribed")


@pytest.mark.parametrize(
    ("consent", "reason"),
    [
        (False, "no consent: the person was asked and did not agree to marketing"),
        (None, "no consent: this event does not say whether the person agreed to marketing"),
        ("yes", "no consent: this event does not say whether the person agreed to marketing"),
        (1, "no consent: this event does not say whether the person agreed to marketing"),
    ],
)
def test_without_consent_mailchimp_hears_nothing_at_all(
    start: Start, led: Path, vendor: VendorServer, consent: object, reason: str
) -> None:
    """Whatever a rule says: here it does not ask for consent itself."""
    rules = (led / "rules.yaml").read_text("utf-8").partition("\ntests:")[0]
    asks = "      where:\n        contact.consent: true\n"
    assert asks in rules
    (led / "rules.yaml").write_text(rules.replace(asks, ""))
    live = start(led, vendor, **CREDENTIALS)
    live.receive(purchase(subscribe_to_venue=consent))
    live.work()
    assert not [each for each in live.vendor.requests if each.path.startswith("/3.0/")]
    found = {each.account: (each.state, each.reason) for each in live.deliveries()}
    assert found["mailchimp"] == ("suppressed", reason)
    assert found["hubspot"] == ("delivered", None)


def test_without_credentials_nothing_leaves_although_somebody_would_listen(
    start: Start, led: Path, vendor: VendorServer
) -> None:
    preview = start(led, vendor)
    for body in samples():
        preview.receive(body)
    preview.work()
    assert vendor.requests == []
    with preview.database.read() as connection:
        states = totals(connection)
    assert states.webhooks == {"routed": 9}
    assert states.deliveries.keys() == {"previewed"}
