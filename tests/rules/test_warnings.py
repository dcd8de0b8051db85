"""Each file in `warnings/` has beside it, in a .txt, what a person is told about it.

Those that are called `fine-...` deserve nothing, although they look much alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge import connector, rules
from bridge.connector import EmailAddress, Item, action
from bridge.rules.lint import over
from bridge.source import Field, Source
from tests.rules.conftest import Crm, Shop

FILES = sorted((Path(__file__).parent / "warnings").glob("*.yaml"))


@pytest.fixture(scope="session")
def wide(world: rules.World) -> rules.World:
    """The small world, with shows, reasons for refunds, and a list of subscribers."""

    class Subscriber(Item):
        email: EmailAddress

    class WideCrm(Crm):
        @action(Subscriber, preview=lambda settings, item: (), consent_for="email")
        def subscribe(self, items: Sequence[Subscriber]) -> list[connector.Outcome]:
            """Subscribe."""
            raise NotImplementedError

    class WideShop(Shop):
        show_field = "tickets.show"
        fields = (  # type: ignore[assignment]  # more of them
            *Shop.fields,
            Field("tickets.show", "text", "the show", "7", ("order.*",)),
            Field("refund.reason", "text", "why", "ill", ("order.refunded",)),
        )

    sources: dict[str, type[Source]] = {**world.sources, "shop": WideShop}
    return replace(world, sources=sources, accounts={**world.accounts, "crm": WideCrm})


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_warning_says_where_what_and_what_to_do(file: Path, wide: rules.World) -> None:
    found = rules.compile_rules(file.read_text("utf-8"), file.name, wide).warnings
    expected = file.with_suffix(".txt").read_text("utf-8").strip()
    assert "\n".join(map(str, found)) == expected
    assert bool(expected) is not file.stem.startswith("fine-")


def a_rule(name: str, *lines: str) -> str:
    return (
        f"- name: {name}\n  when: {{source: shop, event: order.paid}}\n"
        + "".join(f"  {line}\n" for line in lines)
        + f"  do: [{{chat.post_message: {{channel: here, text: {name}}}}}]\n"
    )


def test_a_rule_of_another_file_is_named_with_its_file(wide: rules.World) -> None:
    files = {
        "rules.yaml": "rules:\n" + a_rule("All", "stop: true"),
        "rules/more.yaml": "rules:\n" + a_rule("More"),
    }
    [found] = rules.compile_files(files, wide, "config").warnings
    assert str(found) == (
        "config/rules/more.yaml:2:3: this rule is never asked: whatever it is for matches `All` "
        "before (config/rules.yaml, line 2), which says `stop: true`; move this rule above `All`, "
        "or remove its `stop`"
    )


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (datetime(2027, 3, 1, 6, 59, tzinfo=UTC), []),
        (
            datetime(2027, 3, 1, 7, 0, tzinfo=UTC),
            ["rules.yaml:5:3: the last day of this rule is over, so it matches nothing new"],
        ),
    ],
    ids=["on the last day", "after it"],
)
def test_a_rule_whose_last_day_is_over(wide: rules.World, now: datetime, said: list[str]) -> None:
    text = (
        "time_zone: America/Edmonton\nrules:\n"
        + a_rule("Past", "only_between: {to: 2027-02-28}")
        + a_rule("Still", "only_between: {from: 2027-01-01}")
        + a_rule("Off", "only_between: {to: 2027-01-01}", "enabled: false")
    )
    found = over(rules.compile_rules(text, "rules.yaml", wide), now.timestamp())
    assert [str(each).partition("; ")[0] for each in found] == said
