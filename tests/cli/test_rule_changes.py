"""What is different between two versions, told by the names of rules."""

from __future__ import annotations

import pytest

from bridge.cli.rule_changes import Changes, changes

RULES = """\
time_zone: UTC
lists: {vip: [a, b]}
texts: {thanks: "Thank you"}
rules:
  - {name: One, do: [x]}
  - {name: Two, do: [y]}
tests:
  - {name: first}
"""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("do: [x]", "do:   [ x ]", Changes()),
        ("do: [y]", "do: [z]", Changes(changed=("Two",))),
        ("name: Two", "name: Three", Changes(added=("Three",), removed=("Two",))),
        ("[a, b]", "[a]", Changes(other=("the list vip",))),
        ("vip", "gold", Changes(other=("the list vip", "the list gold"))),
        ("Thank you", "Thanks", Changes(other=("the text thanks",))),
        ("UTC", "America/Halifax", Changes(other=("time_zone",))),
        ("first", "second", Changes(other=("the tests in rules.yaml",))),
    ],
    ids=["layout", "step", "name", "entry", "list", "text", "zone", "test"],
)
def test_changes_are_named(old: str, new: str, found: Changes) -> None:
    before, after = {"rules.yaml": RULES}, {"rules.yaml": RULES.replace(old, new)}
    assert changes(before, after) == found


def test_another_order_is_a_change_also_over_files() -> None:
    one, two = "rules: [{name: One}]", "rules: [{name: Two}]"
    before = {"rules.yaml": one, "rules/a.yaml": two}
    after = {"rules.yaml": two, "rules/a.yaml": one}
    assert changes(before, after) == Changes(other=("the order of the rules",))


def test_a_rule_that_moves_to_another_file_is_the_same() -> None:
    both = {"rules.yaml": "rules: [{name: One}, {name: Two}]"}
    apart = {"rules.yaml": "rules: [{name: One}]", "rules/a.yaml": "rules: [{name: Two}]"}
    assert changes(both, apart) == Changes()


def test_what_cannot_be_read_counts_as_one_thing() -> None:
    assert changes({"rules.yaml": "rules: ["}, {"rules.yaml": RULES}).other[0] == "rules.yaml"
    for odd in ("7", "rules: 7", "rules: [7]", "lists: 7", ""):
        assert changes({"rules.yaml": odd}, {"rules.yaml": RULES}).added == ("One", "Two")
