"""What texts may cost: every filter, test and operator pays for what it is given, in steps."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.rules.filters import FILTERS, TESTS
from bridge.rules.templates import compile_text, environment, render
from bridge.rules.work import CHARACTERS, MOST_WORK, CannotRender, limited

MEMBERS = 20_000
MANY = [f"v{number}" for number in range(MEMBERS)]
HOSTILE: dict[str, Any] = {
    "many": MANY,
    "same": list(MANY),
    "empty": [""] * MEMBERS,
    "long": "a" * MEMBERS,
    "words": "ab " * (MEMBERS // 3),
    "deep": [[["x"] * 20] * 20] * (MEMBERS // 400),
    "groups": [{"type": f"v{number}", "long": "a" * 200} for number in range(2_000)],
    "one": {"type": "v1"},
    "number": 7,
}
# What is given to filters and tests beside the value.
ARGUMENTS = ("", "(many)", "('x', many)", "(1, many)", "(attribute='type')", "('type', 'in', many)")


def work(source: str) -> int:
    """The steps that were paid for, MOST_WORK where it was refused for them."""
    template = compile_text(source, None).template
    with limited() as meter:
        try:
            "".join(template.generate(HOSTILE))
        except CannotRender as why:
            return MOST_WORK if "too much work" in str(why) else meter.spent
        except Exception:  # noqa: BLE001  # wrong arguments for this one
            return meter.spent
    return meter.spent


FEW = {
    name: value[:2] if isinstance(value, list | str) else value for name, value in HOSTILE.items()
}


def runs(source: str) -> bool:
    """Whether it gives anything: not all filters take all arguments."""
    try:
        compile_text(source, None).template.render(FEW)
    except Exception:  # noqa: BLE001  # wrong arguments for this one
        return False
    return True


def least(name: str, arguments: str = "") -> int:
    """What going once through a value and its arguments costs at the very least."""
    value = HOSTILE[name]
    own = len(value) // CHARACTERS if isinstance(value, str) else len(value)
    return max(own, MEMBERS if "many" in arguments else 0)


@pytest.mark.parametrize("value", ["many", "empty", "long", "words", "deep", "groups"])
@pytest.mark.parametrize("name", sorted(FILTERS))
def test_every_filter_pays_for_its_value_and_its_arguments(name: str, value: str) -> None:
    for arguments in ARGUMENTS:
        source = f"{{{{ {value} | {name}{arguments} and '' }}}}"
        if runs(source):
            assert work(source) >= least(value, arguments), source


@pytest.mark.parametrize("value", ["many", "empty", "long", "words", "deep", "groups"])
@pytest.mark.parametrize("name", sorted(set(TESTS) - {"==", "!=", "<", "<=", ">", ">="}))
def test_every_test_pays_for_its_value_and_its_arguments(name: str, value: str) -> None:
    for arguments in ("", "(many)", "('x')"):
        source = f"{{{{ {value} is {name}{arguments} and '' }}}}"
        if runs(source):
            assert work(source) >= least(value, arguments), source


@pytest.mark.parametrize("test", sorted(TESTS))
@pytest.mark.parametrize("filter_", ["select", "reject"])
def test_a_test_that_filters_name_is_paid_for_at_each_member(filter_: str, test: str) -> None:
    """What compares each with a list is quadratic."""
    for arguments in (f"('{test}')", f"('{test}', 7)", f"('{test}', many)"):
        source = f"{{{{ many | {filter_}{arguments} | length and '' }}}}"
        if runs(source):
            expected = MOST_WORK if "many" in arguments else 2 * MEMBERS
            assert work(source) >= expected, source


@pytest.mark.parametrize("test", sorted(TESTS))
@pytest.mark.parametrize("filter_", ["selectattr", "rejectattr"])
def test_a_test_of_an_attribute_is_paid_for_at_each_member(filter_: str, test: str) -> None:
    source = f"{{{{ groups | {filter_}('type', '{test}', many) | length and '' }}}}"
    if runs(source):
        assert work(source) == MOST_WORK


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_a_filter_that_map_names_is_paid_for_at_each_member(name: str) -> None:
    for arguments in ("", ", 'v'", ", 'v', 'w'", ", many"):
        source = f"{{{{ many | map('{name}'{arguments}) | length and '' }}}}"
        if runs(source):
            assert work(source) >= 2 * MEMBERS, source


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">=", "in", "not in"])
@pytest.mark.parametrize("value", ["many", "empty", "deep", "groups", "long"])
def test_every_comparison_pays_for_both_sides(operator: str, value: str) -> None:
    for source in (f"{value} {operator} {value}", f"1 {operator} {value}"):
        assert work(f"{{{{ {source} and '' }}}}") >= least(value), source


def test_a_comparison_pays_for_what_is_deep_within() -> None:
    assert work("{{ deep == deep and '' }}") >= 2 * MEMBERS


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "~"])
def test_every_calculation_pays_for_long_texts(operator: str) -> None:
    assert work(f"{{{{ (long {operator} long) and '' }}}}") >= 2 * MEMBERS // CHARACTERS


@pytest.mark.parametrize("sign", ["-", "+"])
def test_a_sign_pays_for_a_long_text(sign: str) -> None:
    assert work(f"{{{{ {sign}long and '' }}}}") >= MEMBERS // CHARACTERS


@pytest.mark.parametrize("source", ["{{ empty }}", "{{ deep }}", "{{ empty ~ '' and '' }}"])
def test_a_list_pays_for_being_shown(source: str) -> None:
    assert work(source) >= 50


def test_a_list_of_empty_texts_pays_for_each_of_them() -> None:
    assert work("{{ empty }}") >= MEMBERS


def test_a_part_of_a_list_is_paid_for() -> None:
    assert work("{{ many[:15000] and '' }}") >= 15_000


@pytest.mark.parametrize(
    "body", ["{{ '' }}", "{% if 1 %}{% endif %}", "{{ [1, 2, 3] and '' }}", "{{ 1 and '' }}"]
)
def test_a_loop_pays_for_all_that_is_written_in_it(body: str) -> None:
    """None of these reaches for anything, so that nothing else would pay."""
    once = work("{% for one in many %}" + body + "{% endfor %}")
    often = work("{% for one in groups %}" + body * 100 + "{% endfor %}")
    assert once >= MEMBERS
    assert often >= 2_000 * 100 // 4


def test_what_is_ordered_pays_for_each_comparison_of_long_keys() -> None:
    assert work("{{ groups | sort(attribute='long') | length and '' }}") > 2 * 2_000 * 4


def test_nothing_else_may_stand_in_a_text() -> None:
    """What Jinja has and we do not let in needs no price; this list is looked at when it grows."""
    made = environment(None)
    inner = {"_each", "_shown", "_compared", "_sliced"}
    assert set(made.filters) == set(FILTERS) | inner
    assert set(made.tests) == set(TESTS)
    assert made.globals == {}


def test_a_text_about_two_thousand_tickets_is_within_the_bound() -> None:
    tickets = [{"type": "VIP", "price": number} for number in range(2_000)]
    source = (
        "{% for t in tickets %}{{ t.type }} {{ t.price | money('CAD') }}"
        "{% if t.type == 'VIP' %} (VIP){% endif %}, {% endfor %}"
    )
    assert render(compile_text(source, None), {"tickets": tickets}).count("(VIP)") == 2_000


def test_who_asks_for_too_much_is_told_what_would_be_less() -> None:
    source = "{{ many | select('in', same) | length }}"
    with pytest.raises(CannotRender, match=r"too much work .* such as tickets\[:100\]"):
        render(compile_text(source, None), HOSTILE)
