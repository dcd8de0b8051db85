"""Telling by e-mail, through a real conversation with a mail server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.engine.mail import Email
from bridge.settings import EmailTarget
from tests.mail_server import MailServer, certificate

TARGET = EmailTarget(
    ("ops@example.com", "boss@example.com"), "bridge@example.com", "localhost", 0, "none"
)
LOGIN = ("user-4711", "password-4711")


@pytest.fixture
def plain() -> Iterator[MailServer]:
    with MailServer().running() as server:
        yield server


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    file, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with MailServer(context, LOGIN).running() as server:
        yield server


def by(server: MailServer, **changes: object) -> Email:
    return Email(replace(TARGET, port=server.port, **changes))  # type: ignore[arg-type]


def logged_in(server: MailServer, password: str = LOGIN[1]) -> Email:
    return by(server, encryption="starttls", user=LOGIN[0], password=password)


def test_a_message_has_what_mail_programs_and_people_expect(plain: MailServer) -> None:
    assert by(plain).tell("Showbridge:\nhalted", "Was ist los: größer.\n") == ""
    (message,) = plain.messages
    assert message["Subject"] == "Showbridge: halted"
    assert message["To"] == "ops@example.com, boss@example.com"
    assert message["From"] == "bridge@example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"]
    assert message.get_content().strip() == "Was ist los: größer."


def test_a_password_travels_encrypted_to_a_server_that_proves_its_name(
    trusted: MailServer,
) -> None:
    assert logged_in(trusted).tell("subject", "text") == ""
    assert trusted.encrypted == [True]


def test_a_server_that_cannot_prove_its_name_gets_nothing(tmp_path: Path) -> None:
    _, context = certificate(tmp_path)
    with MailServer(context, LOGIN).running() as server:
        assert "no encrypted connection" in logged_in(server).tell("subject", "text")
    assert server.messages == []


def test_without_encryption_where_it_is_asked_for_nothing_is_sent(plain: MailServer) -> None:
    assert by(plain, encryption="starttls").tell("subject", "text") != ""
    assert plain.messages == []


def test_a_wrong_password_is_said_without_user_or_password(trusted: MailServer) -> None:
    said = logged_in(trusted, "wrong-4711").tell("subject", "text")
    assert said == "the mail server answers 535 to the user and password"


def test_a_refused_recipient_is_said_without_the_address() -> None:
    with MailServer(refuse="550 no ops@example.com here").running() as server:
        assert by(server).tell("subject", "text") == "the mail server refuses every recipient"


def test_a_server_that_is_away_is_said_so(plain: MailServer) -> None:
    with MailServer().running() as gone:
        pass
    assert "Connection refused" in by(gone).tell("subject", "text")
