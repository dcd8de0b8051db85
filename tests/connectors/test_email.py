"""E-mail through a real mail server: what arrives, and what a server's answers mean."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bridge.connector import (
    Delivered,
    Halted,
    Outcome,
    Rejected,
    Retry,
    Suppressed,
    Unknown,
    Use,
)
from bridge.testing.connectors import ConnectorConformance
from bridge.testing.vendor import Answer, Reply, Request, Silence
from connectors.email import Email, EmailSettings, Send, SendMarketing
from connectors.email.server import IDLE, MOST, Server
from tests.connectors.mail_vendor import MailVendor
from tests.connectors.webhook_receivers import certificate_for

SHIPPED = Path(__file__).parent.parent.parent / "config" / "emails"
DELIVERY = "0123456789abcdef01234567"
LOGIN = ("user-4711", "password-4711")
EVENT: Mapping[str, Any] = {
    "event": {
        "id": "e1",
        "type": "invoice.purchase",
        "source": "showpass",
        "time": "2027-06-01T10:00:00+00:00",
    },
    "contact": {"email": "ada@example.com", "name": "Ada"},
    "order": {"id": "T-1", "total": "1236.25", "currency": "CAD"},
    "tickets": [
        {
            "id": str(number),
            "type": "VIP",
            "event_id": "820045",
            "event_name": "Bow River, Folk; Night",
            "starts_on": "2027-07-03T01:30:00+00:00",
            "ends_on": "2027-07-03T05:00:00+00:00",
        }
        for number in (1, 2)
    ],
}


def settings(port: int, **more: Any) -> EmailSettings:
    given = {
        "host": "localhost",
        "port": port,
        "encryption": "none",
        "relay": True,
        "from": "tickets@example.com",
        "from_name": "Bow River",
        "time_zone": "America/Edmonton",
        "templates": SHIPPED,
        **more,
    }
    return EmailSettings.model_validate({k: v for k, v in given.items() if v is not None})


def item(event: Mapping[str, Any] = EVENT, **fields: Any) -> Send:
    given = {"to": "ada@example.com", "subject": "Your tickets", "text": "Hello", **fields}
    chosen = {name: value for name, value in given.items() if value is not None}
    return Send.model_validate(chosen).for_delivery(DELIVERY, event=event)


def marketing(**fields: Any) -> SendMarketing:
    given = {
        "to": "ada+x@example.com",
        "subject": "More nights",
        "text": "Come again",
        "unsubscribe": "https://example.com/leave?address={email}",
        **fields,
    }
    return SendMarketing.model_validate(given).for_delivery(DELIVERY, event=EVENT)


def send(server: MailVendor, one: Send | None = None, **more: Any) -> Outcome:
    [outcome] = Email(settings(server.port, **more)).send([one or item()])
    return outcome


@pytest.fixture
def server() -> Iterator[MailVendor]:
    with MailVendor() as running:
        yield running


class MailConformance(ConnectorConformance):
    connector = Email
    vendor_server = MailVendor
    unauthorised = Answer(535, "5.7.8 not you")
    throttled = Answer(421, "4.7.0 slow down")

    def settings(self, base_url: str, timeout: float) -> EmailSettings:
        return settings(int(base_url.rpartition(":")[2]), host="127.0.0.1", timeout=timeout)

    def refused_item(self, action: str) -> Mapping[str, Any]:
        return {**self.item(action), "subject": "refused"}

    def vendor(self, action: str, request: Request) -> Reply:
        refused = request.body.get("Subject") == "refused"
        return Answer(554, "5.7.1 spam") if refused else Answer(202)


class TestTextConformance(MailConformance):
    def item(self, action: str) -> Mapping[str, Any]:
        fields = {"to": "ada@example.com", "subject": "Tickets", "text": "Grüße", "tickets": True}
        leaving = {"unsubscribe": "https://example.com/leave?address={email}"}
        return {**fields, **(leaving if action == "send_marketing" else {})}


class TestTemplateConformance(MailConformance):
    def item(self, action: str) -> Mapping[str, Any]:
        fields = {
            "to": "ada@exämple.com",
            "subject": "Tickets \U0001f39f",
            "template": "receipt",
            "values": {"name": "Ada", "footer": "Calgary"},
            "reply_to": "help@example.com",
            "ics": True,
        }
        leaving = {"unsubscribe": "https://example.com/leave"}
        return {**fields, **(leaving if action == "send_marketing" else {})}


# What arrives


def test_a_message_has_what_mail_programs_and_people_expect(server: MailVendor) -> None:
    now = datetime(2027, 6, 1, 10, 0, tzinfo=UTC)
    connector = Email(settings(server.port), now=lambda: now)
    outcome = connector.send([item(text="Was ist los: größer.", reply_to="help@example.com")])
    assert outcome == [Delivered(f"<{DELIVERY}@example.com>")]
    (message,) = server.messages
    assert message["From"] == "Bow River <tickets@example.com>"
    assert message["To"] == "ada@example.com"
    assert message["Reply-To"] == "help@example.com"
    assert message["Subject"] == "Your tickets"
    assert message["Date"].datetime == now
    assert message["Message-ID"] == f"<{DELIVERY}@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] is None
    assert message.get_content().strip() == "Was ist los: größer."
    assert server.recipients == ["ada@example.com"]


def test_a_template_makes_text_html_and_a_calendar(server: MailVendor) -> None:
    one = item(text=None, template="receipt", tickets=True, ics=True, values={"name": "Ada"})
    assert isinstance(send(server, one), Delivered)
    (message,) = server.messages
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    for said in (text, html):
        assert "1,236.25 CAD" in said
        assert "2 July 2027, 19:30 MDT" in said
        assert "Thank you for your order, Ada!" in said
    assert "2 x VIP" in text
    assert '<h1 class="title" style="' in html, "mail programs ignore styles elsewhere"
    assert max(len(line) for line in server.raw[0].split(b"\r\n")) < 998


def test_a_text_lists_the_tickets_where_it_is_asked_to(server: MailVendor) -> None:
    send(server, item(tickets=True))
    assert server.messages[0].get_content().strip().splitlines() == [
        "Hello",
        "",
        "2 x VIP, Bow River, Folk; Night, 2 July 2027, 19:30 MDT",
    ]


def test_every_message_goes_to_one_person(server: MailVendor) -> None:
    one, two = item(), item(to="bob@example.com")
    Email(settings(server.port)).send([one, two])
    assert server.recipients == ["ada@example.com", "bob@example.com"]
    assert [message["To"] for message in server.messages] == server.recipients


def test_lines_of_dots_arrive_as_they_were(server: MailVendor) -> None:
    text = ".\n..\n.hidden\nQUIT\n.\nend"
    send(server, item(text=text))
    assert server.messages[0].get_content().split() == text.split()


def test_marketing_offers_to_leave_by_one_click(server: MailVendor) -> None:
    connector = Email(settings(server.port))
    long = "https://example.com/leave/" + "a" * 200 + "?address={email}"
    connector.send_marketing([marketing(unsubscribe=long)])
    (message,) = server.messages
    link = long.replace("{email}", "ada%2Bx%40example.com")
    assert f"List-Unsubscribe: <{link}>\r\n".encode() in server.raw[0]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"Unsubscribe: {link}" in message.get_content().replace("=\r\n", "")


def test_a_template_without_a_way_out_gets_one(server: MailVendor, tmp_path: Path) -> None:
    (tmp_path / "bare.html").write_text("<body><p>Hi</p></body>")
    (tmp_path / "bare.txt").write_text("Hi")
    own = settings(server.port, templates=tmp_path)
    link = "https://example.com/leave?a=1&b={email}"
    Email(own).send_marketing([marketing(text=None, template="bare", unsubscribe=link)])
    html = server.messages[0].get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert 'href="https://example.com/leave?a=1&amp;b=ada%2Bx%40example.com"' in html
    assert html.index("Unsubscribe") < html.index("</body>")


def test_only_marketing_asks_for_consent_and_none_is_sent_twice_unasked() -> None:
    actions = Email.actions()
    assert actions["send_marketing"].consent_for == "to"
    assert actions["send"].consent_for is None
    assert not any(each.idempotent for each in actions.values())
    with pytest.raises(ValidationError, match="unsubscribe"):
        SendMarketing.model_validate({"to": "a@example.com", "subject": "x", "text": "y"})


@pytest.mark.parametrize(
    "link",
    ["http://example.com/x", "mailto:a@example.com", "https://", "https://e.com/\r\nBcc:x", "x",
     "https://e.com/>", "https://e.com/{name}", "https://[", "https://e.com/" + "x" * 600],
)  # fmt: skip
def test_the_way_out_is_a_page(link: str) -> None:
    with pytest.raises(ValidationError, match="write the address of a page"):
        marketing(unsubscribe=link)


# Addresses beyond ASCII


def test_a_domain_in_letters_of_its_own_is_written_in_ascii(server: MailVendor) -> None:
    assert isinstance(send(server, item(to="ada@straße.example")), Delivered)
    assert server.recipients == ["ada@xn--strae-oqa.example"]
    assert server.messages[0]["To"] == "ada@xn--strae-oqa.example"


def test_a_name_beyond_ascii_needs_a_server_that_can(server: MailVendor) -> None:
    assert isinstance(send(server, item(to="zoë@example.com")), Delivered)
    assert server.recipients == ["zoë@example.com"]
    assert server.commands[1].split()[1:] == ["SMTPUTF8", "BODY=8BITMIME"]
    assert "To: zoë@example.com\r\n".encode() in server.raw[0]


def test_where_the_server_cannot_the_message_is_suppressed() -> None:
    with MailVendor(wide=False) as server:
        connector = Email(settings(server.port))
        outcomes = connector.send([item(to="zoë@example.com"), item()])
        assert isinstance(outcomes[0], Suppressed)
        assert isinstance(outcomes[1], Delivered)
        assert server.recipients == ["ada@example.com"]


# What the answers mean


@pytest.mark.parametrize(
    ("step", "said", "kind", "words"),
    [
        ("RCPT", "550 5.1.1 no such user", Suppressed, "no mailbox with this address (550 5.1.1)"),
        ("RCPT", "550 5.1.10 null MX", Suppressed, "no mailbox"),
        ("RCPT", "550 5.2.1 disabled", Suppressed, "no mailbox"),
        ("RCPT", "550 5.4.4 no route", Suppressed, "no mailbox"),
        ("RCPT", "550 no such user ada@example.com", Rejected, "refuses the recipient (550)"),
        ("RCPT", "554 5.7.1 relaying denied", Rejected, "refuses the recipient (554 5.7.1)"),
        ("RCPT", "450 4.7.1 greylisted", Retry, "cannot take it now (450 4.7.1)"),
        ("RCPT", "451 4.2.1 too quickly", Retry, "cannot take it now"),
        ("RCPT", "452 4.5.3 too many", Retry, "cannot take it now"),
        ("RCPT", "550 5.4.5 daily limit", Retry, "limit for the day"),
        ("MAIL", "451 4.3.0 later", Retry, "cannot take it now"),
        ("MAIL", "552 5.3.4 too big", Rejected, "no message of this size"),
        ("MAIL", "drop", Retry, "broke off before"),
        ("RCPT", "drop", Retry, "broke off before"),
        ("DATA", "452 4.3.1 disk full", Retry, "cannot take it now (452 4.3.1)"),
        ("DATA", "552 5.2.3 too large", Rejected, "refuses the message (552 5.2.3)"),
        ("DATA", "554 5.7.1 ada@example.com sends spam", Rejected, "may look like spam"),
        ("DATA", "599 odd", Rejected, "refuses the message (599)"),
        ("DATA", "<html>", Unknown, "in the mail server's place"),
    ],
    ids=str,
)
def test_what_a_server_says_of_one_message(step: str, said: str, kind: type, words: str) -> None:
    steps = {} if step == "DATA" else {step: said}
    reply = Answer(200, said) if step == "DATA" else Answer(202)
    with MailVendor(reply, steps=steps) as server:
        outcome = send(server)
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Delivered)
    assert words in outcome.reason
    assert "ada" not in outcome.reason


@pytest.mark.parametrize(
    ("step", "said", "after"),
    [
        ("MAIL", "421 4.7.0 try later", None),
        ("RCPT", "421 4.7.28 unusual rate", None),
        ("MAIL", "432 4.3.2 too many connections", None),
        ("MAIL", "454 4.7.0 throttling failure: maximum sending rate exceeded", None),
        ("MAIL", "550 5.4.5 daily user sending limit exceeded", 3600.0),
        ("RCPT", "452 4.4.5 out of quota", 3600.0),
    ],
    ids=str,
)
def test_a_rate_makes_the_whole_account_wait(step: str, said: str, after: float | None) -> None:
    with MailVendor(steps={step: said}) as server:
        outcome = send(server)
    assert isinstance(outcome, Retry)
    assert (outcome.after, outcome.whole_account) == (after, True)


@pytest.mark.parametrize(
    ("step", "said", "words"),
    [
        ("MAIL", "530 5.7.0 log in first", "wants another login"),
        ("MAIL", "535 5.7.8 expired", "wants another login"),
        ("RCPT", "530 5.7.1 must issue STARTTLS", "wants another login"),
        ("MAIL", "550 5.7.60 not permitted to send as this sender", "send as `from`"),
        ("MAIL", "553 5.7.1 sender address rejected", "send as `from`"),
    ],
    ids=str,
)
def test_what_is_wrong_with_the_account_halts_it(step: str, said: str, words: str) -> None:
    with MailVendor(steps={step: said}) as server, pytest.raises(Halted, match=words):
        send(server)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("250 why not", Retry),
        ("drop", Retry),
        ("<html>", Retry),
        ("451 4.3.0 later", Retry),
        ("554 5.5.1 no valid recipients", Rejected),
    ],
    ids=str,
)
def test_before_the_message_is_out_nothing_is_unknown(said: str, kind: type) -> None:
    with MailVendor(steps={"DATA": said}) as server:
        connector = Email(settings(server.port))
        assert isinstance(connector.send([item()])[0], kind)
        server.steps.clear()
        assert isinstance(connector.send([item()])[0], Delivered), "and the next one is sent"


def test_a_lost_answer_is_unknown_and_not_repeated(server: MailVendor) -> None:
    server.script(Silence.DROP)
    connector = Email(settings(server.port))
    [outcome] = connector.send([item()])
    assert isinstance(outcome, Unknown)
    assert len(server.messages) == 1
    assert isinstance(connector.find("send", item()), Unknown)


def test_a_server_that_is_away_or_unknown_makes_the_account_wait(server: MailVendor) -> None:
    with MailVendor() as gone:
        port = gone.port
    [away] = Email(settings(port)).send([item()])
    assert away == Retry("the mail server could not be reached", whole_account=True)
    [unknown] = Email(settings(25, host="mail.invalid")).send([item()])
    assert isinstance(unknown, Retry)
    assert "name cannot be found" in unknown.reason


# Logging in, and encryption


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    file, made = certificate_for("localhost", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return made


def logged_in(port: int, password: str = LOGIN[1], **more: Any) -> EmailSettings:
    known = {"user": LOGIN[0], "password": SecretStr(password), "relay": False}
    return settings(port, encryption=more.pop("encryption", "starttls"), **known, **more)


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
def test_a_password_travels_encrypted(context: ssl.SSLContext, encryption: str) -> None:
    at_once = encryption == "tls"
    with MailVendor(secure=context, login=LOGIN, tls_at_once=at_once) as server:
        own = logged_in(server.port, encryption=encryption)
        assert isinstance(Email(own).send([item()])[0], Delivered)
        assert server.encrypted == [True]


def test_a_wrong_password_halts_and_is_not_repeated_to_anybody(context: ssl.SSLContext) -> None:
    with MailVendor(secure=context, login=LOGIN) as server:
        with pytest.raises(Halted, match="refuses the user and password \\(535") as caught:
            Email(logged_in(server.port, "wrong-4711")).send([item()])
        assert "4711" not in str(caught.value)
        assert server.messages == []


def test_a_server_that_cannot_prove_its_name_gets_nothing(tmp_path: Path) -> None:
    _, untrusted = certificate_for("localhost", tmp_path)
    with MailVendor(secure=untrusted, login=LOGIN) as server:
        with pytest.raises(Halted, match="cannot prove its name"):
            Email(logged_in(server.port)).send([item()])
        assert server.messages == []


def test_a_certificate_for_another_name_gets_nothing(context: ssl.SSLContext) -> None:
    with (
        MailVendor(secure=context, login=LOGIN) as server,
        pytest.raises(Halted, match="cannot prove its name"),
    ):
        Email(logged_in(server.port, host="127.0.0.1")).send([item()])


def test_without_the_encryption_that_is_asked_for_nothing_is_sent() -> None:
    with MailVendor(login=LOGIN) as server:
        with pytest.raises(Halted, match="does not offer"):
            Email(logged_in(server.port)).send([item()])
        assert server.messages == []


def test_a_server_without_logins_is_said_so(context: ssl.SSLContext) -> None:
    with (
        MailVendor(secure=context, steps={"AUTH": "none"}) as server,
        pytest.raises(Halted, match="whether it takes a login at all"),
    ):
        Email(logged_in(server.port)).send([item()])


def test_tls_where_none_is_spoken_is_tried_again_later(server: MailVendor) -> None:
    [outcome] = Email(settings(server.port, encryption="tls", timeout=1.0)).send([item()])
    assert isinstance(outcome, Retry)
    assert outcome.whole_account


# One conversation for several messages


def test_messages_share_a_conversation(server: MailVendor) -> None:
    connector = Email(settings(server.port))
    for _ in range(3):
        assert isinstance(connector.send([item()])[0], Delivered)
    assert server.connections == 1
    assert server.commands.count("RSET") == 2


def test_a_refused_recipient_leaves_nothing_behind_for_the_next() -> None:
    with MailVendor(steps={"RCPT": "550 5.1.1 no"}) as server:
        connector = Email(settings(server.port))
        assert isinstance(connector.send([item(to="gone@example.com")])[0], Suppressed)
        server.steps.clear()
        assert isinstance(connector.send([item()])[0], Delivered)
        assert server.recipients == ["ada@example.com"]
        assert server.connections == 1


def test_a_conversation_that_has_ended_is_begun_anew(server: MailVendor) -> None:
    connector = Email(settings(server.port))
    connector.send([item()])
    server.steps["RSET"] = "drop"
    assert isinstance(connector.send([item()])[0], Delivered)
    assert server.connections == 2


def test_an_old_or_long_conversation_is_begun_anew(server: MailVendor) -> None:
    time = [0.0]
    office = Server(settings(server.port), clock=lambda: time[0])
    assert office.reached() is None
    time[0] += IDLE + 1
    assert office.reached() is None
    assert server.connections == 2
    connector = Email(settings(server.port))
    for _ in range(MOST + 1):
        connector.send([item()])
    assert server.connections == 4
    office.leave()


# Before anything is sent


def use(template: str) -> Use:
    return Use("a rule", "email.send", {"template": template})


def test_a_survey_logs_in_reads_the_templates_and_sends_nothing(
    context: ssl.SSLContext, tmp_path: Path
) -> None:
    (tmp_path / "broken.html").write_text("<p>\n{% if %}</p>")
    (tmp_path / "broken.txt").write_text("x")
    (tmp_path / "fine.html").write_text("<p>{{ values.x }}</p>")
    (tmp_path / "fine.txt").write_text("x")
    with MailVendor(secure=context, login=LOGIN) as server:
        connector = Email(logged_in(server.port, templates=tmp_path))
        found = connector.survey([use("fine"), use("broken"), use("missing"), use("{{ x }}")])
        assert [(each.what, each.state) for each in found] == [
            (f"the mail server localhost:{server.port}", "right"),
            ("the template `broken`", "wrong"),
            ("the template `fine`", "right"),
            ("the template `missing`", "wrong"),
        ]
        assert "broken.html, line 2" in found[1].advice
        assert "there is no missing.html" in found[3].advice
        [wrong] = Email(logged_in(server.port, "wrong")).survey([])
        assert wrong.state == "wrong"
        assert "refuses the user" in wrong.advice
        assert server.messages == []
    [away] = Email(settings(server_port_closed())).survey([])
    assert (away.state, away.advice) == ("wrong", "the mail server could not be reached")


def server_port_closed() -> int:
    with MailVendor() as gone:
        return gone.port
