"""What rules would do with the newest events: tried one by one, and counted for each rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.cli.tried import stopped_by
from bridge.engine.rehearse import Rehearsal, RehearsedEvent, Stage, once_only
from bridge.ledger.database import Connection
from bridge.ledger.look_up import Filters, recent
from bridge.ledger.replay import as_if_replayed
from bridge.ledger.selection import pruned_among
from bridge.ledger.stories import event_id
from bridge.rules import Rule, examine

_PORTION = 500


@dataclass
class Reason:
    """Why a rule did not match: how often, how often for nothing else, and one event's case.

    `words` are empty where it was none of the conditions.
    """

    count: int = 0
    alone: int = 0
    example: str = ""
    words: str = ""

    def note(self, event: str, words: str, *, alone: bool) -> None:
        self.count += 1
        self.alone += alone
        self.example, self.words = event, words


@dataclass
class Tally:
    """What one rule would do with all the events."""

    rule: Rule
    asked: int = 0
    matched: list[str] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    not_sent: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    reasons: dict[str, Reason] = field(default_factory=lambda: defaultdict(Reason))

    @property
    def most_frequent(self) -> list[tuple[str, Reason]]:
        return sorted(self.reasons.items(), key=lambda pair: (-pair[1].count, -pair[1].alone))


@dataclass
class Survey:
    """What was looked at, and a tally for each rule by its name. Times in Unix seconds."""

    tallies: Mapping[str, Tally]
    events: int = 0
    first: float | None = None
    last: float | None = None
    pruned: int = 0
    unusable: int = 0


def survey(connection: Connection, stage: Stage, last: int) -> Survey:
    """Tries the newest events, in the order of receipt, each as if it came in then."""
    listed = recent(connection, Filters(), last)[::-1]
    wanted = {each.id for each in listed}
    numbers = list(dict.fromkeys(each.webhook for each in listed))
    found = Survey({rule.name: Tally(rule) for rule in stage.rules.rules})
    rehearsals: list[Rehearsal] = []
    for start in range(0, len(numbers), _PORTION):
        portion = numbers[start : start + _PORTION]
        gone = pruned_among(connection, portion)
        found.pruned += len(gone)
        there = [number for number in portion if number not in gone]
        waiting = sorted(as_if_replayed(connection, there), key=lambda each: each.number)
        rehearsals += [stage.rehearse(each, each.webhook.received_at) for each in waiting]
    for rehearsal in once_only(connection, rehearsals):
        _note(found, rehearsal, wanted)
    return found


def _note(found: Survey, rehearsal: Rehearsal, wanted: set[str]) -> None:
    if not rehearsal.events:
        found.unusable += 1
    for event in rehearsal.events:
        name = event_id(rehearsal.waiting.number, event.position)
        if name in wanted:
            received_at = rehearsal.waiting.webhook.received_at
            found.events += 1
            found.first = received_at if found.first is None else found.first
            found.last = received_at
            _tally(found.tallies, event, name)


def _tally(tallies: Mapping[str, Tally], event: RehearsedEvent, name: str) -> None:
    stopped = stopped_by(event)
    for verdict in event.verdicts:
        tally = tallies[verdict.rule]
        tally.asked += 1
        if verdict.matched:
            tally.matched.append(name)
        elif verdict.rule in stopped:
            words = f"not asked: “{stopped[verdict.rule]}” matched and stops"
            tally.reasons[words].note(name, "", alone=True)
        else:
            _note_reasons(tally, event, name)
    for delivery in event.deliveries:
        planned = delivery.planned
        action = f"{planned.account}.{planned.action}"
        if delivery.is_sent:
            tallies[planned.rule].sent[action] += 1
        else:
            why = (action, planned.state, str(planned.reason))
            tallies[planned.rule].not_sent[why] += 1


def _note_reasons(tally: Tally, event: RehearsedEvent, name: str) -> None:
    examination = examine(tally.rule, event.event)
    reasons = [(words, "") for words in examination.kept_from]
    reasons += [(one.sentence, one.why_not) for one in examination.failed]
    for sentence, words in reasons:
        tally.reasons[sentence].note(name, words, alone=len(reasons) == 1)
