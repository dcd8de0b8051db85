"""What is kept for a person: all of it at first, packed, and never more than the bounds say."""

from __future__ import annotations

import json
import os
import re
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.event import listen, remove

from bridge.engine.housekeeping import Housekeeping
from bridge.event import Identity, Webhook
from bridge.ledger import quarantine, tables
from bridge.ledger.accept import Acceptance, Acceptor, Answer, Arrival, keep
from bridge.ledger.alerts import open_alerts
from bridge.ledger.books import books
from bridge.ledger.database import Connection, Database
from bridge.ledger.plan import Plan, record, waiting
from bridge.ledger.quarantine import Load
from bridge.ledger.replay import replay_webhook
from bridge.ledger.stories import Story, story
from bridge.ledger.tables import webhooks
from bridge.settings import RetentionConfig
from bridge.sources.showpass import Showpass, ShowpassSettings
from bridge.strict_json import raw_fingerprint
from tests.conftest import Now
from tests.ledger.before import row, upgraded
from tests.ledger.records import arrival, delivery, plan, plan_all

DAY = 86400.0
BODY = b'{"id": "T-1", "name": "' + b"ana " * 2_000 + b'"}'


def aside(key: str, body: bytes = BODY, *, at: float = 1.0, **identity: Any) -> Arrival:
    known = {"quarantine": "stale-timestamp", "fingerprint": f"raw:{hash(body)}", **identity}
    made = arrival(key, at=at, **known)
    made.webhook.__dict__["body"] = body
    return made


def told(database: Database) -> dict[str, str]:
    with database.read() as connection:
        return {alert.kind: alert.text for alert in open_alerts(connection)}


def kept(database: Database) -> list[str]:
    with database.read() as connection:
        query = select(webhooks.c.idempotency_key).order_by(webhooks.c.number)
        return list(connection.execute(query).scalars())


def numbers(database: Database) -> list[int]:
    with database.read() as connection:
        return list(
            connection.execute(select(webhooks.c.number).order_by(webhooks.c.number)).scalars()
        )


def found(database: Database, place: int) -> Story:
    """The first, the second ... that is there: not every number is used."""
    with database.read() as connection:
        told = story(connection, numbers(database)[place - 1])
    assert told is not None
    return told


def held(database: Database, source: str = "showpass") -> Load:
    with database.read() as connection:
        return quarantine.holdings(connection).get(source, Load())


def is_balanced(database: Database) -> bool:
    with database.snapshot() as connection:
        return books(connection).are_balanced


def a_round(database: Database, bounds: RetentionConfig, now: Now) -> None:
    """As the clock would keep house until it has nothing left to do."""
    house = Housekeeping(database, bounds, now, elapsed=lambda: 0.0)
    for _ in range(60):
        house.tick()


def received(payload: dict[str, Any]) -> Arrival:
    """As the receiver hands it on, once it is verified."""
    webhook = Webhook("showpass", json.dumps(payload).encode(), {}, 1.0)
    return Arrival(webhook, Showpass(ShowpassSettings(), ("k",)).identify(webhook))


def event(uuid: str = "u-1", name: str = "T-1", **data: Any) -> dict[str, Any]:
    return {"id": name, "webhook_event_uuid": uuid, "event_type": "webhook.test", "data": data}


# What differs


def test_both_contents_of_one_key_are_kept_and_a_person_is_told_which(database: Database) -> None:
    acceptor = Acceptor(database)
    acceptor.accept(received(event(total=1)))
    assert acceptor.accept(received(event(total=2))) is Acceptance.CONFLICT
    first, second = found(database, 1), found(database, 2)
    assert (first.state, json.loads(first.body)["data"]) == ("waiting", {"total": 1})
    assert (second.state, json.loads(second.body)["data"]) == ("quarantined", {"total": 2})
    assert second.reason == "content-differs: webhook 1 came first under T-1/u-1"
    text = told(database)["changed-redelivery"]
    assert "webhook 1" in text
    assert f"webhook {second.number}" in text


def test_what_differs_is_kept_once_however_often_it_is_sent(database: Database) -> None:
    acceptor = Acceptor(database)
    acceptor.accept(received(event(total=1)))
    answers = [acceptor.accept(received(event(total=number % 3))) for number in range(9)]
    assert answers.count(Acceptance.CONFLICT) == 6
    assert len(kept(database)) == 3
    assert is_balanced(database)


def test_what_differs_can_be_replayed_as_an_event_of_its_own(database: Database) -> None:
    acceptor = Acceptor(database)
    acceptor.accept(received(event(total=1)))
    acceptor.accept(received(event(total=2)))
    last = numbers(database)[-1]
    with database.write() as connection:
        assert replay_webhook(connection, last)
        first, second = waiting(connection, 10)
    assert first.idempotency_key != second.idempotency_key
    assert second.webhook.json["data"] == {"total": 2}


def test_a_signature_of_another_id_takes_nobodys_key(database: Database) -> None:
    acceptor = Acceptor(database)
    forged, genuine = event("u-1", "LEAKED", total=0), event("u-1", "T-1", total=5)
    assert acceptor.accept(received(forged)) is Acceptance.ACCEPTED
    assert acceptor.accept(received(genuine)) is Acceptance.ACCEPTED
    assert told(database) == {}


@contextmanager
def told_of(database: Database, done: list[str]) -> Iterator[None]:
    """Notes the ledger's being held, and every look into a body by Python code of ours."""
    write, depth = database.write, []

    @contextmanager
    def holding() -> Iterator[Connection]:
        with write() as connection:
            depth.append(1)
            yield connection
            depth.pop()

    def note(frame: Any, event: str, _arg: object) -> None:
        if event == "call" and frame.f_code.co_name in (
            "loads",
            "packed",
            "body_of",
            "fingerprint",
        ):
            where = "held" if depth else "free"
            done.append(f"{frame.f_code.co_name}: {where}")

    database.__dict__["write"] = holding
    threading.setprofile(note)
    try:
        yield
    finally:
        threading.setprofile(None)


def test_no_body_is_looked_into_while_the_ledger_is_held(database: Database) -> None:
    of_before(database, event(total=1))
    done: list[str] = []
    with told_of(database, done):
        assert Acceptor(database).accept(received(event(total=2))) is Acceptance.CONFLICT
    assert {"body_of: free", "loads: free", "packed: free"} <= set(done)
    assert not [each for each in done if each.endswith("held")]


# From before


def of_before(database: Database, payload: dict[str, Any], *, indent: int | None = None) -> None:
    """As version 0.2 kept it: under the bare uuid, with a hash of the bytes."""
    body = json.dumps(payload, indent=indent).encode()
    webhook = Webhook("showpass", body, {}, 1.0)
    old = Arrival(webhook, Identity(payload["webhook_event_uuid"], "webhook.test", "0f" * 32))
    with database.write() as connection:
        assert keep(connection, [old]) == [Acceptance.ACCEPTED]


@pytest.mark.parametrize("indent", [None, 3])
def test_a_redelivery_of_what_came_before_the_upgrade_is_known(
    database: Database, indent: int | None
) -> None:
    of_before(database, event(total=1), indent=indent)
    acceptor = Acceptor(database)
    for _ in range(2):
        assert acceptor.accept(received(event(total=1))) is Acceptance.DUPLICATE
    assert kept(database) == ["u-1"]
    assert told(database) == {}
    assert acceptor.accept(received(event("u-2"))) is Acceptance.ACCEPTED


def test_redeliveries_from_before_are_known_after_each_restart(database: Database) -> None:
    names = ("u-1", "u-2", "u-3")
    for name in names:
        of_before(database, event(name))
    for name in names:
        # A process of its own, which looks at the ledger anew.
        assert Acceptor(database).accept(received(event(name))) is Acceptance.DUPLICATE
    assert kept(database) == [*names]


def test_a_query_from_before_the_upgrade_is_known_though_it_reads_as_json(
    database: Database,
) -> None:
    query = b"5"
    webhook = Webhook("showpad", query, {}, 1.0, method="GET")
    with database.write() as connection:
        keep(connection, [Arrival(webhook, Identity("get:1", "(delivered by GET)", "0f" * 32))])
    again = Arrival(webhook, Identity("get:1", "(delivered by GET)", raw_fingerprint(query)))
    assert Acceptor(database).accept(again) is Acceptance.DUPLICATE


def test_what_differs_from_what_came_before_the_upgrade_is_kept_aside(database: Database) -> None:
    of_before(database, event(total=1))
    assert Acceptor(database).accept(received(event(total=2))) is Acceptance.CONFLICT
    assert found(database, 2).reason == "content-differs: webhook 1 came first under u-1"


def test_what_was_pruned_before_the_upgrade_is_no_conflict(database: Database) -> None:
    of_before(database, event(total=1))
    with database.write() as connection:
        connection.execute(update(webhooks).values(body=b"", pruned_at=5.0))
    assert Acceptor(database).accept(received(event(total=1))) is Acceptance.DUPLICATE


# Packed


def test_a_body_in_quarantine_is_packed_and_read_as_it_was_received(database: Database) -> None:
    Acceptor(database).accept(aside("a"))
    with database.read() as connection:
        assert connection.execute(select(func.length(webhooks.c.body))).scalar_one() < 200
    assert found(database, 1).body == BODY


@pytest.mark.parametrize(
    "body",
    [b"", b"{", bytes(range(256)), zlib.compress(BODY), BODY],
    ids=["empty", "short", "no text", "compressed", "long"],
)
def test_a_replay_gets_the_very_bytes(database: Database, body: bytes) -> None:
    Acceptor(database).accept(aside("a", body))
    with database.write() as connection:
        assert replay_webhook(connection, 1)
        [again] = waiting(connection, 10)
    assert again.webhook.body == body


def test_bodies_count_as_long_as_they_were_received_where_memory_is_bounded(
    database: Database,
) -> None:
    acceptor = Acceptor(database)
    for name in "abc":
        acceptor.accept(aside(name))
    with database.write() as connection:
        connection.execute(update(webhooks).values(state="waiting"))
        assert len(waiting(connection, 10, most_bytes=2 * len(BODY))) == 2


# Within bounds

SMALL = RetentionConfig(quarantine_webhooks=10)


def test_the_oldest_make_room_and_a_person_is_told(database: Database) -> None:
    acceptor = Acceptor(database, SMALL)
    for number in range(15):
        assert acceptor.accept(aside(f"{number:02}", at=float(number))) is Acceptance.ACCEPTED
    assert kept(database) == [f"{number:02}" for number in range(5, 15)]
    assert "quarantine of showpass is full" in told(database)["quarantine-full"]
    assert held(database).webhooks == 10
    assert is_balanced(database)


def test_the_bytes_are_bounded_too(database: Database) -> None:
    acceptor = Acceptor(database, RetentionConfig(quarantine_bytes=40_000))
    for number in range(20):
        acceptor.accept(aside(f"{number:02}", os.urandom(5_000)))
    assert held(database).bytes <= 40_000
    assert kept(database)[-1] == "19"


def test_a_leaked_signature_pushes_out_nothing_but_what_came_under_it(database: Database) -> None:
    acceptor = Acceptor(database, SMALL)
    for number in range(4):
        acceptor.accept(aside(f"genuine-{number}", signed_part=f"T-{number}"))
    for number in range(30):
        acceptor.accept(aside(f"forged-{number}", signed_part="LEAKED"))
    assert [name for name in kept(database) if name.startswith("genuine")] == [
        f"genuine-{number}" for number in range(4)
    ]
    assert len(kept(database)) == 10


def test_a_full_quarantine_of_one_source_is_not_anothers(database: Database) -> None:
    acceptor = Acceptor(database, SMALL)
    other = aside("showpads")
    other.webhook.__dict__["source"] = "showpad"
    acceptor.accept(other)
    for number in range(15):
        acceptor.accept(aside(f"{number:02}"))
    assert kept(database)[0] == "showpads"
    assert held(database, "showpad").webhooks == 1


def test_what_is_accepted_and_not_quarantined_is_never_let_go(database: Database) -> None:
    acceptor = Acceptor(database, SMALL)
    acceptor.accept(received(event()))
    for number in range(15):
        acceptor.accept(aside(f"{number:02}"))
    assert kept(database)[0] == "T-1/u-1"
    assert acceptor.accept(received(event("u-2"))) is Acceptance.ACCEPTED


def test_what_is_known_in_a_full_quarantine_pushes_nothing_out(database: Database) -> None:
    acceptor = Acceptor(database, SMALL)
    for number in range(10):
        acceptor.accept(aside(f"{number:02}"))
    assert acceptor.accept(aside("05")) is Acceptance.DUPLICATE
    assert len(kept(database)) == 10


def test_room_for_large_bodies_is_made_by_few_statements(database: Database) -> None:
    acceptor = Acceptor(database)
    for number in range(40):
        acceptor.accept(aside(f"{number:02}", signed_part="LEAKED"))
    bounds = RetentionConfig(quarantine_webhooks=5)
    with database.read() as connection, statements(connection) as asked:
        found = quarantine.too_much(connection, bounds)
    assert len(found) == 35
    assert len(asked) < 10


def at_once(acceptor: Acceptor, arrivals: Sequence[Arrival]) -> list[Answer]:
    """They gather behind one whose sender is being answered, and go into one batch."""
    gathered = threading.Event()
    answers: SimpleQueue[Answer] = SimpleQueue()

    def wait(_answer: Answer) -> None:
        gathered.wait(60)

    acceptor.submit(aside("first"), wait)
    for each in arrivals:
        acceptor.submit(each, answers.put)
    gathered.set()
    return [answers.get(timeout=60) for _ in arrivals]


@pytest.mark.parametrize("bounds", [SMALL, RetentionConfig(quarantine_bytes=60_000)])
def test_the_first_that_come_at_once_under_one_signature_take_no_room_from_others(
    database: Database, bounds: RetentionConfig
) -> None:
    acceptor = Acceptor(database, bounds)
    for number in range(6):
        acceptor.accept(aside(f"genuine-{number}", os.urandom(5_000), signed_part=f"T-{number}"))
    forged = [aside(f"forged-{n}", os.urandom(5_000), signed_part="LEAKED") for n in range(20)]
    assert at_once(acceptor, forged) == [Acceptance.ACCEPTED] * 20
    assert [name for name in kept(database) if name.startswith("genuine")] == [
        f"genuine-{number}" for number in range(6)
    ]
    assert "forged-19" in kept(database)


def test_what_had_deliveries_is_not_dropped_and_takes_no_room(database: Database, now: Now) -> None:
    plan_all(database, [delivery(f"d-{number}") for number in range(20)])
    with database.write() as connection:
        connection.execute(update(webhooks).values(state="quarantined"))
    acceptor = Acceptor(database, SMALL)
    for number in range(15):
        acceptor.accept(aside(f"{number:02}", at=now()))
    a_round(database, SMALL, now)
    assert held(database).webhooks == 10
    assert len(kept(database)) == 30
    assert kept(database)[-1] == "14"


def test_what_is_replayed_while_room_is_made_is_left_out_when_choosing(database: Database) -> None:
    acceptor = Acceptor(database)
    for number in range(30):
        acceptor.accept(aside(f"{number:02}"))
    with database.write() as connection:
        first = numbers(database)[:20]
        connection.execute(
            update(webhooks).where(webhooks.c.number.in_(first)).values(state="waiting")
        )
        record(connection, [plan(number, delivery(f"d-{number}")) for number in first], 10.0)
        connection.execute(update(webhooks).values(state="quarantined"))
    with database.read() as connection:
        chosen = quarantine.too_much(connection, SMALL)
    assert {each.webhook for each in chosen} == set(numbers(database)[20:])


def test_only_sources_of_which_something_was_dropped_are_told_to_be_full(
    database: Database,
) -> None:
    acceptor = Acceptor(database)
    other = aside("showpads")
    other.webhook.__dict__["source"] = "showpad"
    for each in (aside("a"), other):
        acceptor.accept(each)
    first, second = numbers(database)
    chosen = [
        quarantine.Listed(number, source, "", 1, 1.0)
        for number, source in ((first, "showpass"), (second, "showpad"))
    ]
    with database.write() as connection:
        connection.execute(
            update(webhooks).where(webhooks.c.number == second).values(state="waiting")
        )
        told = quarantine.let_go(connection, chosen, 5.0)
    assert [alert.subject for alert in told] == ["showpass"]


def test_alerts_are_raised_when_all_rows_are_written(database: Database) -> None:
    """Who holds an alert waits for nothing more, so that two processes cannot wait in a ring."""
    acceptor = Acceptor(database, SMALL)
    for number in range(10):
        acceptor.accept(aside(f"{number:02}"))
    asked: list[str] = []
    note = lambda _c, _k, statement, *_: asked.append(statement)  # noqa: E731  # to be removed
    listen(database._engine, "before_cursor_execute", note)
    acceptor.accept(aside("10"))
    remove(database._engine, "before_cursor_execute", note)
    written = [re.match(r"(?:INSERT INTO|DELETE FROM|UPDATE) (\w+)", each) for each in asked]
    tables_in_order = [found[1] for found in written if found]
    first = tables_in_order.index("alerts")
    assert "webhooks" in tables_in_order[:first]
    assert set(tables_in_order[first:]) == {"alerts"}


@contextmanager
def statements(connection: Connection) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    listen(connection, "before_cursor_execute", note)
    yield asked
    remove(connection, "before_cursor_execute", note)


# Keeping house


def test_what_nobody_looked_at_goes_after_its_time_and_a_person_is_told(
    database: Database, now: Now
) -> None:
    acceptor = Acceptor(database)
    acceptor.accept(aside("old", at=now() - 91 * DAY))
    acceptor.accept(aside("young", at=now() - 89 * DAY))
    a_round(database, RetentionConfig(), now)
    assert kept(database) == ["young"]
    assert "quarantine-expired" in told(database)
    assert is_balanced(database)


def test_what_an_earlier_version_kept_aside_has_its_time_from_the_upgrade(
    database_url: str, now: Now
) -> None:
    old = [row(f"u-{n}", state="quarantined", received_at=now() - 120 * DAY) for n in range(3)]
    with upgraded(database_url, old) as ledger:
        a_round(ledger, RetentionConfig(), now)
        assert len(kept(ledger)) == 3
        now.advance(91 * DAY)
        a_round(ledger, RetentionConfig(), now)
        assert kept(ledger) == []


def test_what_an_earlier_version_kept_aside_is_not_pushed_out_together(
    database_url: str, now: Now
) -> None:
    old = [row(f"u-{n}", state="quarantined", received_at=now()) for n in range(8)]
    with upgraded(database_url, old) as ledger:
        a_round(ledger, SMALL, now)
        acceptor = Acceptor(ledger, SMALL)
        for number in range(30):
            acceptor.accept(aside(f"forged-{number}", signed_part="LEAKED", at=now()))
        assert [name for name in kept(ledger) if name.startswith("u-")] == [
            f"u-{number}" for number in range(8)
        ]


def test_what_routing_put_aside_is_pushed_out_by_what_was_signed_alike(
    database: Database, now: Now
) -> None:
    acceptor = Acceptor(database)
    names = [f"T-{number}" for number in range(5)] + ["LEAKED"] * 15
    for number, name in enumerate(names):
        acceptor.accept(received(event(f"u-{number}", name)))
    with database.write() as connection:
        plans = [Plan(each, "quarantined", "v1", reason="x") for each in numbers(database)]
        record(connection, plans, now())
    a_round(database, SMALL, now)
    assert [name for name in kept(database) if name.startswith("T-")] == [
        f"T-{number}/u-{number}" for number in range(5)
    ]
    assert len(kept(database)) == 10


def test_what_an_earlier_version_kept_is_packed_counted_and_bounded(
    database: Database, now: Now
) -> None:
    with database.write() as connection:
        keep(connection, [aside(f"{number:02}", at=now()) for number in range(15)])
        connection.execute(tables.quarantine.delete())
    a_round(database, SMALL, now)
    assert kept(database) == [f"{number:02}" for number in range(5, 15)]
    assert found(database, 10).body == BODY
    assert held(database).bytes < 10 * 1_000


def test_what_routing_put_aside_is_counted(database: Database, now: Now) -> None:
    Acceptor(database).accept(received(event()))
    with database.write() as connection:
        record(connection, [Plan(1, "quarantined", "v1", reason="cannot be routed")], 1.0)
    a_round(database, RetentionConfig(quarantine_seconds=float("inf")), now)
    assert held(database).webhooks == 1


def test_what_was_replayed_is_no_longer_counted(database: Database, now: Now) -> None:
    Acceptor(database).accept(aside("a", at=now()))
    with database.write() as connection:
        replay_webhook(connection, 1)
        record(connection, [Plan(1, "unrouted", "v1")], now())
    a_round(database, RetentionConfig(), now)
    assert held(database) == Load()
    assert found(database, 1).body == BODY
