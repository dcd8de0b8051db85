"""A short run of `python -m tests.rules.fuzz`, which throws far more at the compiler."""

from __future__ import annotations

from random import Random

import pytest

from bridge.errors import ConfigurationError
from bridge.rules import compile_rules
from tests.rules.fuzz.heavy import HEAVY
from tests.rules.fuzz.making import EVERYTHING, good_texts, made
from tests.rules.fuzz.measure import in_own_process
from tests.rules.fuzz.run import run, text_of
from tests.rules.fuzz.world import event, used, world

# The command takes a second on a machine of its own; this one runs other tests at the same time.
_MOST_SECONDS = 30
_MOST_MEGABYTES = 200


def test_no_file_ends_in_a_traceback() -> None:
    report = run(cases=300, seed=7)
    assert report.cases == 300
    assert not report.broken, report.broken[0]


def test_a_seed_makes_the_same_files_again() -> None:
    good = good_texts()
    assert made(Random("3-9"), good) == text_of("3-9") != text_of("3-10")


def test_some_files_are_right_and_some_are_not() -> None:
    """Else the slips would be of no use: all too much, or none at all."""
    known, good, right = world(), good_texts(), 0
    for number in range(100):
        try:
            compile_rules(made(Random(number), good), "rules.yaml", known)
        except ConfigurationError:
            continue
        right += 1
    assert 5 < right < 70


def test_the_file_that_slips_are_made_in_is_right() -> None:
    used(EVERYTHING, world(), event())
    assert len(compile_rules(EVERYTHING, "rules.yaml", world()).rules) == 2


def test_heavy_files_are_no_longer_than_a_file_may_be() -> None:
    assert all(len(text()) <= 1_000_000 for text in HEAVY.values())


@pytest.mark.parametrize(
    "name",
    ["rules with different texts", "empty rules", "texts with small braces", "doubling", "tests"],
)
def test_a_file_of_a_megabyte_takes_little_time_and_memory(name: str) -> None:
    measured = in_own_process(name)
    assert not measured.broken
    assert measured.seconds < _MOST_SECONDS
    assert measured.megabytes < _MOST_MEGABYTES
