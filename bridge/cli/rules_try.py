"""`showbridge rules try`: what rules would do with an event, and why or why not. Sends nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import click

from bridge.cli import json_lines
from bridge.cli.chosen_event import Subject, is_event, of_file, recorded, sample
from bridge.cli.chosen_rules import ChosenRules, chosen_rules, is_rules
from bridge.cli.existing import existing_ledger, ledger_if_any
from bridge.cli.screen import screen
from bridge.cli.tried import Tried, as_object, print_tried
from bridge.cli.tried_many import as_object as many_as_object
from bridge.cli.tried_many import print_many
from bridge.cli.tried_survey import survey
from bridge.config import Config, load
from bridge.engine.rehearse import Stage, once_only
from bridge.ledger.cancellers import came_before


@click.command("try")
@click.argument("names", nargs=-1, metavar="[RULES] [EVENT | SAMPLE]")
@click.option("--last", type=click.IntRange(1, 10_000), metavar="N", help="The newest N events.")
@click.option("--file", type=click.Path(path_type=Path), help="A body of your own.")
@click.option("--source", help="Of SAMPLE or --file: as which of the configured sources.")
@click.option("--rule", "only", metavar="NAME", help="This rule alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each event.")
def command(
    names: tuple[str, ...],
    last: int | None,
    file: Path | None,
    source: str | None,
    only: str | None,
    as_json: bool,
) -> None:
    """Show what rules would do with an event, condition by condition. Nothing is sent.

    RULES is a draft, a file or a folder, that is taken in the place of rules.yaml
    or of the folder rules; `live` for those that are live, or a version. Left out,
    it is the files as they are saved. EVENT is an id as `showbridge events`
    shows it, SAMPLE a name that `showbridge send` lists.
    """
    config = load(os.environ)
    named, about = _asked(names, alone=last is not None or file is not None)
    if sum([last is not None, file is not None, about is not None]) != 1:
        raise click.UsageError("try them with what? Give an event's id, a sample, --file or --last")
    rules = chosen_rules(config, named, as_json=as_json)
    if only is not None:
        rules.one(only)
    if last is not None:
        _try_many(config, rules, last, only, as_json)
        return
    subject = _subject(config, about, file, source)
    _show(_tried(config, rules, subject), config, only, as_json)


def _asked(names: Sequence[str], *, alone: bool) -> tuple[str | None, str | None]:
    """The rules and the event or sample, of which one may be left out."""
    if len(names) > 2 or (alone and len(names) > 1):
        raise click.UsageError("give the rules and one event or sample, or --file, or --last")
    if len(names) == 2:
        return names[0], names[1]
    if not names:
        return None, None
    return (names[0], None) if alone or is_rules(names[0]) else (None, names[0])


def _subject(config: Config, about: str | None, file: Path | None, source: str | None) -> Subject:
    now = time.time()
    if file is not None:
        return of_file(config, file, source, now)
    assert about is not None  # noqa: S101  # one of the three was given
    if not is_event(about):
        return sample(config, about, source, now)
    with existing_ledger(config) as database:
        return recorded(database, about)


def _tried(config: Config, rules: ChosenRules, subject: Subject) -> list[Tried]:
    """As if it came in then: a rule of two days means two days after that."""
    received_at = subject.waiting.webhook.received_at
    rehearsal = Stage.of(config, rules.rules).rehearse(subject.waiting, received_at)
    called_off: Mapping[str, str] = {}
    # A sample is about nobody: what the ledger knows of its transaction came from other samples.
    ledger = nullcontext() if subject.is_sample else ledger_if_any(config)
    with ledger as database:
        if database is not None:
            with database.snapshot() as connection:
                [rehearsal] = once_only(connection, [rehearsal])
                called_off = came_before(connection, [rehearsal.plan])
    return [Tried(rules, subject, each, called_off) for each in subject.events(rehearsal)]


def _show(tried: Sequence[Tried], config: Config, only: str | None, as_json: bool) -> None:
    console = screen()
    for number, each in enumerate(tried):
        if as_json:
            json_lines.say(as_object(each, only))
        else:
            console.print() if number else None
            print_tried(console, each, config, only)


def _try_many(
    config: Config, rules: ChosenRules, last: int, only: str | None, as_json: bool
) -> None:
    with existing_ledger(config) as database, database.snapshot() as connection:
        found = survey(connection, Stage.of(config, rules.rules), last)
    if as_json:
        json_lines.say(many_as_object(found, rules, only))
    else:
        print_many(screen(), found, rules, only)
