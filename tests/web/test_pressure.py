"""Back-pressure: senders are asked to come back, are told why, and are taken again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import delete

from bridge.engine.queue import connect
from bridge.ledger.alerts import clear_seen, open_alerts
from bridge.ledger.backlog import backlog
from bridge.ledger.database import Database
from bridge.ledger.tables import webhooks
from bridge.settings import ServerConfig
from bridge.web.app import create_app
from bridge.web.pressure import Pressure, free_disk_of
from tests.conftest import Now
from tests.ledger.records import accept, arrival, delivery, plan_all
from tests.servers import wait_until
from tests.web.conftest import AWAY, Receiver, purchase
from tests.web.test_hostile_connections import request, running

MOST = 10


@pytest.fixture
def pressed(receiver: Receiver) -> Iterator[tuple[Receiver, Pressure]]:
    """A receiver that refuses above ten."""
    server = replace(receiver.config.server, most_waiting=MOST)
    config = replace(receiver.config, server=server)
    later = count(0, 10)
    app = create_app(config, receiver.database, connect(AWAY), receiver.now, lambda: next(later))
    yield replace(receiver, config=config, client=app.test_client()), app.extensions["pressure"]
    app.extensions["bell"].stop()


def fill(database: Database, count: int) -> None:
    accept(database, *[arrival(uuid4().hex) for _ in range(count)])


def empty(database: Database, left: int) -> None:
    with database.write() as connection:
        waiting = backlog(connection, 10**9)
        numbers = webhooks.select().order_by(webhooks.c.number).limit(waiting - left)
        done = numbers.with_only_columns(webhooks.c.number)
        connection.execute(delete(webhooks).where(webhooks.c.number.in_(done)))


def kinds(database: Database) -> list[str]:
    with database.read() as connection:
        return [alert.kind for alert in open_alerts(connection)]


def test_a_start_without_pressure_is_no_warning(
    pressed: tuple[Receiver, Pressure], caplog: pytest.LogCaptureFixture
) -> None:
    receiver, pressure = pressed
    caplog.set_level(logging.INFO)
    pressure.look()
    assert [(each.levelno, each.getMessage()) for each in caplog.records] == [
        (logging.INFO, "webhooks are taken")
    ]
    fill(receiver.database, MOST + 1)
    pressure.look()
    assert caplog.records[-1].levelno == logging.WARNING


def test_above_the_limit_the_sender_is_asked_to_come_back_and_told_why(
    pressed: tuple[Receiver, Pressure],
) -> None:
    receiver, pressure = pressed
    fill(receiver.database, MOST + 1)
    pressure.look()
    answer = receiver.post("showpass", purchase())
    assert answer.status_code == 503
    assert answer.json == {"result": "unavailable", "reason": "too-much-waiting"}
    assert int(answer.headers["Retry-After"]) > 0
    assert len(receiver.stored()) == MOST + 1


def test_a_forged_webhook_gets_no_4xx_either_which_would_be_final(
    pressed: tuple[Receiver, Pressure],
) -> None:
    receiver, pressure = pressed
    fill(receiver.database, MOST + 1)
    pressure.look()
    assert receiver.post("showpad", b"{", {}).status_code == 503


def test_at_the_limit_everything_is_taken(pressed: tuple[Receiver, Pressure]) -> None:
    receiver, pressure = pressed
    fill(receiver.database, MOST)
    pressure.look()
    assert receiver.post("showpass", purchase()).status_code == 200


def test_it_takes_again_by_itself_once_clearly_less_waits(
    pressed: tuple[Receiver, Pressure],
) -> None:
    receiver, pressure = pressed
    answers = []
    for left in (MOST + 1, MOST, MOST - 1):
        fill(receiver.database, 20)
        empty(receiver.database, left)
        pressure.look()
        answers.append(receiver.post("showpass", purchase()).status_code)
    assert answers == [503, 503, 200]


def test_a_person_is_told_while_it_lasts_and_readiness_says_so(
    pressed: tuple[Receiver, Pressure],
) -> None:
    receiver, pressure = pressed
    fill(receiver.database, MOST + 1)
    pressure.look()
    pressure.look()
    assert kinds(receiver.database) == ["backlog"]
    assert ready(receiver) == (503, "too-much-waiting")
    empty(receiver.database, 0)
    pressure.look()
    assert kinds(receiver.database) == []
    assert ready(receiver) == (200, None)


def ready(receiver: Receiver) -> tuple[int, str | None]:
    answer = receiver.client.get("/readyz")
    told = answer.get_json()
    assert told["ready"] is (answer.status_code == 200)
    return answer.status_code, told.get("refusing")


@dataclass
class Disk:
    """What is free on a disk that needs not be filled."""

    free: int | None

    def __call__(self) -> int | None:
        return self.free


def looking(database: Database, now: Now, disk: Callable[[], int | None]) -> Pressure:
    return Pressure(ServerConfig(least_free_disk=1000), database, disk, now)


def test_a_nearly_full_disk_refuses_until_there_is_room_again(database: Database, now: Now) -> None:
    disk = Disk(1000)
    pressure = looking(database, now, disk)
    seen = []
    for free in (1000, 999, 1100, 1200):
        disk.free = free
        pressure.look()
        seen.append((pressure.reason, kinds(database)))
    full = ("disk-nearly-full", ["disk"])
    assert seen == [(None, []), full, full, (None, [])]


def test_an_alert_that_lasts_is_not_closed_by_having_been_seen(
    database: Database, now: Now
) -> None:
    looking(database, now, Disk(0)).look()
    with database.write() as connection:
        clear_seen(connection, open_alerts(connection))
    assert kinds(database) == ["disk"]


def test_what_an_ended_process_has_left_is_cleared(database: Database, now: Now) -> None:
    looking(database, now, Disk(0)).look()
    looking(database, now, Disk(None)).look()
    assert kinds(database) == []


def test_while_the_ledger_is_away_nothing_changes(now: Now) -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    pressure = looking(away, now, Disk(None))
    pressure.reason = "too-much-waiting"
    pressure.look()
    assert pressure.reason == "too-much-waiting"


def test_open_deliveries_count_and_no_further_than_asked(database: Database) -> None:
    plan_all(database, [delivery("a"), delivery("b")])
    accept(database, arrival())
    with database.read() as connection:
        assert [backlog(connection, most) for most in (1, 2, 100)] == [1, 2, 3]


def test_the_disk_of_a_sqlite_ledger_is_looked_at(tmp_path: Path) -> None:
    free = free_disk_of(Database(f"sqlite:///{tmp_path / 'ledger.db'}"))()
    assert free is not None
    assert free > 0
    assert free_disk_of(Database("postgresql+psycopg://nobody@127.0.0.1:1/none"))() is None


def test_the_server_looks_by_itself(tmp_path: Path, redis_url: str) -> None:
    with running(tmp_path, redis_url, "least_free_disk: 1000000 GB") as web:
        wait_until(lambda: web.ask(request()) == [503])
