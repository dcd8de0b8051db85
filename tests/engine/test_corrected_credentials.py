"""A credential is corrected while workers, restarted one by one, have the old and the new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from bridge.connector import Halted
from bridge.engine.drain import Drain, halt
from bridge.engine.lease import Lease
from bridge.ledger import accounts, lanes
from bridge.ledger.accounts import REPLACED_SECONDS
from bridge.ledger.alerts import open_alerts
from bridge.ledger.database import Database
from bridge.ledger.due import due_lanes
from tests.conftest import Now
from tests.engine.scripted import Script, destination, patience
from tests.ledger.records import delivery, plan_all

SEND = "scripted.send"
OLD, NEW = "old", "new"


@dataclass
class Workers:
    """One with the old credential, which the vendor refuses, and one with the new."""

    database: Database
    now: Now

    def __post_init__(self) -> None:
        self.scripts = {OLD: Script(), NEW: Script()}

    def plan(self, *texts: str) -> None:
        owed = [
            delivery(text, lane=SEND, account="scripted", action="send", item={"text": text})
            for text in texts
        ]
        plan_all(self.database, owed, self.now())

    def turn(self, which: str, answers: list[Any] | None = None) -> list[str]:
        """What the worker sends, or tries to."""
        script = self.scripts[which]
        script.sent.clear()
        refusal = [Halted("invalid_auth")] if which == OLD else []
        script.answers = refusal if answers is None else answers
        with self.database.write() as connection:
            lanes.wake(connection, SEND, "job", self.now())
            assert lanes.take(connection, SEND, which, self.now(), 30.0)
        with Lease(self.database, SEND, which, 30.0, self.now, self.now(), self.now) as lease:
            account = destination(script, fingerprint=which)
            Drain(self.database, account, patience(), self.now, 60.0).run(lease, lambda: False)
        return list(script.sent)

    def start_corrected(self) -> None:
        """What the start of a worker with the new credential does."""
        with self.database.write() as connection:
            assert accounts.replace_refused(connection, "scripted", self.now())

    def alerts(self) -> int:
        with self.database.read() as connection:
            return len(open_alerts(connection))

    def is_due(self) -> bool:
        with self.database.read() as connection:
            return due_lanes(connection, self.now()) == [SEND]


@pytest.fixture
def workers(database: Database, now: Now) -> Workers:
    found = Workers(database, now)
    found.plan("one", "two")
    assert found.turn(OLD)
    assert found.alerts() == 1
    assert not found.is_due()
    return found


def test_a_worker_with_the_new_credential_sends_and_who_has_the_old_one_waits(
    workers: Workers,
) -> None:
    workers.start_corrected()
    assert workers.is_due()
    assert workers.turn(OLD) == []
    assert workers.turn(NEW) == ["one", "two"]
    workers.plan("three")
    assert workers.turn(OLD) == []
    assert workers.turn(NEW) == ["three"]
    assert workers.alerts() == 0


def test_a_refusal_that_comes_after_the_correction_halts_nothing_again(
    database: Database, now: Now
) -> None:
    """A call of an old worker is on its way while another's refusal is being corrected."""
    workers = Workers(database, now)

    class Slow(list[Any]):
        def pop(self, *_: object) -> Any:
            with database.write() as connection:
                halt(connection, "scripted", "invalid_auth", OLD, now())
            workers.start_corrected()
            return Halted("invalid_auth")

    workers.plan("one")
    workers.turn(OLD, Slow("x"))
    assert workers.is_due()
    assert workers.alerts() == 0
    assert workers.turn(NEW) == ["one"]


def test_the_first_success_with_a_new_credential_ends_the_halt_for_it_alone(
    workers: Workers,
) -> None:
    """Where nobody saw the halt at a start: it came after."""
    assert workers.turn(NEW) == ["one", "two"]
    workers.plan("three")
    assert workers.is_due()
    assert workers.alerts() == 0
    assert workers.turn(OLD) == []


def test_a_credential_that_was_refused_may_be_tried_again_later(workers: Workers) -> None:
    workers.start_corrected()
    workers.now.advance(REPLACED_SECONDS)
    assert workers.turn(OLD) == ["one"]
    assert workers.alerts() == 1


def test_a_person_s_word_counts_for_every_credential(workers: Workers) -> None:
    with workers.database.write() as connection:
        accounts.resume(connection, "scripted")
    assert workers.turn(OLD) != []
