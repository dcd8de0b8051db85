"""The answer to "why not?" against an evaluator that shares no code with ours."""

from __future__ import annotations

from random import Random

import pytest

from tests.rules import why_not

PAIRS = 300


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_named_and_made_so_makes_the_rule_match_and_less_does_not(seed: int) -> None:
    counted = why_not.run(PAIRS, seed)
    assert counted.total() == PAIRS
    assert {"matched", "failed", "for each", "kept"} <= counted.keys()


def test_random_pairs_are_of_all_operators_and_combinations() -> None:
    random = Random(1)
    rules = str([why_not.pair(random).rule for _ in range(PAIRS)])
    names = ("is_not", "exactly", "one_of", "contains", "starts_with", "ends_with", "matches")
    times = ("at_least", "at_most", "before", "after", "within", "present", "favourites", " ago")
    lists = ("where", "count", "sum", "field", "between", "more_than", "less_than", "country")
    for name in (*names, *times, *lists, "any", "all", "not", "for_each", "ticket.type", "enabled"):
        assert f"'{name}'" in rules or f"{name}'" in rules, name
