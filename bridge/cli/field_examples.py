"""The fields of events, each with an example: from what came in, else the documented one."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.config import Config, SourceConfig
from bridge.engine.route import events_of
from bridge.errors import OperatorError
from bridge.ledger.database import Connection
from bridge.ledger.look_up import Filters, recent
from bridge.ledger.plan import Waiting
from bridge.ledger.replay import as_if_replayed
from bridge.ledger.stories import event_id
from bridge.logs import place_of
from bridge.rules.common_fields import COMMON_FIELDS
from bridge.rules.conditions import glob
from bridge.rules.seen import Seen
from bridge.rules.values import is_personal, say, view
from bridge.rules.vocabulary import vocabulary
from bridge.source import Field, FieldKind, Source
from bridge.wording import meant

log = logging.getLogger(__name__)

LOOKED_AT = 300
"""Of the newest webhooks of a source, for examples."""

KIND_WORDS: Mapping[FieldKind, str] = {"money": "amount", "anything": "any"}


@dataclass(frozen=True)
class FieldExample:
    """A field of a source's events. `event` is where the example is from; None: it was made up."""

    source: str
    field: Field
    example: str
    event: str | None

    @property
    def kind(self) -> str:
        return KIND_WORDS.get(self.field.kind, self.field.kind)


class Examples:
    """What the newest events of a source hold.

    What could tell who somebody is is left out, unless it is `shown`.
    """

    def __init__(self, waiting: Sequence[Waiting], source: Source, *, shown: bool) -> None:
        self._events = list(_events(waiting, source))
        self._shown = shown

    @property
    def types(self) -> tuple[str, ...]:
        """Of the events that were looked at."""
        return tuple(dict.fromkeys(event_type for _, event_type, _ in self._events))

    def of(self, path: str, types: Sequence[str]) -> tuple[str, str] | None:
        """The newest value, and the id of its event."""
        for name, event_type, seen in self._events:
            found = seen.find(path) if _fits(event_type, types) else []
            told = [value for value in found if not isinstance(value, Mapping)]
            if told and (self._shown or not is_personal(path, told)):
                return say(told[0]), name
        return None


def _events(waiting: Sequence[Waiting], source: Source) -> Iterator[tuple[str, str, Seen]]:
    """The newest first; what cannot be read gives no example."""
    for each in waiting:
        try:
            events = events_of(each, source)
        except Exception as error:  # noqa: BLE001  # a source's bug
            log.warning("webhook %d gives no example: %s", each.number, place_of(error))
            continue
        for position, event in enumerate(events, start=1):
            yield event_id(each.number, position), event.type, Seen(view(event))


def newest(connection: Connection, source: str) -> list[Waiting]:
    """The newest webhooks of a source, the newest first."""
    listed = recent(connection, Filters(source=source), LOOKED_AT)
    numbers = sorted({each.webhook for each in listed}, reverse=True)[:LOOKED_AT]
    found = as_if_replayed(connection, numbers)
    return sorted(found, key=lambda each: each.number, reverse=True)


def chosen_types(config: Config, event: str | None) -> Mapping[str, tuple[str, ...]]:
    """By source, the types that are asked for; none stands for all. Raises OperatorError."""
    known = {name: each.source.event_types for name, each in config.sources.items()}
    if event is None:
        return dict.fromkeys(known, ())
    chosen = {
        name: tuple(one for one in types if glob(one, event)) for name, types in known.items()
    }
    found = {name: types for name, types in chosen.items() if types}
    if not found:
        every = [one for types in known.values() for one in types]
        raise OperatorError(f"no source publishes `{event}`; {meant(event, every)}")
    return found


def field_examples(
    config: Config, source: SourceConfig, types: Sequence[str], examples: Examples
) -> Iterator[FieldExample]:
    """Those that events of these types carry: common ones first, the sender's own data last."""
    kinds = {name: type(each.source) for name, each in config.sources.items()}
    known = set(vocabulary(kinds, [source.name], tuple(types)).paths())
    common = [field for field in COMMON_FIELDS if field.kind != "anything"]
    raw = [field for field in COMMON_FIELDS if field.kind == "anything"]
    for field in [*common, *source.source.fields, *raw]:
        if field.path in known or field in COMMON_FIELDS:
            found = examples.of(field.path, types)
            text, event = found or (_documented(field.example), None)
            yield FieldExample(source.name, field, text, event)


def _fits(event_type: str, types: Sequence[str]) -> bool:
    return not types or any(glob(event_type, one) for one in types)


def _documented(example: Any) -> str:
    return "" if example in ([], {}, None) else say(example)
