"""A person is told of each alert once, by the first target that works."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from bridge.connector import Halted, Rejected
from bridge.engine.drain import halt
from bridge.engine.mail import Email
from bridge.engine.notify import FIRST_PAUSE, ByAction, Notifier, Target
from bridge.ledger import accounts
from bridge.ledger.alerts import clear_alert, clear_seen, open_alerts, raise_alert
from bridge.ledger.database import Database
from bridge.settings import EmailTarget
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
