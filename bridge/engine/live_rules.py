"""The rules that events are routed by: the version that the ledger says is live."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from bridge import rules
from bridge.engine.rules_watch import ALERT, Watch
from bridge.errors import ConfigurationError
from bridge.ledger import rule_versions
from bridge.ledger.alerts import clear_alert, raise_alert
from bridge.ledger.database import Database
from bridge.ledger.rule_versions import Published

log = logging.getLogger(__name__)

# The alert's subject.
LIVE = "the live version"


class LiveRules:
    """Compiled from the ledger's texts, so that every machine runs the same.

    A version that does not fit the bridge.yaml that this process read raises an
    alert; what this process ran before goes on, and webhooks wait where that is
    nothing.
    """

    def __init__(self, watch: Watch, database: Database, now: Callable[[], float]) -> None:
        self._watch = watch
        self._database = database
        self._now = now
        self._asked = ""
        self._running: rules.RuleSet | None = None
        self._lock = threading.Lock()

    def current(self) -> rules.RuleSet | None:
        """None where nothing that can be used is live; raises LedgerUnavailable."""
        self.look()
        with self._database.read() as connection:
            published = rule_versions.live(connection)
        return self.compiled(published)

    def look(self) -> None:
        """See whether files were saved; raises LedgerUnavailable."""
        self._watch.look()

    def compiled(self, published: Published | None) -> rules.RuleSet | None:
        """The rules of what the ledger says is live; raises LedgerUnavailable."""
        with self._lock:
            if published is not None and published.version != self._asked:
                self._replace(published)
                self._asked = published.version
            return self._running

    def _replace(self, published: Published) -> None:
        try:
            fresh = self._known(published.version) or self._compiled(published.version)
        except ConfigurationError as error:
            self._complain(published, str(error))
            return
        with self._database.write() as connection:
            clear_alert(connection, kind=ALERT, subject=LIVE)
        log.info("rules %s are live: %d rules", fresh.version, len(fresh.rules))
        self._running = fresh

    def _known(self, version: str) -> rules.RuleSet | None:
        """Most often they were compiled just before, when they were saved."""
        good = self._watch.good
        return good if good and good.version == version else None

    def _compiled(self, version: str) -> rules.RuleSet:
        with self._database.read() as connection:
            files = rule_versions.files_of(connection, version) or {}
        folder = str(self._watch.folder)
        return rules.compile_files(files, self._watch.world, folder, with_tests=False)

    def _complain(self, published: Published, mistakes: str) -> None:
        log.error("rules %s do not fit bridge.yaml: %s", published.version, mistakes)
        running = self._running
        meanwhile = f"version {running.version} goes on" if running else "webhooks wait"
        with self._database.write() as connection:
            raise_alert(
                connection,
                kind=ALERT,
                subject=LIVE,
                text=f"The live rules, version {published.version}, do not fit bridge.yaml as it "
                f"was at the start; {meanwhile}. Restart after a change of bridge.yaml, or publish "
                f"rules that fit it.\n{mistakes}",
                at=self._now(),
            )
