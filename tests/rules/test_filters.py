from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import rules
from bridge.errors import ConfigurationError
from bridge.rules.filter_reference import EXAMPLE_FACTS, FILTER_REFERENCE, FilterReference
from bridge.rules.filters import FILTERS
from bridge.rules.money_filter import money
from bridge.rules.name_filter import tidy_name
from bridge.rules.phone_filter import phone
from bridge.rules.templates import compile_text, render
from bridge.rules.work import noting

Saying = Callable[[str], rules.Step]


def said(text: str, zone: str = "UTC", **facts: Any) -> str:
    return render(compile_text(text, None, zone), facts)


@pytest.mark.parametrize("one", FILTER_REFERENCE, ids=lambda one: one.name)
def test_every_example_of_the_reference_gives_what_it_says(one: FilterReference) -> None:
    assert f"| {one.name}" in one.example or f"'{one.name}'" in one.example
    assert said(one.example, **EXAMPLE_FACTS) == one.gives


def test_the_reference_knows_every_filter_once() -> None:
    assert sorted(one.name for one in FILTER_REFERENCE) == sorted(FILTERS)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("-20", "CAD", "-20.00 CAD"),
        ("-0.001", "CAD", "0.00 CAD"),
        ("0.125", "CAD", "0.13 CAD"),
        ("-0.125", "CAD", "-0.13 CAD"),
        ("1234.5", "jpy", "1,235 JPY"),
        ("1234.5", "KWD", "1,234.500 KWD"),
        ("1234.5", "CLF", "1,234.5000 CLF"),
        ("1234.5", None, "1,234.50"),
        ("1234.5", " ", "1,234.50"),
        ("1234.5", "points", "1,234.50 points"),
        ("1234.5", {"a": 1}, "1,234.50"),
        (
            "123456789012345678901234567890.5",
            "CAD",
            "123,456,789,012,345,678,901,234,567,890.50 CAD",
        ),
        (Decimal("1e90"), "CAD", ""),
        ("free", "CAD", ""),
        (True, "CAD", ""),
        (None, "CAD", ""),
    ],
)
def test_money_is_said_exactly(amount: Any, currency: Any, expected: str | None) -> None:
    big = "12,345,678,901,234,567,890,123,456,789,012.50 CAD"
    value = (
        Decimal(amount)
        if isinstance(amount, str) and "e" in amount and amount[0] in "1"
        else amount
    )
    assert money(value, currency) == (big if expected is None else expected)


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.floats() | st.integers(), st.text())
def test_money_is_never_an_error(amount: Any, currency: str) -> None:
    assert len(money(amount, currency)) < 100 + len(currency) * 3


@pytest.mark.parametrize(
    ("number", "region", "expected"),
    [
        ("(403) 266-1234", "CA", "+14032661234"),
        (" 403.266.1234 ", "ca", "+14032661234"),
        ("+44 020 7946 0018", "CA", "+442079460018"),
        ("+44 20 7946 0018", None, "+442079460018"),
        ("403-266-1234 ext. 5", "CA", "+14032661234"),
        (4032661234, "CA", "+14032661234"),
        ("(403) 266-1234", None, None),
        ("(403) 266-1234", "XX", None),
        ("266-1234", "CA", None),
        ("123", "CA", None),
        ("call me", "CA", None),
        ("", "CA", None),
        (None, "CA", None),
        (True, "CA", None),
        ({"a": 1}, "CA", None),
        ("+1" * 5_000, "CA", None),
    ],
)
def test_a_telephone_number_is_one_for_machines_or_nothing(
    number: Any, region: str | None, expected: str | None
) -> None:
    made = phone(number, region)
    assert made == expected if expected else not made


@given(st.text(max_size=80), st.text(max_size=4) | st.none() | st.just("CA"))
def test_whatever_a_number_is_it_is_no_error(number: str, region: str | None) -> None:
    made = phone(number, region)
    assert not made or (made[0] == "+" and made[1:].isdecimal())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ a | phone('CA') or 'none' }}", "none"),
        ("{{ a | phone('CA') | default('none') }}", "none"),
        ("{{ a | phone('CA') | upper }}.", "."),
        ("{{ a | name | upper }}.", "."),
        ("{{ a | name or 'Someone' }}", "Someone"),
        ("{{ 'No Name' | name | default('Someone') }}", "Someone"),
        ("{{ 'No Name' | name('Someone') }}", "Someone"),
        ("{{ (a | name) is defined }}", "false"),
    ],
)
def test_what_is_nothing_can_be_replaced(text: str, expected: str) -> None:
    assert said(text, a="?") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("  Priya \t Raman\n", "Priya Raman"),
        ("PRIYA RAMAN", "Priya Raman"),
        ("priya raman", "Priya Raman"),
        ("Ronald McDonald", "Ronald McDonald"),
        ("RONALD MCDONALD", "Ronald McDonald"),
        ("Vincent van Gogh", "Vincent van Gogh"),
        ("Leonardo DiCaprio", "Leonardo DiCaprio"),
        ("SINÉAD O'BRIEN-ÓG", "Sinéad O'Brien-Óg"),
        ("d’angelo", "D’Angelo"),
        ("ST. JOHN'S", "St. John's"),
        ("HENRY PELHAM III", "Henry Pelham III"),
        ("JD", "JD"),
        ("li wei", "Li Wei"),
        ("J.R.", "J.R."),
        ("李伟", "李伟"),
        ("ИВАН", "Иван"),
        ("No Name", None),
        ("no  name", None),
        ("NO NAME", None),
        ("No Names", "No Names"),
        ("", None),
        (" ", None),
        ("-", None),
        ("12", None),
        (None, None),
        (7, None),
    ],
)
def test_a_name_is_tidied_or_nobody(name: Any, expected: str | None) -> None:
    made = tidy_name(name)
    assert made == expected if expected else not made


@given(st.text(st.characters(codec="latin-1"), max_size=40))
def test_a_name_tidied_twice_is_tidied_once(name: str) -> None:
    once = tidy_name(name, "Someone")
    assert tidy_name(once, "Someone") == once


@given(st.text(max_size=40).filter(lambda text: not text.isupper() and not text.islower()))
def test_capitals_that_somebody_chose_stay(name: str) -> None:
    assert tidy_name(name, " ".join(name.split())) == " ".join(name.split()) or "no" in name.lower()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ [] | plural('ticket', 'tickets') }}", "0 tickets"),
        ("{{ [1] | plural('ticket', 'tickets') }}", "1 ticket"),
        ("{{ [1, 2] | length | plural('ticket', 'tickets') }}", "2 tickets"),
        ("{{ '1.0' | plural('hour', 'hours') }}", "1 hour"),
        ("{{ 1.5 | plural('hour', 'hours') }}", "1.5 hours"),
        ("{{ 12000 | plural('ticket', 'tickets') }}", "12,000 tickets"),
        ("{{ a | plural('ticket', 'tickets') }}.", "."),
        ("{{ 'many' | plural('ticket', 'tickets') }}.", "."),
        ("{{ [] | join_and }}.", "."),
        ("{{ ['a'] | join_and }}", "a"),
        ("{{ ['a', none, '', 'b'] | join_and }}", "a and b"),
        ("{{ ['a', 'b', 'c'] | join_and('or') }}", "a, b or c"),
        ("{{ 0 | default('x') }} {{ 0 or 'x' }} {{ 0 | default('x', true) }}", "0 x x"),
        ("{{ 'Gift: ' ~ true ~ ' ' ~ 1000.0 }}", "Gift: true 1000.0"),
        ("{{ [true, none] | upper }}", "TRUE"),
        ("{{ ['a', 'b'] | map('upper') | length }}", "2"),
        ("{{ none | replace('o', 'x') }}.", "."),
    ],
)
def test_texts_come_out_as_people_read_them(text: str, expected: str) -> None:
    assert said(text) == expected


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("{{ at | date }}", "UTC", "3 July 2027, 01:30 UTC"),
        ("{{ at | date }}", "America/Edmonton", "2 July 2027, 19:30 MDT"),
        ("{{ at | date('%H:%M') }}", "America/Edmonton", "19:30"),
        ("{{ at | date('Europe/Berlin') }}", "America/Edmonton", "3 July 2027, 03:30 CEST"),
        ("{{ [at] | map('date') }}", "America/Edmonton", "2 July 2027, 19:30 MDT"),
        ("{{ '2027-07-03' | date }}", "America/Edmonton", "3 July 2027"),
        ("{{ '2027-07-03' | date('%d.%m.%Y', 'Asia/Tokyo') }}", "America/Edmonton", "03.07.2027"),
    ],
)
def test_a_date_is_said_in_the_time_zone_of_the_rules(text: str, zone: str, expected: str) -> None:
    assert said(text, zone, at="2027-07-03T01:30:00Z") == expected


def test_there_is_no_time_zone_that_is_not_one() -> None:
    with pytest.raises(ValueError, match="no such time zone; did you mean `America/Edmonton`"):
        compile_text("{{ a }}", None, "America/Edmonten")


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{{ contact.phone | phone('UK') }}", "there is no such country; did you mean `GB`?"),
        ("{{ contact.phone | phone('Canada') }}", "there is no such country; did you mean `CA`?"),
        ("{{ contact.phone | phone('C') }}", "there is no such country; did you mean `"),
        (
            "{{ contact.phone | phone('???') }}",
            "write the two letters of a country, such as CA, US or GB",
        ),
        (
            "{{ tickets | plural('ticket') }}",
            "`plural` wants plural(one, many); write it like {{ tickets | plural('ticket', 't",
        ),
        ("{{ contact.name | upper(1) }}", "`upper` wants nothing in brackets; write it like"),
        ("{{ order.total | money('CAD', 2) }}", "`money` wants money([currency]); write"),
        ("{{ order.total | round(ndigits=2) }}", "`round` wants round([places]); write it like"),
        (
            "{{ contact.name or ‘Someone’ }}",
            "‘ is a quote of a word processor; write ' or \" there",
        ),
        ("{{ contact.phone | date('Europe/Berlim') }}", "did you mean `Europe/Berlin`?"),
    ],
)
def test_a_filter_used_wrongly_is_a_mistake_before_any_event(
    saying: Saying, text: str, mistake: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        saying(text)
    assert mistake in str(raised.value)


@pytest.mark.parametrize(
    "text", ["{{ a | upper }}", "{{ 'x' ~ a }}", "{{ a | replace('x', 'y') }}"]
)
def test_no_group_is_shown_as_python_writes_it(text: str) -> None:
    with noting() as notes:
        assert said(text, a=[{"type": "VIP"}]) in ("", "x")
    assert list(notes.told) == ["it inserts a whole group; name one of its parts"]
