"""Telephone numbers by country, as people type them.

Reported elsewhere: Canadian numbers taken for American ones
(https://github.com/jackocnr/intl-tel-input/issues/143), a Toronto number without + taken for
one of New Zealand (https://github.com/daddyz/phonelib/issues/119), toll-free numbers taken for
American ones (https://github.com/google/libphonenumber/issues/586), and a country without a
plus sign guessed (https://github.com/AfterShip/phone/issues/198).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bridge import rules
from bridge.errors import ConfigurationError
from bridge.event import Event
from bridge.rules.countries import country_named, country_of

RULE = """\
%s
rules:
- name: A rule
  when: {source: shop, event: order.paid, where: {contact.phone: {country: %s}}}
  do: [{chat.post_message: {channel: here, text: hello}}]
"""


@pytest.mark.parametrize(
    ("number", "alone", "at_home"),
    [
        ("+1 204-774-4023", "CA", "CA"),
        ("+1 (647) 555-0142", "CA", "CA"),
        ("+1 212 555 0142", "US", "US"),
        ("+1 876 555 1234", "JM", "JM"),
        ("+1 800 555 1234", None, None),
        ("+1 900 555 1234", None, None),
        ("6471234567", None, None),
        ("647 223 4567", None, "CA"),
        ("1 (647) 223-4567", None, "CA"),
        ("12045552348", None, "CA"),
        ("212 555 0142", None, "US"),
        ("tel: +44 20 7946 0958 ext. 3", "GB", "GB"),
        ("+800 1234 5678", None, None),
        ("call me", None, None),
        ("", None, None),
    ],
)
def test_a_number_has_the_country_that_it_says(
    number: str, alone: str | None, at_home: str | None
) -> None:
    assert (country_of(number), country_of(number, "CA")) == (alone, at_home)


@pytest.mark.parametrize(
    ("written", "code"),
    [("ca", "CA"), (" Canada ", "CA"), ("Kanada", "CA"), ("UK", "GB"), ("Allemagne", "DE")],
)
def test_countries_have_letters_and_names(written: str, code: str) -> None:
    assert country_named(written) == code


@pytest.mark.parametrize(
    ("home", "country", "number", "why"),
    [
        ("", "CA", "+1 403 555 0142", ""),
        ("", "[US, Canada]", "+1 403 555 0142", ""),
        ("", "US", "+1 403 555 0142", "contact.phone is a number of CA, not of US"),
        ("country: Canada", "CA", "403 555 0142", ""),
        ("country: Canada", "US", "403 555 0142", "contact.phone is a number of CA, not of US"),
        (
            "",
            "CA",
            "403 555 0142",
            (
                "the country of contact.phone is not known (it has no +, and no file says "
                "`country`), so nothing says that it is a number of CA"
            ),
        ),
        (
            "",
            "CA",
            None,
            "contact.phone is not known, so nothing says that it is a number of CA",
        ),
    ],
)
def test_the_country_of_a_number_can_be_asked(
    compiled: Callable[[str], rules.RuleSet],
    order: Event,
    home: str,
    country: str,
    number: str | None,
    why: str,
) -> None:
    event = replace(order, contact=replace(order.contact, phone=number))
    [verdict] = rules.judge(compiled(RULE % (home, country)), event)
    assert (verdict.matched, verdict.why_not) == (not why, why)


def test_there_is_one_country_for_all_files(world: rules.World) -> None:
    files = {
        "rules.yaml": RULE % ("country: Canada", "CA"),
        "rules/b.yaml": (RULE % ("country: CA", "CA")).replace("A rule", "B"),
    }
    assert len(rules.compile_files(files, world).rules) == 2
    files["rules/b.yaml"] = files["rules/b.yaml"].replace("country: CA\n", "country: US\n")
    with pytest.raises(ConfigurationError, match="one `country` for all files"):
        rules.compile_files(files, world)
