"""Which rules are live, and whether those in the files are the same; if not, why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.config import Config, world
from bridge.errors import ConfigurationError, OperatorError
from bridge.ledger import rule_versions
from bridge.ledger.database import Connection
from bridge.ledger.rule_versions import ROLLED_BACK, Published
from bridge.rule_files import read_files, stamp_of
from bridge.rules import RuleSet, compile_files

# Of those in the files.
SAME, MISTAKEN, LEFT, OLDER, UNPUBLISHED, FRESH = (
    "live",
    "mistakes",
    "rolled back",
    "older",
    "not published",
    "saved",
)
_WORDS = {
    LEFT: "was rolled back: `showbridge rules publish` makes it live again",
    OLDER: "is older than what is live; `showbridge rules publish` makes it live all the same",
    UNPUBLISHED: "is not live: `showbridge rules diff`, then `showbridge rules publish`",
    FRESH: "is live within seconds where a worker or the clock runs",
}


@dataclass(frozen=True)
class LiveState:
    """`live` is None where nothing was live yet; `count` where it does not fit bridge.yaml.

    `files` is the version in the files, None with `mistakes`; `standing` is one of
    the words above.
    """

    live: Published | None
    count: int | None
    files: str | None
    mistakes: Sequence[str]
    standing: str

    @property
    def words(self) -> str:
        """What to know of the files, behind their name; empty where there is nothing."""
        return _WORDS.get(self.standing, "")


def live_rules(config: Config, connection: Connection) -> RuleSet | None:
    """None where nothing was live yet; raises ConfigurationError where they do not fit."""
    published = rule_versions.live(connection)
    return compiled_version(config, connection, published.version) if published else None


def compiled_version(config: Config, connection: Connection, version: str) -> RuleSet:
    """Raises ConfigurationError, whose places begin with `version ...`."""
    files = rule_versions.files_of(connection, version) or {}
    return compile_files(files, world(config), shown_folder(version))


def shown_folder(version: str) -> str:
    """What stands before the names of a version's files."""
    return f"version {version}"


def live_state(config: Config, connection: Connection) -> LiveState:
    live = rule_versions.live(connection)
    count = _count(config, connection)
    try:
        files = read_files(config.folder).compiled(world(config)).version
    except ConfigurationError as error:
        return LiveState(live, count, None, [str(each) for each in error.mistakes], MISTAKEN)
    except OperatorError as error:
        return LiveState(live, count, None, [str(error)], MISTAKEN)
    return LiveState(live, count, files, [], _standing(config, connection, files))


def _count(config: Config, connection: Connection) -> int | None:
    try:
        rules = live_rules(config, connection)
    except ConfigurationError:
        return None
    return len(rules.rules) if rules else None


def _standing(config: Config, connection: Connection, files: str) -> str:
    live, offered = rule_versions.live(connection), rule_versions.last_offered(connection)
    if live is None or offered is None:
        return FRESH
    if live.version == files:
        return SAME
    if live.how == ROLLED_BACK and offered.version == files:
        return LEFT
    if not config.publishing.when_saved:
        return UNPUBLISHED
    saved_at = stamp_of(config.folder).saved_at
    if rule_versions.was_offered(connection, files) and saved_at <= offered.published_at:
        return OLDER
    return FRESH
