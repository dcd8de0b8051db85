"""`showbridge check`: every mistake in all files at once, or what they say in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.concerns import concerns
from bridge.cli.hooks import hook_url, receiver
from bridge.cli.mistakes import mistake_object, print_mistakes, print_warnings
from bridge.cli.reading import Reading, named_files, read_both
from bridge.cli.rule_warnings import (
    sources_without_their_secret,
    unrouted_sources,
    warnings_of,
)
from bridge.cli.screen import clean, counted, indented, screen, stated
from bridge.cli.servers_asked import servers_asked
from bridge.cli.survey import as_object, show, show_end, survey
from bridge.cli.variables import Variable, Variables
from bridge.config import FILE, AccountConfig, Config, SourceConfig
from bridge.errors import Mistake
from bridge.rules import RuleSet, explain


@click.command("check")
@click.option("--online", is_flag=True, help="Also ask the vendors whether what is named exists.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(online: bool, as_json: bool) -> None:
    """Read bridge.yaml and rules.yaml; say every mistake, or what they mean."""
    reading = read_both()
    warnings = [
        *sources_without_their_secret(reading),
        *unrouted_sources(reading),
        *warnings_of(reading, history=True),
    ]
    if online and reading.is_right:
        _ask_vendors(reading, warnings, as_json)
    elif as_json:
        json_lines.say(_object(reading, warnings))
    elif reading.is_right:
        _print_meaning(screen(), reading)
        print_warnings(screen(), warnings)
        _print_concerns(screen(), reading)
    else:
        _print_mistakes(screen(), reading)
    if not reading.is_right:
        raise click.exceptions.Exit(1)


def _ask_vendors(reading: Reading, warnings: Sequence[Mistake], as_json: bool) -> None:
    """What the files mean is left out: who asks online has seen it."""
    config, rules = reading.config, reading.rules
    assert config is not None  # noqa: S101  # nothing was wrong
    assert rules is not None  # noqa: S101
    surveys = []
    for each in chain(servers_asked(config), survey(config, rules)):
        surveys.append(each)
        if not as_json:
            show(screen(), each)
    if as_json:
        json_lines.say(
            {**_object(reading, warnings), "online": [as_object(each) for each in surveys]}
        )
    else:
        show_end(screen(), surveys)
    if not all(each.is_right for each in surveys):
        raise click.exceptions.Exit(1)


def _print_mistakes(console: Console, reading: Reading) -> None:
    if reading.unread:
        console.print(
            "The rules are read to the end once bridge.yaml names its sources and accounts.\n",
            style="dim",
        )
    print_mistakes(console, reading.mistakes, reading.complaints)


def _print_meaning(console: Console, reading: Reading) -> None:
    config, rules = reading.config, reading.rules
    assert config is not None  # noqa: S101  # nothing was wrong
    assert rules is not None  # noqa: S101
    variables = Variables(config)
    named = named_files(config.folder, rules.files)
    console.print(f"{config.folder / FILE} and {named} are right.", style="green")
    _print_group(
        console,
        "Sources",
        [_source_lines(config, variables, each) for each in config.sources.values()],
    )
    _print_group(
        console, "Accounts", [_account_lines(variables, each) for each in config.accounts.values()]
    )
    if config.alerts.tell:
        _print_group(console, "Alerts", list(_alert_lines(config)))
    _print_rules(console, rules)


def _print_concerns(console: Console, reading: Reading) -> None:
    assert reading.config is not None  # noqa: S101  # nothing was wrong
    if told := concerns(reading.config):
        console.print()
        console.print("Security", style="bold")
        for concern in told:
            console.print(indented(Text(clean(concern, 1000), "yellow"), 2))


def _print_group(
    console: Console, title: str, entries: Sequence[tuple[str, Sequence[Text]]]
) -> None:
    console.print()
    console.print(title, style="bold")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, lines in entries:
        for number, line in enumerate(lines):
            table.add_row("" if number else clean(name), line)
    console.print(indented(table, 2))


def _source_lines(
    config: Config, variables: Variables, source: SourceConfig
) -> tuple[str, list[Text]]:
    url = Text(hook_url(receiver(config), source, hidden=True))
    named = variables.of_source(source)
    if source.secrets:
        return source.name, [url, Text(f"signed with {_names(named, is_set=True)}", style="dim")]
    wanted = _names(named) or "secrets"
    missing = (
        f"no signing secret: set {wanted}; if there never was one, `showbridge run` makes one "
        "for trying out"
    )
    return source.name, [url, Text(missing, style="yellow")]


def _account_lines(variables: Variables, account: AccountConfig) -> tuple[str, list[Text]]:
    named = variables.of_account(account)
    used = _names(named, is_set=True)
    kind = "" if account.connector.name == account.name else f" ({account.connector.name})"
    if not account.preview:
        return account.name, [Text.assemble(stated("live"), f"{kind} with {used}")]
    makes_live = f"{_names(named)} makes it live" if not used else "as bridge.yaml says"
    return account.name, [Text.assemble(stated("preview"), f"{kind}, {makes_live}")]


def _alert_lines(config: Config) -> Iterator[tuple[str, list[Text]]]:
    for number, target in enumerate(config.alerts.tell):
        yield "then" if number else "told by", [Text(clean(target.name))]


def _names(named: Sequence[Variable], *, is_set: bool = False) -> str:
    return " or ".join(clean(one.name) for one in named if one.is_set or not is_set)


def _print_rules(console: Console, rules: RuleSet) -> None:
    console.print()
    console.print(counted(len(rules.rules), "rule").capitalize(), style="bold")
    for rule in rules.rules:
        console.print(indented(Text(clean(rule.name), style="cyan"), 2))
        console.print(indented(Text(clean(explain(rule), 2000)), 4))


def _object(reading: Reading, warnings: Sequence[Mistake]) -> dict[str, object]:
    return {
        "ok": reading.is_right,
        "mistakes": [mistake_object(mistake) for mistake in reading.mistakes],
        "complaints": list(reading.complaints),
        "warnings": [mistake_object(each) for each in warnings],
        **(_meaning_object(reading.config, reading.rules) if reading.is_right else {}),
    }


def _meaning_object(config: Config | None, rules: RuleSet | None) -> dict[str, object]:
    assert config is not None  # noqa: S101  # nothing was wrong
    assert rules is not None  # noqa: S101
    variables = Variables(config)
    return {
        "sources": [
            {
                "name": source.name,
                "kind": source.kind,
                "url": hook_url(receiver(config), source, hidden=True),
                "secrets": {one.name: one.is_set for one in variables.of_source(source)},
            }
            for source in config.sources.values()
        ],
        "accounts": [
            {
                "name": account.name,
                "connector": account.connector.name,
                "mode": "preview" if account.preview else "live",
                "secrets": {one.name: one.is_set for one in variables.of_account(account)},
            }
            for account in config.accounts.values()
        ],
        "alerts": [target.name for target in config.alerts.tell],
        "rules": [{"name": rule.name, "sentence": explain(rule)} for rule in rules.rules],
        "security": concerns(config),
    }
