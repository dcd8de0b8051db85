"""`showbridge send`: over real HTTP, to the real receiver and to servers that are none."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from redis import Redis
from werkzeug.serving import make_server

from bridge.ledger.look_up import EventSummary, Filters, recent
from bridge.testing.vendor import Answer, Silence, VendorServer, closed_url
from bridge.web.app import create_app
from tests.cli.house import House, Ledger

LIKE_SHOWPASS = re.compile(r"[0-9a-f]{2}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TWO_OF_A_KIND = """\
sources:
  shop: {kind: showpass, secrets: {env: SHOWPASS_SECRETS}}
  door: {kind: showpass, secrets: {env: SHOWPASS_SECRETS}}
"""


@dataclass
class Receiver:
    house: House
    ledger: Ledger

    def received(self) -> list[EventSummary]:
        with self.ledger.database.read() as connection:
            return recent(connection, Filters(), None)[::-1]


@pytest.fixture
def receiver(house: House, ledger: Ledger, redis: Redis) -> Iterator[Receiver]:
    """The real application, listening where the configuration says."""
    app = create_app(ledger.config, ledger.database, redis)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    house.environ["PORT"] = str(server.port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield Receiver(house, ledger)
    app.extensions["bell"].stop()
    server.shutdown()
    thread.join()
    server.server_close()


def test_without_arguments_the_samples_are_listed(house: House) -> None:
    result = house.run("send")
    assert result.exit_code == 0
    assert "showpass  invoice.purchase" in result.stdout
    assert "showpad   course-completed" in result.stdout


def test_all_samples_of_all_sources_are_accepted(receiver: Receiver) -> None:
    result = receiver.house.run("send", "--all")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("accepted") == len(receiver.received()) == 9
    assert "showbridge events" in result.stdout


def test_each_repetition_is_another_event(receiver: Receiver) -> None:
    result = receiver.house.run("send", "invoice.purchase", "--count", "3")
    assert result.exit_code == 0
    assert len({event.idempotency_key for event in receiver.received()}) == 3
    assert "duplicate" not in result.stdout


def test_each_command_is_about_transactions_of_its_own(receiver: Receiver) -> None:
    """A refund that is sent first does not undo every later purchase."""
    house = receiver.house
    for names in (["invoice.refund"], ["invoice.purchase"], ["invoice.purchase"]):
        assert house.run("send", *names).exit_code == 0
    transactions = transactions_of(house)
    assert len(set(transactions)) == 3
    assert all(LIKE_SHOWPASS.fullmatch(each) for each in transactions)
    assert house.run("send", "--same", "invoice.purchase", "invoice.refund").exit_code == 0
    shipped = "7c-41d9-4be2-9a55-c0ffee120703"
    assert transactions_of(house)[3:] == [shipped, shipped]


def test_samples_of_one_command_belong_together(receiver: Receiver) -> None:
    house = receiver.house
    assert house.run("send", "invoice.purchase", "invoice.refund", "--count", "2").exit_code == 0
    first, second, *refunds = transactions_of(house)
    assert first != second
    assert refunds == [first, second]
    assert house.run("send", "shared-space-created", "shared-space-user-added").exit_code == 0
    spaces = {body["data"]["sharedSpace"]["id"] for body in bodies(house)[4:]}
    assert len(spaces) == 1
    assert spaces != {"5d1f0a2b6c7e4f3a9b8c7d6e5f4a3b2c"}


def test_fresh_ids_look_like_those_that_they_replace(receiver: Receiver) -> None:
    house = receiver.house
    house.run("send", "--same", "invoice.purchase")
    house.run("send", "invoice.purchase")
    shipped, fresh = bodies(house)
    for one, other in zip(tickets_of(shipped), tickets_of(fresh), strict=True):
        assert type(one["id"]) is type(other["id"])
        assert len(str(one["id"])) == len(str(other["id"]))
        assert one["event_id"] == other["event_id"], "the show is the same"
    assert {"id", "data", "webhook_event_uuid"} == {
        name for name in shipped if shipped[name] != fresh[name]
    }


def bodies(house: House) -> list[Any]:
    """Of all that was received, in that order."""
    listed = [json.loads(line) for line in house.run("events", "--json").stdout.splitlines()]
    return [
        json.loads(house.run("event", each["id"], "--body", "--json").stdout)["body"]
        for each in listed
    ]


def transactions_of(house: House) -> list[str]:
    return [body["data"]["transaction_id"] for body in bodies(house)]


def tickets_of(body: Any) -> list[Any]:
    tickets: list[Any] = body["data"]["ticket_items"]
    return tickets


def test_a_forged_webhook_is_refused_and_that_is_good(receiver: Receiver) -> None:
    result = receiver.house.run("send", "--all", "--forged")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("401") == 9
    assert "Refused, as it has to be" in result.stdout
    assert receiver.received() == []


def test_a_forged_webhook_that_is_taken_is_shouted_about(house: House) -> None:
    with VendorServer(Answer(200, {"result": "accepted"})) as server:
        result = house.run("send", "invoice.void", "--forged", "--to", server.url)
    assert result.exit_code == 1
    assert "DANGER: 1 forged webhook accepted" in result.stdout


def test_a_refusal_ends_with_status_1_and_its_reason(house: House) -> None:
    answer = Answer(401, {"result": "refused", "reason": "signature-mismatch"})
    with VendorServer(answer) as server:
        result = house.run("send", "invoice.void", "--to", server.url)
    assert result.exit_code == 1
    assert "401" in result.stdout
    assert "refused: signature-mismatch" in result.stdout


def test_nothing_is_tried_again_and_no_redirect_followed(house: House) -> None:
    with VendorServer(Answer(302, None, {"Location": "/elsewhere"})) as server:
        assert house.run("send", "invoice.void", "--to", server.url).exit_code == 1
        assert len(server.requests) == 1


def test_the_source_s_path_is_added_to_an_address_but_not_to_a_url(house: House) -> None:
    with VendorServer(Answer(200, {"result": "accepted"})) as server:
        house.run("send", "course-completed", "--to", server.url)
        house.run("send", "course-completed", "--to", f"{server.url}/in")
        paths = [request.path for request in server.requests]
    assert paths == ["/hooks/showpad/path-secret-4711-4711", "/in"]


def test_an_address_that_is_none_is_explained(house: House) -> None:
    result = house.run("send", "invoice.void", "--to", "localhost:8000")
    assert result.exit_code == 2
    assert "http://127.0.0.1:8000" in result.stderr


@pytest.mark.parametrize("answer", ["<html>", [], {}, None, {"result": "\x1b[2J"}])
def test_another_server_s_answer_garbles_nothing(house: House, answer: object) -> None:
    with VendorServer(Answer(200, answer)) as server:
        result = house.run("send", "invoice.void", "--to", server.url)
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output


def test_where_nothing_listens_it_says_how_to_start(house: House) -> None:
    result = house.run("send", "--all", "--to", closed_url())
    assert result.exit_code == 1
    assert "nothing answers at http://127.0.0.1:" in result.stderr
    assert "make run" in result.stderr
    assert "4711" not in result.output


def test_a_broken_connection_is_no_traceback(house: House) -> None:
    with VendorServer(Silence.DROP) as server:
        result = house.run("send", "invoice.void", "--to", server.url)
    assert result.exit_code == 1
    assert "broke off" in result.stderr


def test_an_unknown_sample_gets_a_suggestion(house: House) -> None:
    result = house.run("send", "invoice.purchas")
    assert result.exit_code == 2
    assert "did you mean `invoice.purchase`?" in result.stderr


def test_an_unknown_source_gets_a_suggestion(house: House) -> None:
    assert "did you mean `showpad`?" in house.run("send", "--all", "--source", "showpd").stderr


def test_two_sources_of_a_kind_need_a_choice(house: House) -> None:
    house.write("bridge.yaml", TWO_OF_A_KIND)
    result = house.run("send", "invoice.void")
    assert result.exit_code == 2
    assert "choose one with --source: door, shop" in result.stderr
    with VendorServer(Answer(200, {"result": "accepted"})) as server:
        house.run("send", "invoice.void", "--source", "door", "--to", server.url)
        assert [request.path for request in server.requests] == ["/hooks/door"]


def test_without_a_secret_it_says_where_one_comes_from(house: House) -> None:
    house.environ["SHOWPASS_SECRETS"] = None
    result = house.run("send", "invoice.void")
    assert result.exit_code == 2
    assert "no signing secret for showpass" in result.stderr


def test_a_body_of_one_s_own_goes_to_the_source_that_it_looks_like(receiver: Receiver) -> None:
    samples = receiver.ledger.config.sources["showpass"].source.samples()
    payload = json.loads(samples[0].text) | {"event_type": "invoice.invented"}
    file = receiver.house.folder / "body.json"
    file.write_text(json.dumps(payload))
    result = receiver.house.run("send", "--file", str(file))
    assert result.exit_code == 0, result.output
    (event,) = receiver.received()
    assert (event.source, event.type) == ("showpass", "invoice.invented")


def test_a_body_that_looks_like_nothing_needs_a_source(receiver: Receiver) -> None:
    file = receiver.house.folder / "body.json"
    file.write_text("[1, 2")
    result = receiver.house.run("send", "--file", str(file))
    assert result.exit_code == 2
    assert "--source: showpad, showpass" in result.stderr
    result = receiver.house.run("send", "--file", str(file), "--source", "showpad")
    assert result.exit_code == 0
    assert "quarantined: unparsable" in result.stdout


def test_a_body_that_cannot_be_signed_is_explained(house: House) -> None:
    file = house.folder / "body.json"
    file.write_text("{}")
    result = house.run("send", "--file", str(file), "--source", "showpass")
    assert result.exit_code == 2
    assert "cannot be signed" in result.stderr


def test_a_missing_file_is_no_traceback(house: House) -> None:
    result = house.run("send", "--file", "nowhere.json", "--source", "showpad")
    assert result.exit_code == 2
    assert "nowhere.json cannot be read" in result.stderr


def test_names_all_and_file_exclude_each_other(house: House) -> None:
    assert house.run("send", "invoice.void", "--all").exit_code == 2
