"""How recorded events were handled: what the ledger says, and what their rules made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bridge.cli.live_state import shown_folder
from bridge.config import Config, world
from bridge.engine.rehearse import RehearsedEvent, Stage
from bridge.errors import ConfigurationError, OperatorError
from bridge.ledger import rule_versions
from bridge.ledger.database import Connection
from bridge.ledger.prune import pruned_at
from bridge.ledger.replay import as_if_replayed
from bridge.ledger.rule_versions import Published
from bridge.ledger.stories import EventRecord, Story
from bridge.rule_files import read_files
from bridge.rules import RuleSet, compile_files


@dataclass(frozen=True)
class Handled:
    """One event. `then`: as the rules see it that handled it; None where `trouble` says why not.

    `now`: as the rules see it that are live now, where these are others.
    """

    story: Story
    record: EventRecord
    published: Published | None
    then: RehearsedEvent | None
    trouble: str
    live: str
    now: RehearsedEvent | None


class Versions:
    """The rules of versions, each compiled once."""

    def __init__(self, config: Config, connection: Connection) -> None:
        self._config = config
        self._connection = connection
        self._known: dict[str, RuleSet | str] = {}
        live = rule_versions.live(connection)
        self.live = live.version if live else ""
        self._published = {each.version: each for each in rule_versions.history(connection)[::-1]}

    def readable(self, versions: Iterable[str]) -> dict[str, RuleSet]:
        """Those of these versions that still fit bridge.yaml."""
        found = {version: self.rules(version) for version in versions}
        return {name: rules for name, rules in found.items() if isinstance(rules, RuleSet)}

    def published(self, version: str) -> Published | None:
        """When it went live last."""
        return self._published.get(version)

    def rules(self, version: str) -> RuleSet | str:
        """The rules, or why they cannot be read any more."""
        if version not in self._known:
            self._known[version] = self._compiled(version)
        return self._known[version]

    def _compiled(self, version: str) -> RuleSet | str:
        files = rule_versions.files_of(self._connection, version)
        if files is None:
            return f"the rules of version {version} are not kept"
        same = version == self._of_files
        folder = str(self._config.folder) if same else shown_folder(version)
        try:
            return compile_files(files, world(self._config), folder)
        except ConfigurationError:
            return f"the rules of version {version} no longer fit bridge.yaml"

    @property
    def _of_files(self) -> str:
        try:
            return read_files(self._config.folder).version
        except OperatorError:
            return ""


def handled(
    config: Config,
    connection: Connection,
    versions: Versions,
    story: Story,
    records: Sequence[EventRecord],
) -> Iterator[Handled]:
    """For each of the webhook's events that is asked for."""
    for record in records:
        then = _rehearsed(config, connection, versions, story, record, record.rules_version)
        now: RehearsedEvent | str | None = None
        if versions.live and versions.live != record.rules_version:
            now = _rehearsed(config, connection, versions, story, record, versions.live)
        yield Handled(
            story=story,
            record=record,
            published=versions.published(record.rules_version),
            then=None if isinstance(then, str) else then,
            trouble=then if isinstance(then, str) else "",
            live=versions.live,
            now=None if isinstance(now, str) else now,
        )


def _rehearsed(
    config: Config,
    connection: Connection,
    versions: Versions,
    story: Story,
    record: EventRecord,
    version: str,
) -> RehearsedEvent | str:
    """As if it came in then, or why that cannot be told."""
    if pruned_at(connection, story.number) is not None:
        return "the event's body was deleted for its age"
    rules = versions.rules(version)
    if isinstance(rules, str):
        return rules
    [waiting] = as_if_replayed(connection, [story.number])
    rehearsal = Stage.of(config, rules).rehearse(waiting, story.received_at)
    for event in rehearsal.events:
        if event.position == record.position:
            return event
    return "the event cannot be read any more as it was then"
