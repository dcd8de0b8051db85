from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import pytest
from sqlalchemy import func, select

from bridge.errors import LedgerUnavailable
from bridge.ledger.accept import Acceptance, Acceptor
from bridge.ledger.alerts import clear_seen, open_alerts, raise_alert
from bridge.ledger.database import Connection, Database
from bridge.ledger.tables import webhooks
from tests.ledger.records import accept, arrival


def stored(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(webhooks)).scalar_one()


def test_a_new_webhook_is_accepted_and_stored(database: Database) -> None:
    assert Acceptor(database).accept(arrival()) is Acceptance.ACCEPTED
    assert stored(database) == 1


def test_a_redelivery_is_acknowledged_and_forgotten(database: Database) -> None:
    answers = [Acceptor(database).accept(arrival(at=float(time))) for time in range(5)]
    assert answers == [Acceptance.ACCEPTED] + [Acceptance.DUPLICATE] * 4
    assert stored(database) == 1


def test_the_same_key_of_another_source_is_another_webhook(database: Database) -> None:
    first = arrival()
    other = arrival()
    other.webhook.__dict__["source"] = "second-organisation"
    assert accept(database, first, other) == [Acceptance.ACCEPTED] * 2


def test_a_redelivery_with_another_content_keeps_the_first_and_raises_an_alert(
    database: Database,
) -> None:
    accept(database, arrival())
    assert Acceptor(database).accept(arrival(fingerprint="forged")) is Acceptance.CONFLICT
    with database.read() as connection:
        assert [alert.kind for alert in open_alerts(connection)] == ["changed-redelivery"]
        query = select(webhooks.c.state, webhooks.c.fingerprint).order_by(webhooks.c.number)
        assert connection.execute(query).all() == [("waiting", "f1"), ("quarantined", "forged")]


def test_one_batch_may_hold_the_same_webhook_twice(database: Database) -> None:
    answers = accept(database, arrival(), arrival(), arrival(fingerprint="forged"))
    assert answers == [Acceptance.ACCEPTED, Acceptance.DUPLICATE, Acceptance.CONFLICT]


def test_a_quarantined_webhook_is_kept_and_a_person_is_told(database: Database) -> None:
    accept(database, arrival(quarantine="stale-timestamp"))
    with database.read() as connection:
        assert connection.execute(select(webhooks.c.state)).scalar_one() == "quarantined"
        assert "stale-timestamp" in open_alerts(connection)[0].text


def test_many_threads_share_batches_and_each_gets_its_own_answer(database: Database) -> None:
    acceptor = Acceptor(database)
    answers: list[Acceptance] = []

    def send(sender: int) -> None:
        for number in range(25):
            # Every webhook is sent by two threads at about the same time.
            answers.append(acceptor.accept(arrival(f"{sender // 2}-{number}")))

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(answers) == {Acceptance.ACCEPTED: 200, Acceptance.DUPLICATE: 200}
    assert stored(database) == 200


def test_what_gathers_while_one_is_written_is_written_at_once(database: Database) -> None:
    acceptor, written = Acceptor(database), Counter[str]()
    writing, go_on = threading.Event(), threading.Event()
    answers: SimpleQueue[object] = SimpleQueue()
    write = database.write

    @contextmanager
    def waiting() -> Iterator[Connection]:
        written["transactions"] += 1
        with write() as connection:
            yield connection
            writing.set()
            go_on.wait(30)

    database.__dict__["write"] = waiting
    acceptor.submit(arrival("first"), answers.put)
    writing.wait(30)
    for number in range(50):
        acceptor.submit(arrival(str(number)), answers.put)
    go_on.set()
    assert [answers.get() for _ in range(51)] == [Acceptance.ACCEPTED] * 51
    assert written["transactions"] == 2


def test_what_the_database_refuses_does_not_fail_its_neighbours(database: Database) -> None:
    acceptor = Acceptor(database)
    good, bad = arrival("good"), arrival("bad")
    bad.identity.__dict__["event_type"] = None  # no column for such a thing
    outcomes: dict[str, object] = {}

    def send(name: str, sent: object) -> None:
        try:
            outcomes[name] = acceptor.accept(sent)  # type: ignore[arg-type]
        except LedgerUnavailable:
            outcomes[name] = "refused"

    # On SQLite both gather while this transaction is open, and go into one batch.
    with database.write():
        threads = [
            threading.Thread(target=send, args=(name, sent))
            for name, sent in (("good", good), ("bad", bad))
        ]
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"good": Acceptance.ACCEPTED, "bad": "refused"}


def test_a_ledger_that_is_away_is_said_so_and_acknowledges_nothing() -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(LedgerUnavailable):
        Acceptor(away).accept(arrival())
    missing_folder = Database("sqlite:////nowhere/at/all/ledger.db")
    with pytest.raises(LedgerUnavailable):
        Acceptor(missing_folder).accept(arrival())


def test_errors_of_the_ledger_never_quote_a_body(database: Database) -> None:
    broken = arrival()
    broken.identity.__dict__["event_type"] = None
    broken.webhook.__dict__["body"] = b"ana@example.com"
    with pytest.raises(Exception, match=r"(?s).*") as raised:
        accept(database, broken)
    assert "ana@example.com" not in str(raised.value)


def test_alerts_that_a_person_has_seen_are_closed_and_lasting_ones_stay(
    database: Database,
) -> None:
    accept(database, arrival(quarantine="stale-timestamp"))
    with database.write() as connection:
        raise_alert(connection, kind="rules", subject="rules.yaml", text="line 3", at=1.0)
        seen = open_alerts(connection)
    accept(database, arrival("another", alerts=("The clock may be off.",)))
    with database.write() as connection:
        clear_seen(connection, seen)
        left = {alert.text for alert in open_alerts(connection)}
    assert left == {"line 3", "The clock may be off."}


def test_whatever_ends_the_writer_nobody_waits_for_ever(database: Database) -> None:
    acceptor = Acceptor(database)
    write, failures = database.write, [SystemExit(), RuntimeError("no thread"), MemoryError()]

    @contextmanager
    def failing() -> Iterator[Connection]:
        if failures:
            raise failures.pop(0)
        with write() as connection:
            yield connection

    database.__dict__["write"] = failing
    with pytest.raises(LedgerUnavailable):
        acceptor.accept(arrival())
    # What fails together is tried alone.
    assert acceptor.accept(arrival()) is Acceptance.ACCEPTED
    assert acceptor.accept(arrival()) is Acceptance.DUPLICATE
