"""A person is told of each alert once, by the first target that works."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from bridge.connector import Halted, Rejected
from bridge.engine.drain import halt
from bridge.engine.housekeeping import Housekeeping
from bridge.engine.mail import Email
from bridge.engine.notify import FIRST_PAUSE, ByAction, Notifier, Target
from bridge.ledger import accounts
from bridge.ledger.alerts import (
    MOST_OF_A_KIND,
    OTHERS,
    Alert,
    clear_alert,
    clear_seen,
    note_told,
    open_alerts,
    raise_alert,
    raise_alerts,
    to_tell,
)
from bridge.ledger.database import Database
from bridge.settings import EmailTarget, RetentionConfig
from tests.conftest import Now
from tests.engine.scripted import Script, destination
from tests.mail_server import MailServer

DAY = 86400.0


@dataclass
class Room:
    """A chat account, a mail server behind it, and the one who is told."""

    database: Database
    now: Now
    script: Script
    mail: MailServer
    notifier: Notifier = field(init=False)

    def __post_init__(self) -> None:
        account = destination(self.script)
        chat = ByAction(account.name, account.kind.actions()["post"], {}, account.connector, "f")
        server = EmailTarget(("ops@example.com",), "b@example.com", "localhost", self.mail.port,
                             "none")  # fmt: skip
        self.targets: list[Target] = [chat, Email(server)]
        self.notifier = Notifier(self.database, self.targets, DAY, self.now, self.now)

    def halt(self, account: str) -> None:
        with self.database.write() as connection:
            halt(connection, account, "invalid_auth", "f", self.now())

    def resume(self, account: str) -> None:
        with self.database.write() as connection:
            accounts.resume(connection, account)

    def happens(self, kind: str = "webhook", subject: str = "one") -> None:
        with self.database.write() as connection:
            raise_alert(connection, kind=kind, subject=subject, text=f"Look at {subject}.",
                        at=self.now())  # fmt: skip

    @property
    def chat(self) -> list[str]:
        return self.script.sent

    @property
    def mails(self) -> list[str]:
        return [each.get_content() for each in self.mail.messages]


@pytest.fixture
def room(database: Database, now: Now) -> Iterator[Room]:
    with MailServer().running() as mail:
        yield Room(database, now, Script(), mail)


def test_an_alert_is_told_once_however_often_it_happens(room: Room) -> None:
    for _ in range(3):
        room.happens()
        room.notifier.tell()
        room.now.advance(60)
    assert len(room.chat) == 1
    assert "Look at one.\nSince 2023-11-14 22:13 UTC." in room.chat[0]


def test_a_message_names_the_machine(room: Room) -> None:
    room.notifier.machine = "tickets-2"
    room.notifier.targets = room.notifier.targets[1:]
    room.happens()
    room.notifier.tell()
    (mail,) = room.mail.messages
    assert mail["Subject"] == "Showbridge on tickets-2: webhook"
    assert mail.get_content().startswith("Showbridge on tickets-2")


def test_an_account_that_is_halted_is_told_of_by_another_way(room: Room) -> None:
    room.halt("scripted")
    room.notifier.tell()
    assert room.chat == []
    assert "showbridge resume scripted" in room.mails[0]


def test_an_account_that_rests_is_passed_over(room: Room) -> None:
    with room.database.write() as connection:
        accounts.rest(connection, "scripted", "limit", room.now() + 60, room.now())
    room.happens()
    room.notifier.tell()
    assert (len(room.chat), len(room.mails)) == (0, 1)


@pytest.mark.parametrize("answer", [Halted("invalid_auth"), Rejected("no channel"), OSError()])
def test_where_one_way_fails_the_next_is_taken(room: Room, answer: object) -> None:
    room.script.answers = [answer]
    room.happens()
    room.notifier.tell()
    assert len(room.mails) == 1


def test_that_an_account_works_again_is_told_to_who_knew_of_its_halt(room: Room) -> None:
    room.halt("other")
    room.notifier.tell()
    room.resume("other")
    room.notifier.tell()
    room.notifier.tell()
    assert "The account other may send again" in room.chat[1]
    assert len(room.chat) == 2


def test_a_halt_that_ends_before_it_is_told_is_not_told(room: Room) -> None:
    room.halt("other")
    room.resume("other")
    room.notifier.tell()
    assert room.chat == []


def test_a_halt_whose_end_waits_to_be_told_is_no_open_alert(room: Room) -> None:
    room.halt("other")
    room.notifier.tell()
    room.resume("other")
    with room.database.read() as connection:
        assert open_alerts(connection) == []


def test_an_account_halted_again_before_its_end_was_told_is_the_same_halt(room: Room) -> None:
    room.halt("other")
    room.notifier.tell()
    room.resume("other")
    room.now.advance(60)
    room.halt("other")
    room.notifier.tell()
    assert len(room.chat) == 1
    with room.database.read() as connection:
        (alert,) = open_alerts(connection)
    assert (alert.count, alert.first_at) == (1, room.now())


def test_what_lasts_is_told_again_after_a_day(room: Room) -> None:
    room.halt("other")
    room.happens()
    room.notifier.tell()
    room.now.advance(DAY - 1)
    room.notifier.tell()
    assert len(room.chat) == 1
    room.now.advance(1)
    room.notifier.tell()
    assert "invalid_auth" in room.chat[1]
    assert "Look at one" not in room.chat[1]


def test_what_was_dealt_with_and_happens_again_is_told_again(room: Room) -> None:
    room.happens()
    room.notifier.tell()
    with room.database.write() as connection:
        clear_seen(connection, open_alerts(connection))
    room.happens()
    room.notifier.tell()
    assert len(room.chat) == 2


def test_a_flood_of_alerts_is_one_message(room: Room) -> None:
    for number in range(40):
        room.happens(subject=f"number {number}")
    room.notifier.tell()
    room.notifier.tell()
    assert len(room.chat) == 1
    assert "And 35 more" in room.chat[0]
    assert "Look at number 39" not in room.chat[0]


def test_a_sender_cannot_cause_more_alerts_than_a_person_can_read(room: Room) -> None:
    for number in range(400):
        room.happens(subject=f"number {number:03}")
        room.happens(subject="number 007")
    with room.database.read() as connection:
        found = {each.subject: each for each in open_alerts(connection)}
    assert len(found) == MOST_OF_A_KIND + 1
    assert found["number 007"].count == 401
    assert found[OTHERS].count == 380
    assert found[OTHERS].text.endswith("Look at number 399.")


def test_many_alerts_at_once_are_bounded_like_many_one_after_the_other(room: Room) -> None:
    at = room.now()
    raised = [Alert("webhook", f"number {n}", f"Look at {n}.", at, at, 1) for n in range(100)]
    with room.database.write() as connection:
        raise_alerts(connection, [*raised, *raised])
    with room.database.read() as connection:
        found = {each.subject: each.count for each in open_alerts(connection)}
    assert found.pop(OTHERS) == 160
    assert set(found.values()) == {2}
    assert len(found) == MOST_OF_A_KIND


def test_what_is_closed_makes_room_for_the_next(room: Room) -> None:
    for number in range(40):
        room.happens(subject=f"number {number}")
    with room.database.write() as connection:
        clear_seen(connection, open_alerts(connection))
    room.happens(subject="another")
    with room.database.read() as connection:
        assert [each.subject for each in open_alerts(connection)] == ["another"]


def test_accounts_are_told_of_one_by_one_however_many_there_are(room: Room) -> None:
    names = [f"account-{number}" for number in range(30)]
    for name in names:
        room.halt(name)
    with room.database.read() as connection:
        assert {each.subject for each in open_alerts(connection)} == set(names)
    for name in names:
        room.resume(name)
    with room.database.read() as connection:
        assert open_alerts(connection) == []


def test_what_lasts_is_not_lost_in_a_flood(room: Room) -> None:
    for number in range(40):
        room.happens(subject=f"number {number}")
    room.now.advance(1)
    room.halt("other")
    room.notifier.tell()
    assert "showbridge resume other" in room.chat[0]
    assert "And 36 more" in room.chat[0]


def test_processes_that_raise_the_same_alerts_do_not_wait_for_each_other(room: Room) -> None:
    """Two that hold what the other wants next would be one failure each time."""

    def work(seed: int) -> None:
        order = random.Random(seed)
        for _ in range(25):
            some = [f"number {number}" for number in order.sample(range(60), 12)]
            raised = [Alert("webhook", each, "Look.", 1.0, 1.0, 1) for each in some]
            with room.database.write() as connection:
                raise_alerts(connection, raised)
                told = open_alerts(connection)
            with room.database.write() as connection:
                note_told(connection, order.sample(told, len(told)), 2.0)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    with room.database.read() as connection:
        assert sum(each.count for each in open_alerts(connection)) == 4 * 25 * 12


def test_what_a_person_was_told_of_long_ago_is_forgotten(room: Room) -> None:
    room.halt("other")
    room.happens(subject="told")
    room.notifier.tell()
    room.now.advance(91 * DAY)
    room.happens(subject="new")
    with room.database.write() as connection:
        raise_alert(connection, kind="webhook", subject="untold", text="Look.", at=1.0)
    keep_house(room)
    with room.database.read() as connection:
        assert {each.subject for each in open_alerts(connection)} == {"other", "new", "untold"}


def test_an_end_that_nobody_can_be_told_of_any_more_is_forgotten(room: Room) -> None:
    room.halt("other")
    room.notifier.tell()
    room.resume("other")
    room.now.advance(91 * DAY)
    keep_house(room)
    with room.database.read() as connection:
        assert to_tell(connection, room.now(), DAY) == []


def keep_house(room: Room) -> None:
    """One round of it."""
    keeping = Housekeeping(room.database, RetentionConfig(), room.now, elapsed=lambda: 0.0)
    for _ in range(20):
        keeping.tick()


def test_where_nobody_can_be_told_it_is_tried_again_after_a_pause(room: Room) -> None:
    room.halt("scripted")
    room.mail.refuse = "450 later"
    room.notifier.tell()
    room.mail.refuse = ""
    room.notifier.tell()
    assert room.mails == []
    room.now.advance(FIRST_PAUSE)
    room.notifier.tell()
    assert len(room.mails) == 1


def test_a_halt_that_ends_while_it_is_being_told_is_told_to_be_over(room: Room) -> None:
    class Meanwhile:
        name, account = "meanwhile", None

        def tell(self, subject: str, text: str) -> str:
            if "works again" not in subject:
                room.resume("other")
            told.append(subject)
            return ""

    told: list[str] = []
    room.notifier.targets = [Meanwhile()]
    room.halt("other")
    for _ in range(3):
        room.notifier.tell()
    assert told == ["Showbridge: halted", "Showbridge: other works again"]


def test_an_account_halted_anew_while_its_end_is_being_told_is_told(room: Room) -> None:
    class Meanwhile:
        name, account = "meanwhile", None

        def tell(self, subject: str, text: str) -> str:
            if "works again" in subject:
                room.halt("other")
            told.append(subject)
            return ""

    told: list[str] = []
    room.halt("other")
    room.notifier.tell()
    room.resume("other")
    room.notifier.targets = [Meanwhile()]
    for _ in range(3):
        room.notifier.tell()
    assert told == ["Showbridge: other works again", "Showbridge: halted"]


def test_a_closed_alert_of_another_kind_is_told_no_end(room: Room) -> None:
    room.happens(kind="rules")
    room.notifier.tell()
    with room.database.write() as connection:
        clear_alert(connection, kind="rules", subject="one")
    room.notifier.tell()
    assert len(room.chat) == 1
