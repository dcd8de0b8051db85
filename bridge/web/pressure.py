"""Back-pressure: when nothing more can be taken, senders are asked to come back."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bridge.errors import LedgerUnavailable
from bridge.ledger.alerts import clear_alert, raise_alert
from bridge.ledger.backlog import backlog
from bridge.ledger.database import Database
from bridge.logs import OnChange, place_of
from bridge.settings import ServerConfig

log = logging.getLogger(__name__)

TOO_MUCH_WAITING, DISK_NEARLY_FULL = "too-much-waiting", "disk-nearly-full"
RETRY_SECONDS = 60

# What is refused is taken again only well within the limit, so that answers do not flicker.
_SHARE_OF_WAITING = 0.9
_SHARE_OF_DISK = 1.2
# A large backlog takes long to count: looking takes a fiftieth of the time at most.
_PAUSE = 1.0
_PAUSE_FOR_EACH_SECOND = 50


class Pressure:
    """`reason` says why nothing is taken; it is None while all is well.

    Requests only read it. A thread of its own looks each second and keeps the
    alert; it is to be started after a fork.
    """

    def __init__(
        self,
        limits: ServerConfig,
        database: Database,
        free_disk: Callable[[], int | None],
        now: Callable[[], float],
    ) -> None:
        self.reason: str | None = None
        self._limits = limits
        self._database = database
        self._free_disk = free_disk
        self._now = now
        self._said = OnChange(log)
        # Unlike any reason, since an earlier process may have left its alert.
        self._told: str | None = "nothing yet"

    def start(self) -> None:
        threading.Thread(target=self._keep_looking, name="pressure", daemon=True).start()

    def look(self) -> None:
        """Look once. While the ledger is away all stays as it is, and accepting says so itself."""
        try:
            self.reason = self._found()
            if self.reason != self._told:
                self._tell(self.reason)
                self._told = self.reason
            self._said.over("how much is waiting can be seen again")
        except (LedgerUnavailable, OSError) as error:
            self._said.trouble("cannot see how much is waiting: %s", error)

    def _found(self) -> str | None:
        if self._is_disk_nearly_full():
            return DISK_NEARLY_FULL
        return TOO_MUCH_WAITING if self._is_too_much_waiting() else None

    def _is_disk_nearly_full(self) -> bool:
        least: float = self._limits.least_free_disk
        if self.reason == DISK_NEARLY_FULL:
            least *= _SHARE_OF_DISK
        free = self._free_disk()
        return free is not None and free < least

    def _is_too_much_waiting(self) -> bool:
        most = self._limits.most_waiting
        if self.reason == TOO_MUCH_WAITING:
            most = int(most * _SHARE_OF_WAITING)
        with self._database.read() as connection:
            return backlog(connection, most + 1) > most

    def _tell(self, reason: str | None) -> None:
        if reason:
            log.warning("webhooks are refused: %s", reason)
        else:
            log.info("webhooks are taken")
        with self._database.write() as connection:
            for kind, of_reason, text in self._alerts():
                if reason == of_reason:
                    raise_alert(
                        connection, kind=kind, subject="receiver", text=text, at=self._now()
                    )
                else:
                    clear_alert(connection, kind=kind, subject="receiver")

    def _alerts(self) -> tuple[tuple[str, str, str], ...]:
        waiting, megabytes = self._limits.most_waiting, self._limits.least_free_disk // 1_000_000
        backlog_text = (
            f"More than {waiting:,} webhooks and deliveries wait, so senders are asked to come "
            "back later. `showbridge status` shows what waits: see that workers run and that no "
            "account rests. Webhooks are taken again by themselves once fewer wait."
        )
        disk_text = (
            f"Less than {megabytes:,} MB are free on the disk of the ledger, so senders are asked "
            "to come back later. Make room: webhooks are taken again by themselves."
        )
        return (
            ("backlog", TOO_MUCH_WAITING, backlog_text),
            ("disk", DISK_NEARLY_FULL, disk_text),
        )

    def _keep_looking(self) -> None:
        while True:
            began = time.monotonic()
            try:
                self.look()
            except Exception as error:  # noqa: BLE001  # the thread is there for good
                log.error("cannot see how much is waiting: %s", place_of(error))
            took = time.monotonic() - began
            time.sleep(max(_PAUSE, took * _PAUSE_FOR_EACH_SECOND))


def free_disk_of(database: Database) -> Callable[[], int | None]:
    """Bytes that are free where a SQLite ledger is; a server's disk cannot be seen from here."""
    file = database.url.database
    if not database.is_sqlite or not file:
        return lambda: None
    folder = Path(file).absolute().parent
    return lambda: shutil.disk_usage(folder).free
