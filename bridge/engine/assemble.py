"""From a configuration to an engine: what each process puts together when it starts."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable

from bridge.config import AccountConfig, Config, world
from bridge.connector import Connector
from bridge.engine.alarm import Alarm
from bridge.engine.backoff import Patience
from bridge.engine.clock import Clock
from bridge.engine.drain import halt
from bridge.engine.late import repeatable
from bridge.engine.limits import AccountPacer, Limits
from bridge.engine.live_rules import LiveRules
from bridge.engine.lookout import Lookout, patience
from bridge.engine.mail import Email
from bridge.engine.notify import ByAction, Notifier, Target
from bridge.engine.outages import Outages
from bridge.engine.perform import Destination
from bridge.engine.queue import LaneQueue
from bridge.engine.rule_tests import failing
from bridge.engine.rules_watch import Watch
from bridge.engine.turns import Turns
from bridge.engine.unrouted import Unrouted
from bridge.engine.wake import Waker
from bridge.engine.watchdog import Watchdog
from bridge.errors import OperatorError
from bridge.ledger import accounts
from bridge.ledger.alerts import clear_alert
from bridge.ledger.database import Database
from bridge.settings import ActionTarget, EmailTarget


def turns(config: Config, database: Database, queue: LaneQueue, now: Callable[[], float]) -> Turns:
    """Raises OperatorError where a connector cannot use its account's settings."""
    waker = Waker(database, queue, now)
    limits = Limits(queue.redis)
    return Turns(
        database=database,
        waker=waker,
        sources={name: each.source for name, each in config.sources.items()},
        destinations={name: _destination(each, limits) for name, each in config.accounts.items()},
        live_rules=LiveRules(watch(config, database, now), database, now),
        patience=_patience(config),
        lease_seconds=config.delivery.lease_seconds,
        digest_after=config.delivery.digest_after_seconds,
        alarm=Alarm(waker.wake),
        now=now,
    )


def watch(config: Config, database: Database, now: Callable[[], float]) -> Watch:
    return Watch(
        config.folder,
        world(config),
        database,
        now,
        when_saved=config.publishing.when_saved,
        failing=lambda rules: failing(rules, config, database),
    )


def clock(config: Config, database: Database, queue: LaneQueue, now: Callable[[], float]) -> Clock:
    kinds = {name: each.connector for name, each in config.accounts.items()}
    return Clock(database, queue, Waker(database, queue, now), repeatable(kinds), now)


def notifier(
    config: Config, database: Database, queue: LaneQueue, now: Callable[[], float]
) -> Notifier:
    """Raises OperatorError like `turns`."""
    limits = Limits(queue.redis)
    targets = [_target(config, each, limits) for each in config.alerts.tell]
    machine = config.alerts.machine or socket.gethostname()
    return Notifier(database, targets, config.alerts.again_seconds, now, machine=machine)


def outages(config: Config, database: Database, now: Callable[[], float]) -> Outages:
    live = [account.name for account in config.accounts.values() if not account.preview]
    return Outages(database, live, config.alerts.resting_after_seconds, now)


def lookout(
    config: Config,
    database: Database,
    queue: LaneQueue,
    now: Callable[[], float],
    *,
    clock: bool = True,
) -> Lookout:
    """`clock`: whether the clock itself looks, or somebody in its place."""
    slowest = {
        name: max((rate.seconds / rate.calls for rate in each.connector.rates), default=0.0)
        for name, each in config.accounts.items()
    }
    timeouts = {name: each.settings.timeout for name, each in config.accounts.items()}
    dog = Watchdog(config.alerts.waiting_after_seconds, patience(slowest, timeouts))
    unrouted = Unrouted(database, list(config.sources), config.alerts.again_seconds, now)
    return Lookout(database, queue, dog, unrouted, now, clock=clock)


def note_accounts(config: Config, database: Database, now: float) -> None:
    """Remember which accounts are live, and halt those that were and have lost their credentials.

    Else a variable that went missing at a restart would turn real deliveries
    into previews, unnoticed.
    """
    with database.write() as connection:
        for account in config.accounts.values():
            clear_alert(connection, kind="missing-account", subject=account.name)
            if not account.preview:
                accounts.note_live(connection, account.name, now)
            elif account.lacks and accounts.was_live(connection, account.name):
                reason = (
                    f"its credentials are gone: set {account.lacks} again, or write "
                    "`preview: true` where that is meant"
                )
                halt(connection, account.name, reason, account.fingerprint, now)


def resume_corrected(config: Config, database: Database, now: float) -> list[str]:
    """End the halts of accounts whose credentials were changed since; their names."""
    with database.write() as connection:
        return [
            standing.name
            for standing in accounts.standings(connection, now)
            if standing.halted
            and (account := config.accounts.get(standing.name)) is not None
            and (
                accounts.resume(connection, standing.name)
                if _is_meant(account)
                else account.fingerprint != standing.fingerprint
                and accounts.replace_refused(connection, standing.name, now)
            )
        ]


def _is_meant(account: AccountConfig) -> bool:
    return account.preview and not account.lacks


def _target(config: Config, target: ActionTarget | EmailTarget, limits: Limits) -> Target:
    if isinstance(target, EmailTarget):
        return Email(target)
    account = _destination(config.accounts[target.account], limits)
    action = account.kind.actions()[target.action]
    return ByAction(account.name, action, target.fields, account.connector, account.fingerprint)


def _destination(account: AccountConfig, limits: Limits) -> Destination:
    pacer = limits.pacer(account.name, account.connector, account.settings.timeout)
    return Destination(
        name=account.name,
        kind=account.connector,
        settings=account.settings,
        fingerprint=account.fingerprint,
        connector=None if account.preview else _connector(account, pacer),
        pacer=None if account.preview else pacer,
    )


def _connector(account: AccountConfig, pacer: AccountPacer) -> Connector:
    try:
        return account.connector(account.settings, pacer)
    except ValueError as error:
        raise OperatorError(f"account {account.name}: {error}") from error


def _patience(config: Config) -> Patience:
    delivery = config.delivery
    return Patience(
        attempts=delivery.attempts,
        max_age=delivery.max_age_seconds,
        first=delivery.backoff_seconds,
        cap=delivery.backoff_cap_seconds,
        jitter=random.random,
    )
