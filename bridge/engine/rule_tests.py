"""Runs the tests beside rules: what comes in is planned as live, and compared with what they say.

Nothing is written or sent. A test has a time of its own, never today's, so what
it says stays true.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bridge.config import Config
from bridge.engine.expecting import Complaint, Trial, complaints
from bridge.engine.rehearse import Rehearsal, Stage, filled_in
from bridge.engine.route import events_of
from bridge.errors import Malformed
from bridge.event import Event, Identity, Webhook
from bridge.ledger.database import Database
from bridge.ledger.plan import Waiting
from bridge.ledger.prune import pruned_at
from bridge.ledger.replay import as_if_replayed
from bridge.rules import RuleSet
from bridge.rules.changes import CannotSet, changed
from bridge.rules.expected import Expectation, Given
from bridge.source import Source

State = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class Result:
    """What became of one test. `skipped`, for the `reason`: nobody can tell whether it holds."""

    test: Expectation
    state: State
    complaints: tuple[Complaint, ...] = ()
    reason: str = ""


def run_tests(rules: RuleSet, config: Config, database: Database | None = None) -> list[Result]:
    """One result for each test, in their order. `database` is where recorded events are."""
    stage = Stage.of(config, rules)
    return [_Run(stage, database, test).result() for test in rules.tests]


def failing(rules: RuleSet, config: Config, database: Database | None = None) -> list[str]:
    """What does not hold, a line for each test that fails."""
    return [
        f"{each.test.file}:{each.test.line}: {each.test.name}: {each.complaints[0].what}"
        for each in run_tests(rules, config, database)
        if each.state == "failed"
    ]


def rehearsed(stage: Stage, given: Given, waiting: Waiting) -> Rehearsal:
    """What comes in as a test says, planned as live; raises CannotSet, and Malformed."""
    source = stage.router.sources[waiting.webhook.source]
    events = [changed(each, given.changes) for each in events_of(waiting, source)]
    sources = {**stage.router.sources, waiting.webhook.source: _Prepared(source, events)}
    prepared = replace(stage, router=replace(stage.router, sources=sources))
    return prepared.rehearse(waiting, waiting.webhook.received_at)


def sampled(source: str, kind: Source, given: Given) -> Waiting:
    """A sample as it comes in, whatever the receiver would say of it; raises StopIteration."""
    text = next(each.text for each in kind.samples() if each.name == given.sample)
    received = given.received or kind.sampled_at
    webhook = Webhook(source, filled_in(text.encode()), {}, received.timestamp())
    return Waiting(0, f"test {given.sample}", webhook, replayed=False)


class _Skipped(Exception):
    """Why nobody can tell what comes in."""


@dataclass(frozen=True)
class _Run:
    stage: Stage
    database: Database | None
    test: Expectation

    def result(self) -> Result:
        try:
            rehearsal = rehearsed(self.stage, self.test.given, self._waiting(self.test.given))
            found = tuple(self._complaints(rehearsal))
        except _Skipped as why:
            return Result(self.test, "skipped", reason=str(why))
        except Malformed as error:
            reason = f"what came in cannot be read: {error.reason}"
            return Result(self.test, "skipped", reason=reason)
        except CannotSet as why:
            found = (Complaint("given", str(why)),)
        return Result(self.test, "failed" if found else "passed", found)

    def _complaints(self, rehearsal: Rehearsal) -> Iterator[Complaint]:
        if rehearsal.plan.state == "quarantined":
            yield Complaint("given", f"it would be kept for a person: {rehearsal.plan.reason}")
            return
        yield from complaints(self._trial(rehearsal))

    def _waiting(self, given: Given) -> Waiting:
        if given.event:
            return self._recorded(given)
        return sampled(given.source, self.stage.router.sources[given.source], given)

    def _recorded(self, given: Given) -> Waiting:
        number = int(given.event.partition("-")[0])
        if self.database is None:
            raise _Skipped("there is no ledger here that could hold its event")
        with self.database.read() as connection:
            found = as_if_replayed(connection, [number])
            emptied = pruned_at(connection, number) is not None
        if not found:
            raise _Skipped(f"event {number} is not in the ledger")
        if emptied:
            raise _Skipped(f"what came in as event {number} is no longer kept; use a sample")
        waiting = found[0]
        if waiting.webhook.source not in self.stage.router.sources:
            raise _Skipped(f"the source {waiting.webhook.source} is no longer configured")
        if given.received is None:
            return waiting
        received = given.received.timestamp()
        return replace(waiting, webhook=replace(waiting.webhook, received_at=received))

    def _trial(self, rehearsal: Rehearsal) -> Trial:
        """Of the one event that is named, where one is; raises _Skipped."""
        number, _, position = self.test.given.event.partition("-")
        events = [
            each for each in rehearsal.events if not position or each.position == int(position)
        ]
        if position and not events:
            named = f"{number}-{position}"
            raise _Skipped(f"there is no event {named} in what came in as event {number}")
        return Trial(self.test, events, rehearsal.stage.rules)


class _Prepared(Source):
    """A source whose events are there already."""

    def __init__(self, source: Source, events: Sequence[Event]) -> None:
        self._source = source
        self._events = tuple(events)

    @property
    def show_field(self) -> str | None:  # type: ignore[override]
        return self._source.show_field

    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        return self._events

    def verify(self, webhook: Webhook) -> None:
        self._source.verify(webhook)

    def identify(self, webhook: Webhook) -> Identity:
        return self._source.identify(webhook)

    def sign(self, body: bytes, secret: str, now: float) -> Mapping[str, str]:
        return self._source.sign(body, secret, now)
