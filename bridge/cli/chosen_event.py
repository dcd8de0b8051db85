"""Which webhook a command is about: a recorded one, a sample, or a body in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.cli.event import EVENT, find, parse
from bridge.cli.outgoing import Outgoing, named_samples, own_body
from bridge.cli.screen import clean, counted, full_time
from bridge.config import Config
from bridge.engine.rehearse import Rehearsal, RehearsedEvent, arriving, filled_in
from bridge.errors import OperatorError
from bridge.ledger.database import Connection, Database
from bridge.ledger.plan import Waiting
from bridge.ledger.prune import pruned_at
from bridge.ledger.replay import as_if_replayed
from bridge.ledger.stories import event_id
from bridge.regular_files import why


@dataclass(frozen=True)
class Subject:
    """A webhook, and what it is called. `position` is the one event of it that is meant.

    `note` is what to know before all else.
    """

    waiting: Waiting
    named: str
    position: int | None = None
    note: str = ""
    is_sample: bool = False

    def name_of(self, event: RehearsedEvent) -> str:
        """Of one of its events, where there are several."""
        number = self.waiting.number
        return f"event {event_id(number, event.position)}" if number else self.named

    def events(self, rehearsal: Rehearsal) -> Sequence[RehearsedEvent]:
        """Those that are meant; raises OperatorError where there are none."""
        if rehearsal.plan.state == "quarantined":
            reason = clean(str(rehearsal.plan.reason))
            raise OperatorError(f"{self.named} cannot be tried: {reason}")
        found = rehearsal.events
        chosen = [each for each in found if self.position in (None, each.position)]
        if not found:
            raise OperatorError(f"{self.named} holds no event{_because(self.note)}")
        if not chosen:
            has = counted(len(found), "event")
            raise OperatorError(f"there is no {self.named}: {self.waiting.number} has {has}")
        return chosen


def is_event(name: str) -> bool:
    """Whether it looks like the id of a recorded event."""
    return EVENT.fullmatch(name) is not None


def recorded(database: Database, name: str) -> Subject:
    """A webhook of the ledger; raises OperatorError where it has none, or not its body."""
    number, position = parse(name)
    story = find(database, number, limit=1, with_contents=False)
    with database.read() as connection:
        _require_body(connection, number)
        [waiting] = as_if_replayed(connection, [number])
    note = ""
    if story.state == "quarantined":
        note = f"it is kept for a person: {clean(str(story.reason))}"
    return Subject(waiting, f"event {name}", position, note)


def _require_body(connection: Connection, number: int) -> None:
    pruned = pruned_at(connection, number)
    if pruned is not None:
        raise OperatorError(
            f"the body of event {number} was deleted for its age on {full_time(pruned)}, so "
            f"nothing can be tried with it; `showbridge why {number}` shows what was decided"
        )


def sample(config: Config, name: str, source: str | None, now: float) -> Subject:
    """A shipped sample as if it came in now; raises OperatorError."""
    try:
        [outgoing] = named_samples(config, [name], source)
    except OperatorError as error:
        advice = "; events are numbers, as `showbridge events` lists them"
        raise OperatorError(f"{error}{'' if 'did you mean' in str(error) else advice}") from None
    return _sent(outgoing, f"the sample {name} of {outgoing.source.name}", now)


def of_file(config: Config, file: Path, source: str | None, now: float) -> Subject:
    """A body of one's own as if it came in now; raises OperatorError."""
    try:
        body = file.read_bytes()
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {why(error)}") from error
    outgoing = own_body(config, body, file.name, source)
    return _sent(outgoing, f"the body in {file.name}", now)


def _sent(outgoing: Outgoing, named: str, now: float) -> Subject:
    waiting = arriving(outgoing.source, filled_in(outgoing.text), now)
    return Subject(waiting, named, is_sample=outgoing.is_sample)


def _because(note: str) -> str:
    return f": {note}" if note else ""
