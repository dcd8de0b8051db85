"""The filters that `showbridge dead` and `showbridge replay` share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

from bridge.cli.moment import moment
from bridge.cli.screen import clean
from bridge.config import Config
from bridge.errors import OperatorError
from bridge.ledger.database import Connection
from bridge.ledger.selection import WEBHOOK_STATES, Selection, known, knows
from bridge.wording import meant

_OPTIONS = (
    click.option("--source", help="Of this source."),
    click.option("--type", metavar="GLOB", help="Such as invoice.* (in quotes)."),
    click.option("--rule", help="Of this rule."),
    click.option("--account", help="Of this account."),
    click.option("--reason", metavar="TEXT", help="Whose reason holds this text."),
    click.option(
        "--since",
        callback=moment,
        metavar="WHEN",
        help='Received since: "2 hours", or an ISO date or time.',
    ),
    click.option("--until", callback=moment, metavar="WHEN", help="Received until then."),
)
_Command = Callable[..., Any]


def filters(command: _Command) -> _Command:
    """The options, for a command that hands them to `selection`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def selection(
    config: Config, connection: Connection, state: str, asked: dict[str, Any]
) -> Selection:
    """What the options ask for; raises OperatorError for names that nothing has."""
    chosen = Selection(state=state, **asked)
    if state in WEBHOOK_STATES and (chosen.rule is not None or chosen.account is not None):
        raise OperatorError(
            f"what is {state} was not given to any rule or account; choose it by --source, --type, "
            "--reason, --since and --until"
        )
    _check(connection, "source", chosen.source, config.sources)
    _check(connection, "account", chosen.account, config.accounts)
    _check(connection, "rule", chosen.rule, ())
    return chosen


def _check(connection: Connection, word: str, name: str | None, configured: Iterable[str]) -> None:
    """What was configured once may still have something in the ledger."""
    if name is None or name in configured or knows(connection, word, name):
        return
    names = {*configured, *known(connection, word)}
    raise OperatorError(f"nothing is of {word} `{clean(name, 60)}`; {meant(name, names)}")
