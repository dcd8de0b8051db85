"""Whatever an event holds, no filter, test or operator of a text raises: unknown is shown as none.

Other programs stop the whole automation where a sensor has no value yet:
https://github.com/Limych/ha-average/issues/4,
https://github.com/home-assistant/home-assistant.io/issues/30992
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.rules.filters import FILTERS, TESTS
from bridge.rules.templates import Text, compile_text, render
from bridge.rules.work import noting

ODD: list[Any] = [
    *(None, "", " ", "free", "NaN", "Infinity", "-inf", "1e999999999", "1,234", "9" * 500),
    *(True, False, 0, -1, 10**40, 1e300, -0.0, Decimal("1E+40"), Decimal("-0.00")),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "2027-15-30", "2027-07-02", "\0\u202e"),
    *(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), date.min, date.max),
    *([], {}, [None], [[1], ["x"]], {"a": {"b": None}}, [{"type": None}, {"type": 5}, "x", 7]),
    *([1, "1", None, Decimal(2), date.min], ["b", 1, {"x": 1}]),
]
odd_values = st.recursive(
    st.sampled_from(ODD)
    | st.none()
    | st.booleans()
    | st.integers(-(10**45), 10**45)
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.decimals(allow_nan=True)
    | st.datetimes(timezones=st.timezones())
    | st.dates()
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)

# What each filter is given besides the value, as rules write it.
ARGUMENTS = {
    "map": ("attribute='type'", "'upper'", "'date'", "'money', 'CAD'"),
    "select": ("'gt', 5", "'lt', a", "'in', a", "'odd'", ""),
    "reject": ("'le', 5", "'defined'", ""),
    "selectattr": ("'type', 'ge', 5", "'type'", "'starts_on', 'lt', a"),
    "rejectattr": ("'type', 'eq', a", "'type'"),
    "sort": ("", "attribute='type'", "attribute='type,a', reverse=true"),
    "unique": ("", "attribute='type'"),
    "min": ("", "attribute='type'"),
    "max": ("", "attribute='type'"),
    "plural": ("'ticket', 'tickets'", "a, a"),
    "replace": ("'x', 'y'", "a, a"),
    "date": ("", "'%d.%m.%Y'", "'Australia/Sydney'", "a", "a, a"),
    "round": ("", "2", "a"),
    "truncate": ("", "5", "a"),
    "default": ("'x'", "a, true"),
    "phone": ("", "'CA'", "a"),
    "money": ("", "'CAD'", "a"),
    "join": ("', '", "a, attribute='type'", "attribute=a"),
    "sum": ("", "attribute='type'", "attribute=a"),
}
SOURCES = [
    f"{{{{ a | {name}({given}) }}}}" if given else f"{{{{ a | {name} }}}}"
    for name in sorted(FILTERS)
    for given in ARGUMENTS.get(name, ("",))
]
SOURCES += [
    f"{{{{ 'y' if {left} is {name}{given} else 'n' }}}}"
    for name in sorted(TESTS)
    if name.isalpha()
    for left in ("a", "none")
    for given in ((" b",) if name in ("eq", "ne", "lt", "le", "gt", "ge", "in") else ())
]
SOURCES += [f"{{{{ a {sign} b }}}}" for sign in ("+", "-", "*", "/", "//", "%", "**", "~")]
SOURCES += [f"{{{{ a {sign} b }}}}" for sign in ("<", "<=", ">", ">=", "==", "!=", "in", "not in")]
SOURCES += [
    *("{{ -a }}", "{{ +a }}", "{{ a[0] }}", "{{ a[1:] }}", "{{ a.type.x }}", "{{ 1 < a < b }}"),
    "{% for x in a %}{{ x }}{{ x.type }}{% endfor %}",
    "{% if a %}{{ a }}{% elif not b %}{{ b }}{% endif %}",
    "{{ (a - b) | money('CAD') }}{{ (a or b) | date }}",
]


@cache
def text(source: str) -> Text:
    """Compiled once for all values."""
    return compile_text(source, None, "America/Edmonton")


def said(source: str, **values: Any) -> str:
    return render(text(source), values)


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_in_an_event_makes_a_text_raise(source: str) -> None:
    for one in ODD:
        for other in (None, one, 5, "x"):
            said(source, a=one, b=other)


@settings(max_examples=25, deadline=None)
@given(odd_values, odd_values)
def test_no_value_makes_a_text_raise(one: Any, other: Any) -> None:
    for source in SOURCES:
        said(source, a=one, b=other)


@pytest.mark.parametrize(
    ("source", "shown", "told"),
    [
        ("net {{ total - tax }}", "net ", "`tax`, which is not known"),
        ("net {{ (total - tax) | money('CAD') }}", "net ", "`tax`, which is not known"),
        ("net {{ (total - tax) | default('not known') }}", "net not known", "`tax`"),
        ("{{ total - free }}", "", "no number in this event"),
        ("{{ total / zero }}", "", "a share of 0"),
        ("{{ total ** total ** total }}", "", "too large"),
        ("{{ -tax }}", "", "`tax`, which is not known"),
        ("{{ group }}", "", "a whole group"),
        ("{% for x in total %}{{ x }}{% endfor %}", "", "no list in this event"),
    ],
)
def test_what_calculates_with_something_unknown_is_unknown_and_told(
    source: str, shown: str, told: str
) -> None:
    values = {"total": Decimal("105.84"), "free": "free", "zero": 0, "group": {"a": 1}}
    with noting() as notes:
        assert said(source, **values) == shown
    assert told in " ".join(notes.told)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{{ 'much' if tax > 5 else 'little' }}", "little"),
        ("{{ 'little' if tax <= 5 else 'much' }}", "much"),
        ("{{ 'y' if '100' > 20 else 'n' }}", "y"),
        ("{{ 'y' if 'abc' > 20 else 'n' }}", "n"),
        ("{{ 'y' if when > '2027-07-01' else 'n' }}", "y"),
        ("{{ 'y' if when > '2027-07-02' else 'n' }}", "n"),
        ("{{ 'y' if when >= '2027-07-02' else 'n' }}", "y"),
        ("{{ 'y' if 1 < 2 < 3 else 'n' }}{{ 'y' if 1 < 3 < 2 else 'n' }}", "yn"),
        ("{{ 'y' if 'x' in tax else 'n' }}{{ 'y' if tax in 'x' else 'n' }}", "nn"),
        ("{{ 'y' if 5 in 'x5' else 'n' }}{{ 'y' if tax == none else 'n' }}", "yy"),
        ("{{ 'Total: ' + total }}, {{ 'tax: ' + tax }}", "Total: 105.84, tax: "),
    ],
)
def test_a_comparison_with_something_unknown_is_false_and_no_failure(
    source: str, shown: str
) -> None:
    # 2 July in Edmonton.
    when = datetime(2027, 7, 3, 1, 30, tzinfo=UTC)
    assert said(source, total=Decimal("105.84"), when=when) == shown


def test_one_unknown_value_does_not_cost_a_whole_list() -> None:
    """https://github.com/home-assistant/core/issues/91375"""
    tickets = [
        {"type": "B", "on": date(2027, 7, 3), "price": Decimal(5)},
        {"type": "C", "on": None, "price": "free"},
        {"type": "A", "on": datetime(2027, 7, 2, tzinfo=UTC), "price": None},
    ]
    for source, shown in (
        ("{{ t | sort(attribute='on') | map(attribute='type') | join }}", "ABC"),
        ("{{ t | sort(attribute='on', reverse=true) | map(attribute='type') | join }}", "BAC"),
        ("{{ (t | min(attribute='on')).type }}{{ (t | max(attribute='on')).type }}", "AB"),
        ("{{ t | selectattr('price', 'gt', 1) | map(attribute='type') | join }}", "B"),
        ("{{ t | sum(attribute='price') }}", "5"),
        ("{{ t | unique(attribute='on') | list | length }}", "3"),
    ):
        assert said(source, t=tickets) == shown, source
