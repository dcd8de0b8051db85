"""`showbridge rules diff`: what other rules would have done with what came in. Sends nothing."""

from __future__ import annotations

import os

import click

from bridge.cli import json_lines
from bridge.cli.chosen_rules import LIVE, ChosenRules, chosen_rules
from bridge.cli.compared import compared
from bridge.cli.difference_object import as_object
from bridge.cli.difference_text import print_compared
from bridge.cli.existing import has_tables
from bridge.cli.moment import moment
from bridge.cli.screen import screen
from bridge.config import Config, load
from bridge.errors import OperatorError
from bridge.ledger import rule_versions
from bridge.ledger.database import Database


@click.command("diff")
@click.argument("new", required=False, metavar="[RULES]")
@click.option("--old", metavar="RULES", help="Compared with these; without it, what is live.")
@click.option(
    "--since",
    default="30 days",
    show_default=True,
    callback=moment,
    metavar="WHEN",
    help='With what came in since: "2 weeks", or an ISO date or time.',
)
@click.option("--samples", "with_samples", is_flag=True, help="With the shipped samples instead.")
@click.option("--rule", "only", metavar="NAME", help="Show this rule alone.")
@click.option(
    "--limit",
    default=3,
    show_default=True,
    type=click.IntRange(0, 1000),
    help="Examples of each kind for each rule.",
)
@click.option(
    "--exit-code",
    default=0,
    type=click.IntRange(0, 125),
    metavar="N",
    help="The status where something differs.",
)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(  # noqa: PLR0913, RUF100  # one for each option
    new: str | None,
    old: str | None,
    since: float,
    with_samples: bool,
    only: str | None,
    limit: int,
    exit_code: int,
    as_json: bool,
) -> None:
    """Show what other rules would have done with what came in. Nothing is sent.

    RULES is a draft, a file or a folder, that is taken in the place of rules.yaml
    or of the folder rules, or a version; left out, it is the files as they are
    saved. --old takes the same, and `live`. Both are asked what they would do
    with each recorded event, as if it came in then.
    """
    config = load(os.environ)
    after = chosen_rules(config, new, as_json=as_json)
    before = _before(config, old, as_json)
    if only is not None:
        only = _named(only, before, after)
    since_then = None if with_samples else since
    found = compared(config, before, after, since_then, examples=limit, shown=not as_json)
    if as_json:
        json_lines.say(as_object(found, only))
    else:
        print_compared(screen(), found, only)
    if found.comparison.different:
        raise click.exceptions.Exit(exit_code)


def _before(config: Config, old: str | None, as_json: bool) -> ChosenRules:
    """As named, else what is live, else the files: so it is before the first start."""
    if old is None:
        old = LIVE if _is_live(config) else "."
    return chosen_rules(config, old, as_json=as_json)


def _is_live(config: Config) -> bool:
    database = Database(config.database_url)
    try:
        if not has_tables(database):
            return False
        with database.read() as connection:
            return rule_versions.live(connection) is not None
    finally:
        database.close()


def _named(name: str, before: ChosenRules, after: ChosenRules) -> str:
    """A rule's name as it is written; raises OperatorError where neither has such a rule."""
    try:
        return after.one(name).name
    except OperatorError as error:
        try:
            return before.one(name).name
        except OperatorError:
            raise error from None
