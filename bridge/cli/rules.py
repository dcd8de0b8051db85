"""`showbridge rules`: write, test and publish rules, and see what they do."""

from __future__ import annotations

from collections.abc import Mapping

import click

from bridge.cli.lazy import LazyGroup

# In the order of `--help`: as one goes about it.
COMMANDS: Mapping[str, str] = {
    "check": "Say every mistake in the rules; nothing is changed.",
    "explain": "Say in plain sentences what the rules do.",
    "fields": "List the fields of an event, each with an example.",
    "try": "Show what rules would do with an event, and why or why not.",
    "test": "Run the expectations that stand beside the rules.",
    "diff": "Show what other rules would have done with what came in.",
    "publish": "Make the rules live, all at once.",
    "history": "List what was live, since when, and by whom.",
    "show": "Print the rules of a version.",
    "rollback": "Make an earlier version live again.",
    "schema": "Print the JSON Schema of the rules, for editors.",
}


@click.group(
    "rules",
    cls=LazyGroup,
    lines=COMMANDS,
    modules="bridge.cli.rules_",
    epilog="Start with `check`, `try` and `test`; then `publish`.",
)
def command() -> None:
    """Write, test and publish rules.

    The rules are rules.yaml, and the files of the folder rules after it.
    """
