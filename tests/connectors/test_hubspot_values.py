"""Values as HubSpot's properties take them, and what is said of those that do not fit."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connector import Rejected
from bridge.testing.probes import HOSTILE
from connectors.hubspot.definitions import Option, Property
from connectors.hubspot.values import LONGEST, figures, fitting, number

TIERS = (Option("Silver", "tier_1"), Option("Bronze", "tier_2"))
TIER = Property("vip_tier", "VIP tier", "enumeration", "select", TIERS)
BOXES = Property("interests", "Interests", "enumeration", "checkbox", TIERS)
NEWS = Property("news", type="bool", field_type="booleancheckbox")
YES = Property(
    "agreed",
    type="enumeration",
    field_type="booleancheckbox",
    options=(Option("Agreed", "true"), Option("Not agreed", "false")),
)
VISITS = Property("visits", type="number", field_type="number")
DAY = Property("first_visit", type="date", field_type="date")
MOMENT = Property("doors", type="datetime", field_type="date")
OWNER = Property("hubspot_owner_id", type="enumeration", field_type="select")
PHONE = Property("phone", type="string", field_type="phonenumber")
SET_BY_HUBSPOT = Property("createdate", type="datetime", read_only=True)
ALL = (TIER, BOXES, NEWS, YES, VISITS, DAY, MOMENT, OWNER, PHONE, SET_BY_HUBSPOT)


@pytest.mark.parametrize(
    ("about", "text", "taken"),
    [
        (TIER, "tier_1", "tier_1"),
        (TIER, "SILVER ", "tier_1"),
        (TIER, "Tier_2", "tier_2"),
        (BOXES, "silver; Bronze;silver;", "tier_1;tier_2"),
        (NEWS, "Yes", "true"),
        (NEWS, "1", "true"),
        (NEWS, "off", "false"),
        (YES, "yes", "true"),
        (YES, "not agreed", "false"),
        (VISITS, " 12 ", "12"),
        (VISITS, "-0.50", "-0.5"),
        (VISITS, "1,234.50", "1234.5"),
        (VISITS, "1.234,50", "1234.5"),
        (VISITS, "1 234 567", "1234567"),
        (VISITS, "1'234.5", "1234.5"),
        (VISITS, "12,5", "12.5"),
        (VISITS, "007", "7"),
        (DAY, "2026-03-31", "2026-03-31"),
        (DAY, "20260331", "2026-03-31"),
        (DAY, "2026-03-31 23:30:00-04:00", "2026-03-31"),
        (DAY, "1774915200000", "2026-03-31"),
        (MOMENT, "2026-03-31T20:00:00+02:00", "2026-03-31T18:00:00.000Z"),
        (MOMENT, "2026-03-31 20:00", "2026-03-31T20:00:00.000Z"),
        (MOMENT, "2026-03-31", "2026-03-31T00:00:00.000Z"),
        (MOMENT, "1774915200123", "2026-03-31T00:00:00.123Z"),
        (OWNER, "12345", "12345"),
        (PHONE, " 001 555-0100", " 001 555-0100"),
        (PHONE, "x" * LONGEST, "x" * LONGEST),
        (PHONE, "x" * (LONGEST + 1), "x" * (LONGEST - 1) + "…"),
    ],
)
def test_a_value_takes_the_form_of_its_property(about: Property, text: str, taken: str) -> None:
    assert fitting(about, text) == taken


@pytest.mark.parametrize(
    ("about", "text", "reason"),
    [
        (TIER, "Gold", "`vip_tier` has no option “Gold”; it has Silver, Bronze"),
        (BOXES, "Silver;Gold", "`interests` has no option “Gold”; it has Silver, Bronze"),
        (TIER, "ada@example.com", "`vip_tier` has no option like the one given; it has Silver"),
        (TIER, "Gold " * 20, "has no option like the one given"),
        (NEWS, "perhaps", "`news` takes yes or no, true or false"),
        (VISITS, "1,234", "`visits` takes a number, such as 1234.50"),
        (VISITS, "1.234.56", "`visits` takes a number"),
        (VISITS, "twelve", "`visits` takes a number"),
        (VISITS, "1e5", "`visits` takes a number"),
        (VISITS, "CAD 12", "`visits` takes a number"),
        (DAY, "31.03.2026", "`first_visit` takes a date, such as 2026-03-31"),
        (DAY, "2026-02-30", "`first_visit` takes a date"),
        (DAY, "1774915200", "`first_visit` takes a date"),
        (MOMENT, "tomorrow", "`doors` takes a date and time"),
        (MOMENT, "0001-01-01T00:00:00+14:00", "`doors` takes no date so far away"),
        (SET_BY_HUBSPOT, "2026-03-31", "HubSpot sets the property `createdate` by itself"),
    ],
)
def test_a_value_that_does_not_fit_is_named(about: Property, text: str, reason: str) -> None:
    refused = fitting(about, text)
    assert isinstance(refused, Rejected)
    assert reason in refused.reason


def test_of_many_options_the_first_are_listed() -> None:
    options = tuple(Option(f"Option {number}", str(number)) for number in range(30))
    refused = fitting(
        Property("city", type="enumeration", field_type="select", options=options), "X"
    )
    assert isinstance(refused, Rejected)
    assert refused.reason.endswith("Option 9 and 20 more")


@pytest.mark.parametrize("about", ALL, ids=lambda about: about.name)
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_texts_fit_or_are_refused_and_are_never_quoted(
    about: Property, number: int
) -> None:
    text = HOSTILE[number]
    found = fitting(about, text)
    if isinstance(found, Rejected):
        assert text not in found.reason
        assert len(found.reason) < 200


@given(st.sampled_from(ALL), st.text(max_size=60))
def test_whatever_is_given_comes_out_as_the_property_takes_it(about: Property, text: str) -> None:
    found = fitting(about, text)
    if isinstance(found, Rejected):
        return
    match about.type:
        case "number":
            assert re.fullmatch(r"-?\d+(\.\d*[1-9])?", found)
        case "bool":
            assert found in ("true", "false")
        case "date":
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", found)
        case "datetime":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found)
        case "enumeration" if about.options:
            assert set(found.split(";")) <= {option.value for option in about.options} | {""}


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_moment_fits_as_iso_and_as_milliseconds(moment: datetime) -> None:
    found = fitting(MOMENT, moment.isoformat())
    assert isinstance(found, str)
    told = datetime.fromisoformat(found)
    assert abs(told - moment).total_seconds() < 0.001
    assert fitting(DAY, moment.isoformat()) == moment.date().isoformat()


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9)))
def test_a_number_written_as_hubspot_keeps_it_reads_as_itself(value: Decimal) -> None:
    assert number(figures(value)) == value


@given(st.integers(1_000_000, 10**12), st.integers(0, 99))
def test_separators_that_can_mean_one_thing_only_are_read(whole: int, cents: int) -> None:
    english, value = f"{whole:,}.{cents:02}", Decimal(f"{whole}.{cents:02}")
    german = english.translate(str.maketrans(",.", ".,"))
    assert number(english) == number(german) == number(english.replace(",", " ")) == value
