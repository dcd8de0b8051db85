"""The rules that are live: re-read when the file changes, never replaced by a bad one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from bridge import rules
from bridge.errors import ConfigurationError
from bridge.ledger.alerts import clear_alert, raise_alert
from bridge.ledger.database import Database
from bridge.ledger.rule_versions import keep_version, last_version

log = logging.getLogger(__name__)

# After the last write to the file.
SETTLE_SECONDS = 1.0

Stamp = tuple[int, int, int] | str


class LiveRules:
    """The newest good version of the rules file, also over restarts.

    `now` is in Unix seconds, as files' times are. A file with mistakes leaves
    the last good version live and raises an alert
    that says what is wrong; the next good version clears it.
    """

    def __init__(
        self, file: Path, world: rules.World, database: Database, now: Callable[[], float]
    ) -> None:
        self._file = file
        self._world = world
        self._database = database
        self._now = now
        self._stamp: Stamp = "not yet read"
        self._live: rules.RuleSet | None = None
        self._lock = threading.Lock()

    def current(self) -> rules.RuleSet | None:
        """None where no good version was ever seen; raises LedgerUnavailable."""
        with self._lock:
            stamp = _stamp(self._file)
            if stamp != self._stamp and (self._live is None or self._is_settled()):
                self._reload()
                self._stamp = stamp
            return self._live

    def _is_settled(self) -> bool:
        """Not while it may still be being written: half a file can be a good set of fewer rules."""
        try:
            return self._now() - self._file.stat().st_mtime >= SETTLE_SECONDS
        except OSError:
            return True

    def _reload(self) -> None:
        try:
            text = self._file.read_text("utf-8")
            fresh = rules.compile_rules(text, str(self._file), self._world)
        except ConfigurationError as error:
            self._complain(str(error))
        except (OSError, UnicodeDecodeError) as error:
            self._complain(f"{self._file} cannot be read: {error}")
        else:
            self._go_live(fresh, text)

    def _go_live(self, fresh: rules.RuleSet, text: str) -> None:
        if self._live is None or fresh.version != self._live.version:
            log.info("rules %s are live: %d rules", fresh.version, len(fresh.rules))
        with self._database.write() as connection:
            keep_version(connection, fresh.version, text, self._now())
            clear_alert(connection, kind="rules", subject=str(self._file))
        self._live = fresh

    def _complain(self, mistakes: str) -> None:
        log.error("the rules file is not taken over: %s", mistakes)
        with self._database.write() as connection:
            raise_alert(
                connection,
                kind="rules",
                subject=str(self._file),
                text=f"The rules file has mistakes; the last good version stays live.\n{mistakes}",
                at=self._now(),
            )
        if self._live is None:
            self._live = self._last_good()

    def _last_good(self) -> rules.RuleSet | None:
        with self._database.read() as connection:
            text = last_version(connection)
        if text is None:
            return None
        try:
            return rules.compile_rules(text, str(self._file), self._world)
        except ConfigurationError:
            log.exception("the last good rules do not fit the configuration of now")
            return None


def _stamp(file: Path) -> Stamp:
    try:
        status = file.stat()
    except OSError:
        return "missing"
    return status.st_mtime_ns, status.st_size, status.st_ino
