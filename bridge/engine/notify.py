"""Tells a person of alerts: once, by the first target that works."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bridge.connector import Action, Connector, Delivered, Halted
from bridge.engine.lease import since_boot
from bridge.engine.news import headline, told
from bridge.errors import LedgerUnavailable
from bridge.ledger import accounts
from bridge.ledger.alerts import LEDGER, Alert, note_told, to_tell
from bridge.ledger.database import Database
from bridge.logs import place_of

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
# Where nobody can be told: the next try, doubled each time up to the longest pause.
FIRST_PAUSE = 15.0
# A restart of the database is nobody's business.
LEDGER_SECONDS = 15.0
LONGEST_PAUSE = 900.0
# So that nobody waits long to write.
NOTED_AT_ONCE = 20


class Target(Protocol):
    """One way to a person. `account` is the one that it uses, if any."""

    @property
    def name(self) -> str: ...

    @property
    def account(self) -> str | None: ...

    def tell(self, subject: str, text: str) -> str:
        """Why nobody was told, in words that hold no address; empty where somebody was."""


@dataclass(frozen=True)
class ByAction:
    """By an account's action that takes a text. `connector` is None in preview."""

    account: str
    action: Action
    fields: Mapping[str, Any]
    connector: Connector | None
    fingerprint: str

    @property
    def name(self) -> str:
        return f"{self.account}.{self.action.name}"

    def tell(self, subject: str, text: str) -> str:
        if self.connector is None:
            return f"the account {self.account} is in preview"
        escape = self.action.item.escape or str
        item = self.action.item.model_validate({**self.fields, "text": escape(text)})
        try:
            outcomes = getattr(self.connector, self.action.name)([item])
        except Halted as refused:
            return str(refused) or "the vendor refuses the credentials"
        outcome = outcomes[0]
        return "" if isinstance(outcome, Delivered) else str(getattr(outcome, "reason", outcome))


@dataclass
class Notifier:
    """`again` is after how many seconds a person is told again of what goes on.

    `machine` is the one that the messages name.
    """

    database: Database
    targets: Sequence[Target]
    again: float
    now: Callable[[], float]
    elapsed: Callable[[], float] = since_boot
    machine: str = ""
    _unnoted: list[Alert] = field(default_factory=list)
    _pause: float = 0.0
    _not_before: float = 0.0
    _ledger_away_at: float | None = None
    _ledger_told: bool = False

    def tell(self) -> None:
        """Tell what is to be told; what fails is logged and tried again later."""
        if not self.targets or self.elapsed() < self._not_before:
            return
        try:
            self._note()
            self._tell()
        except LedgerUnavailable as failure:
            log.warning("alerts wait, the ledger is away: %s", failure)
        except Exception as error:  # noqa: BLE001  # the thread is there for good
            log.error("alerts cannot be told: %s", place_of(error))
            self._rest()

    def tell_of_ledger(self, *, away: bool) -> None:
        """What cannot be an alert, since alerts are in the ledger: that it takes no writes.

        Once each time, after a while that a restart does not take.
        """
        if not away:
            if self._ledger_told:
                self._reach(self.targets, *_ledger_again(self.machine))
            self._ledger_away_at, self._ledger_told = None, False
        elif self._ledger_away_at is None:
            self._ledger_away_at = self.elapsed()
        elif not self._ledger_told and self.elapsed() >= self._ledger_away_at + LEDGER_SECONDS:
            self._ledger_told = self._reach(self.targets, *_ledger_away(self.machine, self.now()))
            # If nobody could be reached, it is tried again after as long.
            self._ledger_away_at = self.elapsed()

    def _tell(self) -> None:
        with self.database.read() as connection:
            alerts = to_tell(connection, self.now(), self.again)
            resting = accounts.standings(connection, self.now())
        if not alerts:
            return
        if self._reach(
            [each for each in self.targets if _may_send(each, resting, self.now())],
            headline(alerts, self.machine),
            told(alerts, self.machine),
        ):
            self._pause = 0.0
            self._unnoted = alerts
            self._note()
        else:
            self._rest()

    def _reach(self, targets: Sequence[Target], subject: str, text: str) -> bool:
        for target in targets:
            reason = _tried(target, subject, text)
            if not reason:
                return True
            log.warning("nobody is told by %s: %s", target.name, reason)
        return False

    def _note(self) -> None:
        """Before anything else is told: where the ledger cannot note it, nobody is told twice."""
        while self._unnoted:
            with self.database.write() as connection:
                note_told(connection, self._unnoted[:NOTED_AT_ONCE], self.now())
            del self._unnoted[:NOTED_AT_ONCE]

    def _rest(self) -> None:
        self._pause = min(max(FIRST_PAUSE, self._pause * 2), LONGEST_PAUSE)
        self._not_before = self.elapsed() + self._pause


def _ledger_away(machine: str, now: float) -> tuple[str, str]:
    text = (
        "The ledger takes no writes: the database is away, or its disk is full. Webhooks are "
        "answered with 503, so that senders come back (Showpad gives up within half a minute), "
        "and nothing is delivered. Start the database, or make room on its disk; everything goes "
        "on by itself then. `/readyz` and the log say more."
    )
    alert = Alert(LEDGER, "the ledger", text, now, now, 1)
    return headline([alert], machine), told([alert], machine)


def _ledger_again(machine: str) -> tuple[str, str]:
    alert = Alert(LEDGER, "the ledger", "", 0.0, 0.0, 1, over=True)
    return headline([alert], machine), told([alert], machine)


def try_each(targets: Sequence[Target], text: str) -> list[tuple[str, str]]:
    """Each target's name, and why nobody was reached by it, empty where somebody was."""
    return [(each.name, _tried(each, "Showbridge: a test", text)) for each in targets]


def keep_telling(
    notifier: Notifier, may_tell: Callable[[], bool], cannot_write: Callable[[], bool]
) -> Callable[[], None]:
    """Tell in a thread of its own, so that no slow mail server delays the clock; ends it.

    `cannot_write`: whether the ledger has taken no writes of who may tell.
    """
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(LOOK_SECONDS):
            notifier.tell_of_ledger(away=cannot_write())
            if may_tell():
                notifier.tell()

    thread = threading.Thread(target=go_on, name="alerts", daemon=True)
    thread.start()

    def end() -> None:
        ended.set()
        # A message on its way is given the time to be noted.
        thread.join(5.0)

    return end


def _tried(target: Target, subject: str, text: str) -> str:
    try:
        return target.tell(subject, text)
    except Exception as error:  # noqa: BLE001  # a connector's bug: its place is told
        log.error("telling by %s failed: %s", target.name, place_of(error))
        return f"it failed with {type(error).__name__}"


def _may_send(target: Target, resting: Sequence[accounts.Standing], now: float) -> bool:
    """An account that is refused or rests cannot tell of itself, nor of others."""
    known = next((each for each in resting if each.name == target.account), None)
    fingerprint = target.fingerprint if isinstance(target, ByAction) else ""
    return accounts.may_send(known, fingerprint, now)
