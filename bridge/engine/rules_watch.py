"""Looks at the rules' files: what was saved is checked, told of, and made live where it may be."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from bridge import rules
from bridge.engine.lease import since_boot
from bridge.errors import LedgerUnavailable, OperatorError
from bridge.ledger import rule_versions
from bridge.ledger.alerts import clear_alert, raise_alert
from bridge.ledger.database import Connection, Database
from bridge.logs import place_of
from bridge.rule_files import Stamp, read_files, stamp_of
from bridge.settings import RULES_FILE

log = logging.getLogger(__name__)

# After the last write to a file: half a file can be a good set of fewer rules.
SETTLE_SECONDS = 1.0
# Between two looks of who has nothing else to do with rules.
LOOK_SECONDS = 2.0

ALERT = "rules"


class Watch:
    """The files of one configuration's folder, as this process sees them.

    Good files go live where `when_saved` says so, or nothing ever was live; each
    version once, whoever sees it first. So that neither a restart nor a machine
    with an older copy undoes what was made live since, a version that was live
    before goes live again only if it was saved after the last one, or this
    process saw it come. `failing` says which of the tests beside them do not hold:
    such rules do not go live by being saved. `now` is in Unix seconds, as files'
    times are.
    """

    def __init__(
        self,
        folder: Path,
        world: rules.World,
        database: Database,
        now: Callable[[], float],
        *,
        when_saved: bool = True,
        failing: Callable[[rules.RuleSet], Sequence[str]] = lambda _rules: (),
        elapsed: Callable[[], float] = since_boot,
    ) -> None:
        self.folder = folder
        self.world = world
        self._database = database
        self._now = now
        self._when_saved = when_saved
        self._failing = failing
        self._elapsed = elapsed
        self._next = 0.0
        self._taken: Stamp | None = None
        self._seen: tuple[Stamp, float] | None = None
        self._lock = threading.Lock()
        self.good: rules.RuleSet | None = None
        """What was in the files when they were last without mistakes."""

    def tick(self) -> None:
        """Look, but not more often than each few seconds; raises LedgerUnavailable."""
        if self._elapsed() >= self._next:
            self._next = self._elapsed() + LOOK_SECONDS
            self.look()

    def look(self) -> None:
        """Take over what was saved since the last look; raises LedgerUnavailable."""
        with self._lock:
            stamp = stamp_of(self.folder)
            if stamp != self._taken and self._is_settled(stamp) and self._take(stamp):
                self._taken = stamp

    def _is_settled(self, stamp: Stamp) -> bool:
        """Not while it may still be being written; what nothing is live without is not waited for.

        Times of files may lie ahead of ours, and a file may be away while it is replaced.
        """
        now = self._now()
        if self._seen is None or self._seen[0] != stamp:
            self._seen = (stamp, now)
        if now - self._seen[1] >= SETTLE_SECONDS:
            return True
        if stamp.is_whole and now - stamp.settled_at >= SETTLE_SECONDS:
            return True
        return self._taken is None and not self._is_anything_live()

    def _is_anything_live(self) -> bool:
        with self._database.read() as connection:
            return rule_versions.live(connection) is not None

    def _take(self, stamp: Stamp) -> bool:
        """False where they were written to meanwhile.

        A bug that they bring to light is told like a mistake: whoever routes by what is
        live goes on.
        """
        try:
            fresh = read_files(self.folder).compiled(self.world)
            failing = self._failing(fresh) if self._may_go_live(fresh) else ()
        except LedgerUnavailable:
            raise
        except Exception as error:  # noqa: BLE001
            wrong = "have mistakes" if isinstance(error, OperatorError) else "cannot be checked"
            told = str(error) if isinstance(error, OperatorError) else place_of(error)
            return self._refused(stamp, wrong, told)
        if failing:
            return self._refused(stamp, "do not do what their tests say", "\n".join(failing))
        if stamp_of(self.folder) != stamp:
            return False
        self._offer(fresh, stamp)
        self.good = fresh
        return True

    def _refused(self, stamp: Stamp, what: str, mistakes: str) -> bool:
        if stamp_of(self.folder) != stamp:
            return False
        self._complain(what, mistakes)
        return True

    def _may_go_live(self, fresh: rules.RuleSet) -> bool:
        with self._database.read() as connection:
            live = rule_versions.live(connection)
        return live is None or (self._when_saved and live.version != fresh.version)

    def _offer(self, fresh: rules.RuleSet, stamp: Stamp) -> None:
        with self._database.write() as connection:
            clear_alert(connection, kind=ALERT, subject=self._subject)
            rule_versions.take_turns(connection)
            if not self._goes_live(connection, fresh.version, stamp):
                return
            rule_versions.publish(
                connection,
                fresh.version,
                fresh.files,
                author=stamp.owner,
                how=rule_versions.SAVED,
                now=self._now(),
            )
        log.info("rules %s were saved by %s and are live", fresh.version, stamp.owner)

    def _goes_live(self, connection: Connection, version: str, stamp: Stamp) -> bool:
        offered = rule_versions.last_offered(connection)
        if offered is None:
            return True
        if not self._when_saved or version == offered.version:
            return False
        came = self.good is not None and self.good.version != version
        if came or stamp.saved_at > offered.published_at:
            return True
        return not rule_versions.was_offered(connection, version)

    def _complain(self, what: str, mistakes: str) -> None:
        log.error("the rules' files are not taken over: they %s: %s", what, mistakes)
        with self._database.write() as connection:
            meanwhile = "no rules are live, and webhooks wait"
            if rule_versions.live(connection) is not None:
                meanwhile = "the last good version stays live"
            raise_alert(
                connection,
                kind=ALERT,
                subject=self._subject,
                text=f"The rules {what}; {meanwhile}.\n{mistakes}",
                at=self._now(),
            )

    @property
    def _subject(self) -> str:
        return str(self.folder / RULES_FILE)
