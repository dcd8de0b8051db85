"""What is said of conditions without any event is true of every event."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.rules.conditions import All, AnyOf, Comparison, Condition, Not, holds
from bridge.rules.conditions import Test as OneTest
from bridge.rules.entail import clash, follows, implies
from bridge.rules.relative import relative, within
from bridge.rules.seen import Seen

RECEIVED = datetime(2027, 7, 2, 12, 0, tzinfo=UTC)
VALUES: list[Any] = [
    *(
        "VIP",
        "vip",
        " VIP Gold",
        "Standing",
        "a",
        "",
        "5",
        "5.0",
        "05",
        "true",
        "yes",
        "2027-07-03",
    ),
    *(5, 5.0, Decimal("5.00"), Decimal(100), 0, -3, True, False),
    datetime(2027, 7, 3, tzinfo=UTC),
    datetime(2027, 7, 3, 18, 0, tzinfo=UTC),
    datetime(2027, 7, 3, 18, 30, tzinfo=UTC),
    datetime(2027, 6, 30, tzinfo=UTC),
    datetime(2027, 7, 2, 12, 0, tzinfo=UTC),
]
EXPECTED = ["VIP", "vip", "VIP Gold", "Gold", "V", "5", "5.0", "true", "2027-07-03", 5, 5.0, 100]
EXPECTED += [True, False, "2027-07-03T18:00:00+00:00"]
DAYS = ["2027-07-03", "2027-07-01", "2027-07-03T18:00:00+00:00"]
TIMES = ["now", "1 day ago", "in 1 day", "2 days after x.y", "1 day after x.y"]

EVERY = [
    *(
        Comparison(operator, one)
        for operator in ("is", "is_not", "exactly", "contains", "starts_with", "ends_with")
        for one in EXPECTED
    ),
    *(Comparison("matches", one) for one in ("vip*", "*", "5*", "?ip")),
    *(
        Comparison(operator, one)
        for operator in ("at_least", "at_most", "more_than", "less_than")
        for one in (0, 5, 5.5)
    ),
    *(Comparison("between", ends) for ends in ((0, 5), (5, 5.5), (5, 100), (-3, "5"))),
    *(
        Comparison("between", ends)
        for ends in (
            ("2027-07-01", "2027-07-03"),
            ("2027-07-03", "2027-07-03"),
            ("2027-06-30", "2027-07-02"),
            ("2027-07-03T18:00:00+00:00", "2027-07-04"),
        )
    ),
    *(
        Comparison(operator, one)
        for operator in ("before", "after")
        for one in (*DAYS, *map(relative, TIMES))
    ),
    *(Comparison("within", within(one)) for one in ("1 day", "3 days", "1 day before x.y")),
    *(Comparison("one_of", tuple(EXPECTED[at : at + 2])) for at in range(len(EXPECTED) - 1)),
    *(Comparison("one_of", one) for one in (("VIP", "vip"), (5, "5"), (5, 5.0))),
    *(Comparison("present", one) for one in (True, False)),
]


def event(one: object, *many: object) -> Seen:
    return Seen(
        {
            "a": [{"b": each, "c": one} for each in many],
            "event": {"time": RECEIVED},
            "x": {"y": [datetime(2027, 7, 1, tzinfo=UTC), datetime(2027, 7, 3, tzinfo=UTC)]},
        }
    )


def passing(events: Sequence[Seen]) -> list[tuple[Comparison, set[int]]]:
    """Each comparison, with the numbers of the events in which it holds."""
    return [
        (each, {at for at, seen in enumerate(events) if holds(OneTest("a.b", (each,)), seen)})
        for each in EVERY
    ]


def test_what_clashes_is_never_so_of_one_value() -> None:
    table = passing([event(None, value) for value in VALUES])
    for one, those in table:
        for other, others in table:
            assert not (clash(one, other) and those & others), (one, other)


def test_what_follows_holds_wherever_the_other_does() -> None:
    pairs = itertools.product(VALUES, repeat=2)
    table = passing([event(None), *(event(None, one, other) for one, other in pairs)])
    for one, those in table:
        for other, others in table:
            implied = implies(OneTest("a.b", (one,)), OneTest("a.b", (other,)))
            assert not implied or those <= others, (one, other)


tests = st.builds(
    OneTest,
    st.sampled_from(["a.b", "a.c"]),
    st.lists(st.sampled_from(EVERY), min_size=1, max_size=2).map(tuple),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    tests,
    lambda inner: (
        st.builds(All, st.lists(inner, min_size=1, max_size=2).map(tuple))
        | st.builds(AnyOf, st.lists(inner, min_size=1, max_size=2).map(tuple))
        | st.builds(Not, inner)
    ),
    max_leaves=3,
)
events = st.builds(
    lambda one, many: event(one, *many),
    st.sampled_from(VALUES),
    st.lists(st.sampled_from(VALUES), max_size=2),
)


@settings(max_examples=500)
@given(one=conditions, other=conditions, seen=events)
def test_combinations_follow_only_where_they_do(
    one: Condition, other: Condition, seen: Seen
) -> None:
    if implies(one, other):
        assert not holds(one, seen) or holds(other, seen)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Comparison("is", "VIP"), Comparison("is", "Standing")),
        (Comparison("is", "VIP"), Comparison("one_of", ("a", "b"))),
        (Comparison("is", 5), Comparison("at_least", 6)),
        (Comparison("is", "VIP"), Comparison("at_least", 6)),
        (Comparison("exactly", "VIP"), Comparison("exactly", "vip")),
        (Comparison("exactly", "VIP"), Comparison("contains", "gold")),
        (Comparison("one_of", ("VIP", "vip")), Comparison("is_not", "VIP")),
        (Comparison("starts_with", "VIP"), Comparison("starts_with", "Gold")),
        (Comparison("ends_with", "VIP"), Comparison("ends_with", "Gold")),
        (Comparison("is", "VIP"), Comparison("matches", "v?")),
        (Comparison("is", True), Comparison("is", False)),
        (Comparison("is", "2027-07-03"), Comparison("after", "2027-07-03")),
        (Comparison("is", "2027-07-03"), Comparison("before", "2027-07-03")),
        (Comparison("is", "VIP"), Comparison("before", "2027-07-03")),
        (Comparison("after", "2027-07-03"), Comparison("before", "2027-07-03")),
        (Comparison("after", "2027-07-03T18:00"), Comparison("before", "2027-07-03T18:00")),
        (Comparison("after", relative("now")), Comparison("before", relative("1 day ago"))),
        (Comparison("present", False), Comparison("contains", "a")),
    ],
    ids=str,
)
def test_what_cannot_both_be_so_clashes(one: Comparison, other: Comparison) -> None:
    assert clash(one, other)
    assert clash(other, one)


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (Comparison("at_least", 500), Comparison("at_least", 100)),
        (Comparison("at_most", 1), Comparison("at_most", 1.0)),
        (Comparison("is", 500), Comparison("at_least", 100)),
        (Comparison("one_of", (3, 4)), Comparison("at_most", 100)),
        (Comparison("is", "VIP"), Comparison("one_of", ("a", "vip"))),
        (Comparison("exactly", "VIP"), Comparison("is", "vip")),
        (Comparison("exactly", "VIP"), Comparison("exactly", "VIP")),
        (Comparison("starts_with", "VIP Gold"), Comparison("starts_with", "vip")),
        (Comparison("ends_with", "VIP Gold"), Comparison("contains", "gold")),
        (Comparison("is", "VIP Gold"), Comparison("ends_with", "gold")),
        (Comparison("before", "2027-07-01"), Comparison("before", "2027-07-03")),
        (Comparison("after", "2027-07-03"), Comparison("after", "2027-07-01")),
        (Comparison("is", "2027-07-03"), Comparison("after", "2027-07-02")),
        (Comparison("before", relative("1 day ago")), Comparison("before", relative("now"))),
        (Comparison("after", relative("in 1 day")), Comparison("after", relative("now"))),
        (Comparison("within", within("1 day")), Comparison("within", within("3 days"))),
        (Comparison("contains", "a"), Comparison("present", True)),
    ],
    ids=str,
)
def test_what_says_more_implies_what_says_less(known: Comparison, wanted: Comparison) -> None:
    assert implies(OneTest("a.b", (known,)), OneTest("a.b", (wanted,)))
    assert not implies(OneTest("a.b", (known,)), OneTest("a.c", (wanted,)))


def test_combinations_imply_by_their_parts() -> None:
    large, small = (OneTest("a.b", (Comparison("at_least", least),)) for least in (500, 100))
    other = OneTest("a.c", (Comparison("is", "VIP"),))
    assert implies(All((large, other)), small)
    assert implies(AnyOf((large, small)), small)
    assert not implies(AnyOf((large, other)), small)
    assert implies(large, AnyOf((other, small)))
    assert implies(Not(small), Not(large))
    assert not implies(Not(large), Not(small))
    assert not implies(Not(large), small)
    assert follows([large, other], All((small, other)))
    assert follows([large, other], AnyOf((Not(other), other)))
    assert not follows([large], All((small, other)))


def test_the_examples_are_worth_comparing() -> None:
    """Nearly all comparisons pass some value and not all, so that the tests above can fail."""
    table = passing([event(None, value) for value in VALUES])
    assert sum(0 < len(those) < len(VALUES) for _, those in table) > len(EVERY) * 0.8
    assert sum(clash(one, other) for one, _ in table for other, _ in table) > 1000
