"""What a message holds, whatever an event holds: heads, texts, templates, calendars."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import icalendar
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.connector import Rejected
from bridge.rules.date_filter import date_in
from bridge.rules.money_filter import money as rule_money
from connectors.email import Email, Send, SendMarketing, filters
from connectors.email.addresses import is_deliverable, on_the_wire
from connectors.email.calendar import MOST, calendar
from connectors.email.message import composed
from connectors.email.server import dotted
from connectors.email.templates import CannotWriteError, complaint, written
from connectors.email.text import LONGEST_LINE, LONGEST_VALUE, block, one_line
from connectors.email.tickets import MOST as MOST_TICKETS
from connectors.email.tickets import ticket_list
from tests.connectors.test_email import EVENT, item, marketing, settings

NOW = datetime(2027, 6, 1, 10, 0, tzinfo=UTC)
HEADS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]

ATTACKS = (
    "\r\nBcc: evil@example.com\r\n\r\nbody",
    "\nBcc: evil@example.com",
    "=?utf-8?q?=0D=0ABcc=3A_evil=40example=2Ecom?=",
    "=?utf-8?b?DQpCY2M6IGV2aWxAZXhhbXBsZS5jb20=?= x",
    "==??utf-8?q?=0ABcc:x?=",
    "\u2028Bcc: evil@example.com\u0085X: y\x0bZ: z",
    "\u202eevil\u2066",
    "\0\x1b[31m\ud800\ufeff",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)' style='x",
    "{{ 7 * 7 }}{% for x in y %}{# #}",
    "=HYPERLINK(1)",
    "</td></table></style><style>*{display:none}",
    "javascript:alert(1)",
    "x" * 100_000,
    "\U0001f39f" * 10_000,
    ".\r\n.\r\nQUIT\r\n",
)
HOSTILE = st.one_of(
    st.sampled_from(ATTACKS),
    st.text(),
    st.lists(st.sampled_from([*ATTACKS[:10], " ", "a", "é"]), max_size=6).map("".join),
)


def read(one: Send, **more: Any) -> EmailMessage:
    """The message as Python's own parser reads what goes out."""
    raw = composed(settings(25, **more), one, NOW).as_bytes()
    return message_from_bytes(raw, policy=policy.SMTP)


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


class Markup(HTMLParser):
    """The names of all elements, and every attribute."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))
        self.links += [str(value) for name, value in attrs if name in ("href", "src")]


# Heads


@examples(deadline=None, max_examples=50)
@given(HOSTILE)
def test_no_subject_makes_another_head(text: str) -> None:
    try:
        one = item(subject=text)
    except ValidationError:
        return
    raw = composed(settings(25), one, NOW).as_bytes()
    message = message_from_bytes(raw, policy=policy.default)
    assert [name for name in message if name not in ("MIME-Version",)][:6] == HEADS
    assert message["Bcc"] is None
    assert len(one.subject) <= LONGEST_LINE
    assert str(message["Subject"]).split() == one.subject.split()


@examples(deadline=None, max_examples=50)
@given(HOSTILE)
def test_no_name_of_the_sender_makes_another_head(text: str) -> None:
    try:
        own = settings(25, from_name=text)
    except ValidationError:
        return
    raw = composed(own, item(), NOW).as_bytes()
    message = message_from_bytes(raw, policy=policy.default)
    assert message["Bcc"] is None
    assert [each.addr_spec for each in message["From"].addresses] == ["tickets@example.com"]


@examples(deadline=None, max_examples=50)
@given(st.one_of(st.emails(), HOSTILE.map(lambda text: f"{text}@example.com"), HOSTILE))
def test_no_address_is_more_than_one_or_another(text: str) -> None:
    try:
        one = item(to=text, reply_to=text)
    except ValidationError:
        return
    message = read(one)
    for head in ("To", "Reply-To"):
        [found] = [each.addr_spec for each in message[head].addresses]
        assert found.encode(errors="surrogateescape").decode() == on_the_wire(one.to)
    assert message["Bcc"] is None
    assert not set(on_the_wire(one.to)) & set(' \r\n\0<>,;:"()[]\\')


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("ada@example.com", "ada@example.com"),
        ("o'neil+vip/50%@Example.COM", "o'neil+vip/50%@example.com"),
        ("zoë@exämple.org", "zoë@xn--exmple-cua.org"),
        ("ada@faß.de", "ada@xn--fa-hia.de"),
        ("ada@例え.jp", "ada@xn--r8jz45g.jp"),
    ],
)
def test_an_address_is_written_as_mail_servers_want_it(address: str, wire: str) -> None:
    assert is_deliverable(address)
    assert on_the_wire(address) == wire


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@[127.0.0.1]",
        "ada@127.0.0.1",
        "ada@0x7f.1",
        "a..b@example.com",
        ".a@example.com",
        "a.@example.com",
        '"a b"@example.com',
        "a(b)@example.com",
        "a@b@example.com",
        "ada@example..com",
        "ada@-example.com",
        "ada@exa_mple.com",
        "ada@example.com.",
        "ada@ex\u202eample.com",
        "a\u00a0b@example.com",
        "=?utf-8?q?x?=@example.com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".com",
        "a@" + "b." * 130 + "com",
        "a:b@example.com",
        "a\\b@example.com",
    ],
)
def test_what_only_some_mail_servers_would_understand_is_no_address(address: str) -> None:
    if address == "ada@example.com.":
        assert on_the_wire(address) == "ada@example.com"
        return
    assert not is_deliverable(address)


def test_an_event_without_an_address_that_works_is_suppressed_with_a_reason() -> None:
    with pytest.raises(ValidationError, match="not one that mail can be sent to"):
        item(to="a..b@example.com")
    with pytest.raises(ValidationError, match="no e-mail address"):
        item(to="")
    with pytest.raises(ValidationError, match="the message is empty"):
        item(text=" ")


@pytest.mark.parametrize("fields", [{"text": None}, {"template": "receipt"}])
def test_a_message_has_a_text_or_a_template(fields: Mapping[str, Any]) -> None:
    with pytest.raises(ValidationError, match="either `text` or `template`"):
        item(**fields)


@pytest.mark.parametrize("name", ["../bridge", "a/b", "A", "receipt.html", "", "x" * 65, "a\0"])
def test_a_template_is_a_name_and_no_path(name: str) -> None:
    with pytest.raises(ValidationError, match="a template's name"):
        item(text=None, template=name)


# Texts


@examples(deadline=None, max_examples=50)
@given(HOSTILE)
def test_a_text_arrives_as_it_is_without_what_cannot_be_seen(text: str) -> None:
    try:
        one = item(text=text)
    except ValidationError:
        return
    found = body(read(one), "plain").replace("\r\n", "\n")
    assert found.rstrip("\n") == block(text).rstrip("\n")
    assert len(found) <= LONGEST_VALUE + 1
    assert not re.search("[\0-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e]", found)


@given(st.text(), st.integers(10, 50))
def test_a_line_is_one_line_and_not_too_long(text: str, longest: int) -> None:
    line = one_line(text, longest)
    assert len(line) <= longest
    assert len(line.splitlines()) <= 1
    assert "=?" not in line
    assert one_line(line, longest) == line


@given(st.binary())
def test_what_stands_after_data_ends_where_it_should(message: bytes) -> None:
    sent = dotted(message)
    assert sent.endswith(b"\r\n.\r\n") or sent == b".\r\n"
    assert (b"\r\n" + sent).count(b"\r\n.\r\n") == 1, "nothing ends it before"
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", sent), "a lone CR or LF may end it elsewhere"


# Templates


RECEIPT: Mapping[str, Any] = {"text": None, "template": "receipt", "tickets": True, "ics": True}
PLAIN = dict.fromkeys(
    ("name", "greeting", "intro", "location", "button_text", "closing", "organizer", "footer"), "a"
)


@examples(deadline=None, max_examples=50)
@given(HOSTILE, HOSTILE)
def test_no_value_adds_markup_to_a_receipt(text: str, link: str) -> None:
    ticket = {"type": text or "a", "event_name": "a", "product": text}
    evil = {**EVENT, "order": {"id": text, "total": text, "currency": text}, "tickets": [ticket]}
    plain = {**evil, "order": {"id": "a" if block(text) else "", "total": "a", "currency": "a"}}
    plain["order"]["total"] = "a" if block(text) else ""
    plain["tickets"] = [{"type": "a", "event_name": "a", "product": "a"}]
    values = dict.fromkeys(PLAIN, text or "a")
    shown = {name: "a" if block(text or "a") else "" for name in PLAIN}
    hostile = read(item(evil, values={**values, "button_link": link, "color": text}, **RECEIPT))
    bland = read(item(plain, values={**shown, "button_link": link}, **RECEIPT))
    found, expected = Markup(body(hostile, "html")), Markup(body(bland, "html"))
    # A text of several lines has a `br` for each.
    assert [each for each in found.found if each[0] != "br"] == [
        each for each in expected.found if each[0] != "br"
    ]
    assert all(re.match(r"(https?|mailto):", each) for each in found.links)


@examples(deadline=None, max_examples=50)
@given(HOSTILE)
def test_a_receipt_evaluates_nothing_that_an_event_holds(text: str) -> None:
    message = read(item(values={"name": text, "intro": "{{ 7 * 7 }}"}, **RECEIPT))
    for kind in ("plain", "html"):
        assert "{{ 7 * 7 }}" in body(message, kind)


def test_a_receipt_of_an_event_without_an_order_is_still_one() -> None:
    message = read(item({}, **RECEIPT))
    assert "Thank you for your order!" in body(message, "html")
    assert "Total" not in body(message, "html")
    assert not list(message.iter_attachments())


def test_tickets_are_listed_only_where_the_rule_wants_them() -> None:
    for wanted in (True, False):
        message = read(item(subject="Receipt", **{**RECEIPT, "tickets": wanted}))
        for kind in ("plain", "html"):
            assert ("Your tickets" in body(message, kind)) is wanted


def render(folder: Path, source: str, known: Mapping[str, Any], suffix: str = "html") -> str:
    (folder / f"one.{suffix}").write_text(source)
    return written(folder, "UTC", f"one.{suffix}", known)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ values.items() }}",
        "{{ values.__init__.__globals__ }}",
        "{{ cycler }}{{ joiner }}{{ namespace }}{{ lipsum }}{{ range }}",
        "{{ self._TemplateReference__context }}",
        "{{ values['__class__'] }}",
        "{{ 'a'.upper }}",
        "{{ '%s' | attr('format') }}",
        "{{ 'x'.join(['a', 'b']) }}",
        "{{ [1, 2].append(3) }}",
        "{% include '/etc/passwd.html' %}",
        "{% include '../secret.html' %}",
        "{{ '<b>' | safe }}",
        "{% autoescape false %}{{ values.x }}{% endautoescape %}",
        "{% include 'plain.txt' %}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ 'x' * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{% for a in 'x' * 9 %}{% endfor %}",
    ],
)
def test_no_template_gets_out(tmp_path: Path, source: str) -> None:
    (tmp_path / "plain.txt").write_text("{{ values.x }}")
    (tmp_path.parent / "secret.html").write_text("secret-4711")
    try:
        found = render(tmp_path, source, {"values": {"x": "<b>"}})
    except CannotWriteError:
        return
    words = re.sub("<[^>]*>", "", found)
    assert words == "", "what cannot be reached is empty"
    assert "<b>" not in found


def test_a_template_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    loop = "{% for a in values.x %}" * 3 + "x" * 100 + "{% endfor %}" * 3
    with pytest.raises(CannotWriteError, match="longer than 500,000"):
        render(tmp_path, loop, {"values": {"x": ["a"] * 100}})


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ values.a + values.b }}", "12"),
        ("{{ values.n * 2 }}", "5.00"),
        ("{{ values.missing.deeper[3] or 'none' }}", "none"),
        ("{{ values.list }}|{{ values.list[-1] }}|{{ values.list[9] }}", "x, y|y|"),
        ("{% for a in values.list %}{{ values.list[loop.index0 - 1] }}{% endfor %}", "yx"),
        ("{{ values.list | map('upper') | join('+') }}", "X+Y"),
        ("{% for one in values.list %}{{ loop.index }}{{ one }}{% endfor %}", "1x2y"),
        ("{% macro twice(a) %}{{ a }}{{ a }}{% endmacro %}{{ twice(values.list[0]) }}", "xx"),
        ("{% if values.yes %}yes{% endif %}{{ values.yes }}", "yestrue"),
        ("{{ values.n | number > 2 }}", "true"),
        ("{{ values.angle }}", "<b> & 'c'"),
    ],
)
def test_templates_can_do_what_receipts_need(tmp_path: Path, source: str, text: str) -> None:
    values = {"a": "1", "b": "2", "n": "2.50", "list": ["x", "y"], "yes": True}
    known = {"values": {**values, "angle": "<b> & 'c'"}}
    assert render(tmp_path, source, known, "txt") == text


def test_a_template_may_be_built_on_another(tmp_path: Path) -> None:
    layout = "<body>{% block content %}none{% endblock %}</body>"
    (tmp_path / "layout.html").write_text(layout)
    page = "{% extends 'layout.html' %}{% block content %}<p>{{ values.x }}</p>{% endblock %}"
    assert "<p>&lt;b&gt;</p>" in render(tmp_path, page, {"values": {"x": "<b>"}})


def test_no_style_sheet_and_no_file_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "evil.css").write_text("p { color: red }")
    link = f"<link rel='stylesheet' href='file://{tmp_path}/evil.css'><p>x</p>"
    assert "red" not in render(tmp_path, link, {})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{% if %}", "one.html, line 1"),
        ("{{ x | nosuch }}", "one.html, line 1: No filter named 'nosuch'"),
        ("\n{% autoescape false %}{% endautoescape %}", "line 2: values are always escaped"),
        ("\n\n{{ values.x - 1 }}", "one.html, line 3, does something with a value"),
        ("{{ values }}", "does something with a value"),
        ("{% include 'gone.html' %}", "one.html uses `gone.html`, which is not there"),
        ("{{ 'x' | date('Nowhere/Land') }}{{ '2027-01-01' | date('Nowhere/Land') }}", "value"),
    ],
)
def test_a_mistake_in_a_template_is_told_with_its_place(
    tmp_path: Path, source: str, words: str
) -> None:
    with pytest.raises(CannotWriteError, match=re.escape(words)) as caught:
        render(tmp_path, source, {"values": {"x": "ada@example.com"}})
    assert "ada" not in str(caught.value)


def test_a_changed_template_is_read_anew(tmp_path: Path) -> None:
    assert render(tmp_path, "one", {}, "txt") == "one"
    (tmp_path / "one.txt").write_text("two")
    os.utime(tmp_path / "one.txt", (1, 1))
    assert written(tmp_path, "UTC", "one.txt", {}) == "two"


def test_what_cannot_be_written_is_rejected_and_previewed_as_nothing(tmp_path: Path) -> None:
    own = settings(25, templates=tmp_path)
    one = item(text=None, template="gone")
    [outcome] = Email(own).send([one])
    assert isinstance(outcome, Rejected)
    assert "there is no gone.txt" in outcome.reason
    assert Email.actions()["send"].preview(own, one) == []


def test_the_shipped_template_has_no_mistake() -> None:
    assert complaint(settings(25).templates, "UTC", "receipt") == ""
    assert complaint(settings(25).templates, "UTC", "gone") != ""


def test_marketing_never_lacks_its_way_out() -> None:
    one = marketing(text=None, template="receipt", unsubscribe="https://example.com/leave?{email}")
    message = read(one)
    for kind in ("plain", "html"):
        assert body(message, kind).count("https://example.com/leave?ada%2Bx%40example.com") == 1


@examples(deadline=None, max_examples=50)
@given(st.emails())
def test_the_way_out_names_the_address_and_nothing_else(address: str) -> None:
    try:
        one = marketing(to=address)
    except ValidationError:
        return
    assert isinstance(one, SendMarketing)
    assert re.fullmatch(r"https://example\.com/leave\?address=[A-Za-z0-9._~%-]+", str(one.leaving))


# Money and dates, as rules have them


@given(
    st.one_of(
        st.decimals(-(10**12), 10**12, allow_nan=False, places=3).map(str),
        st.sampled_from(["", "x", "1e5", "1,5", " 7 ", "-0", "٣", None]),
        st.integers(),
    ),
    st.sampled_from(["CAD", "JPY", "", None, "eur"]),
)
def test_money_reads_as_in_rules(amount: Any, currency: str | None) -> None:
    assert filters.money(amount, currency) == rule_money(amount, currency)


@given(
    st.one_of(
        st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
            datetime.isoformat
        ),
        st.sampled_from(["", "soon", "2027-13-01", "2027-07-03", "2027-07-03T01:30:00"]),
    ),
    st.sampled_from([(), ("%d.%m.%Y",), ("Europe/Berlin",), ("%H:%M", "America/Edmonton")]),
)
def test_dates_read_as_in_rules(when: str, wanted: tuple[str, ...]) -> None:
    assert filters.date("UTC", when, *wanted) == date_in("UTC")(when, *wanted)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("https://example.com/a?b=c", "https://example.com/a?b=c"),
        ("mailto:a@example.com", "mailto:a@example.com"),
        ("javascript:alert(1)", ""),
        ("JaVaScRiPt:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//example.com", ""),
        ("https://example.com/ x", ""),
        ('https://example.com/"x', ""),
        ("https://[", ""),
        (None, ""),
    ],
)
def test_a_link_leads_to_a_page_or_a_mailbox(value: Any, text: str) -> None:
    assert filters.link(value) == text


def test_numbers_are_exact() -> None:
    assert filters.number("236.25") == Decimal("236.25")
    assert filters.number(True) is None


# Tickets and calendars


def test_tickets_that_are_alike_are_one_line() -> None:
    tickets = [{"type": "VIP"}, {"type": "Standing"}, {"type": "VIP"}, "odd", {"product": "Bag"}]
    found = [
        (each["count"], each["type"] or each["product"])
        for each in ticket_list({"tickets": tickets})
    ]
    assert found == [(2, "VIP"), (1, "Standing"), (1, "Bag")]


def test_of_very_many_kinds_the_rest_is_counted() -> None:
    lines = ticket_list({"tickets": [{"type": str(number)} for number in range(MOST_TICKETS + 7)]})
    assert len(lines) == MOST_TICKETS + 1
    assert (lines[-1]["count"], lines[-1]["type"]) == (7, "more")


@pytest.mark.parametrize("tickets", [None, "x", {}, [1, None], [{}]])
def test_odd_tickets_do_no_harm(tickets: Any) -> None:
    assert len(ticket_list({"tickets": tickets})) <= 1
    assert calendar({"tickets": tickets}, "", "example.com") == ""


def test_a_calendar_has_an_entry_for_each_show_in_utc() -> None:
    text = calendar(EVENT, "Prince's Island; Calgary,\nCanada", "example.com")
    assert text.split("\r\n")[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert "METHOD:PUBLISH\r\n" in text
    assert "DTSTART:20270703T013000Z\r\n" in text
    assert "DTEND:20270703T050000Z\r\n" in text
    assert "DTSTAMP:20270601T100000Z\r\n" in text
    assert "SUMMARY:Bow River\\, Folk\\; Night\r\n" in text
    assert "LOCATION:Prince's Island\\; Calgary\\, Canada\r\n" in text
    assert text.count("BEGIN:VEVENT") == 1, "two tickets, one show"
    assert re.search(r"UID:[0-9a-f]{24}@example\.com\r\n", text)


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (None, ""),
        ("2027-07-03", ""),
        ("2027-07-02", ""),
        ("2027-07-05", "DTEND;VALUE=DATE:20270706"),
        ("2027-07-03T05:00:00+00:00", ""),
        ("9999-12-31", ""),
    ],
)
def test_a_show_on_a_day_without_a_time_is_there_all_day(ends: str | None, told: str) -> None:
    """An all-day entry: https://www.rfc-editor.org/rfc/rfc5545#section-3.6.1

    As a time it began on the evening before in America:
    https://github.com/ics-py/ics-py/pull/74
    """
    ticket = {"event_name": "Fair", "starts_on": "2027-07-03", "ends_on": ends}
    text = calendar({"tickets": [ticket]}, "", "example.com")
    assert "DTSTART;VALUE=DATE:20270703\r\n" in text
    assert [line for line in text.split("\r\n") if line.startswith("DTEND")] == [told] * bool(told)
    [entry] = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert entry.decoded("DTSTART") == date(2027, 7, 3)


def test_a_show_at_a_time_does_not_end_on_a_day() -> None:
    ticket = {"starts_on": "2027-07-03T01:30:00", "ends_on": "2027-07-04"}
    text = calendar({"tickets": [ticket]}, "", "example.com")
    assert "DTSTART:20270703T013000Z\r\n" in text
    assert "DTEND" not in text


def test_shows_on_days_and_at_times_stand_in_their_order() -> None:
    starts = ["2027-07-05", "2027-07-04T01:30:00+00:00", "2027-07-03"]
    text = calendar(
        {"tickets": [{"event_id": n, "starts_on": one} for n, one in enumerate(starts)]},
        "",
        "example.com",
    )
    assert re.findall(r"DTSTART\S*:(\S+)", text) == ["20270703", "20270704T013000Z", "20270705"]


def test_the_same_show_has_the_same_name_in_every_order() -> None:
    other = {**EVENT, "tickets": EVENT["tickets"][:1], "event": {"id": "e2"}}
    names = {
        re.findall(r"UID:(\S+)", calendar(each, "", "example.com"))[0] for each in (EVENT, other)
    }
    assert len(names) == 1


@examples(deadline=None, max_examples=50)
@given(HOSTILE, HOSTILE)
def test_no_name_breaks_out_of_a_calendar(name: str, location: str) -> None:
    ticket = {"event_name": name, "starts_on": "2027-07-03T01:30:00", "ends_on": "2020-01-01"}
    text = calendar({"tickets": [ticket]}, location, "example.com")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert not re.search(r"\r(?!\n)|(?<!\r)\n", text)
    [entry] = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert set(entry) <= {"UID", "DTSTAMP", "DTSTART", "SUMMARY", "LOCATION"}
    assert str(entry["SUMMARY"]) == (one_line(name) or "Event")


def test_of_very_many_shows_the_first_are_taken() -> None:
    tickets = [{"event_id": n, "starts_on": f"2027-07-{n + 1:02}T00:00:00"} for n in range(30)]
    assert calendar({"tickets": tickets}, "", "example.com").count("BEGIN:VEVENT") == MOST


def test_a_calendar_is_attached_as_one(tmp_path: Path) -> None:
    message = read(item(ics=True, values={"location": "Calgary"}))
    [file] = list(message.iter_attachments())
    assert file.get_content_type() == "text/calendar"
    assert file.get_filename() == "event.ics"
    assert file.get_param("method") == "PUBLISH"
    assert "LOCATION:Calgary" in file.get_content()


def test_a_template_is_a_file_of_its_folder(tmp_path: Path) -> None:
    """A link could send any file to a person, and a pipe would keep the worker for ever."""
    folder = tmp_path / "emails"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("the secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(folder / "pipe.txt")
    (folder / "long.txt").write_text("x" * 600_000)
    (folder / "kept.txt").write_text("kept")
    (folder / "inner.txt").symlink_to("kept.txt")
    assert written(folder, "UTC", "inner.txt", {}) == "kept"
    for name in ("link.txt", "pipe.txt", "long.txt"):
        with pytest.raises(CannotWriteError) as refused:
            written(folder, "UTC", name, {})
        assert "the secret" not in str(refused.value)
