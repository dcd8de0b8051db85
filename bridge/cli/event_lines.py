"""The list of events as lines: what each column says, and how wide it may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.cli.screen import clean, clock_time, duration, stated
from bridge.ledger.look_up import EventSummary

HEADINGS = ("id", "time", "source", "type", "who", "what happened")
# What a person should see first.
_ORDER = (
    *("dead", "rejected", "quarantined", "delivered", "routed", "previewed"),
    *("suppressed", "unrouted", "sending", "waiting", "scheduled"),
)
_GAP = 1
_SHORTEST_SOURCE = 10
_FAIR_WHO = 14
_SHORTEST = 8
_LONGEST_HAPPENED = 28
# For what comes later: `2 delivered, 1 suppressed`.
_ROOM_TO_FOLLOW = 25


def happened(event: EventSummary, now: float) -> Text:
    """What became of it, in its states' colours: `2 delivered, 1 suppressed`.

    With when the next of it is due: `1 scheduled in 2 days, 03 Jul 09:00`.
    """
    if event.state == "quarantined":
        return stated("quarantined", f"quarantined: {event.reason}")
    if event.state == "waiting":
        return stated("waiting")
    if not event.deliveries:
        return stated("unrouted", f"unrouted: {event.reason or 'no rule matched'}")
    told = counted_states(event.deliveries)
    return told if event.due_at is None else told.append(f" {when(event.due_at, now)}")


def when(due_at: float, now: float) -> str:
    """`in 2 days, 03 Jul 09:00`; what is overdue is taken up any moment."""
    return f"in {duration(max(due_at - now, 0.0))}, {clock_time(due_at, now)}"


def counted_states(counts: Mapping[str, int]) -> Text:
    """`1 dead, 2 delivered`, each in its colour, what a person should see first first."""
    states = sorted(counts, key=rank)
    return Text(", ").join(stated(state, f"{counts[state]:,} {state}") for state in states)


def is_settled(event: EventSummary) -> bool:
    """Nothing more will happen to it now by itself; what is scheduled will, later."""
    under_way = {"waiting", "sending"} & set(event.deliveries)
    return event.state != "waiting" and not under_way


def rank(state: str) -> int:
    """To sort states by: what a person should see first comes first."""
    return _ORDER.index(state) if state in _ORDER else len(_ORDER)


@dataclass(frozen=True)
class Layout:
    """The widths of the columns in cells, in the order of HEADINGS."""

    widths: Sequence[int]

    @classmethod
    def fitting(
        cls, events: Sequence[EventSummary], now: float, width: int, *, follow: bool = False
    ) -> Layout:
        """So that every id and every outcome can be read; who and type share what is left.

        `follow` leaves room for outcomes that are longer than those of now.
        """
        rows = [_cells(event, now) for event in events]
        widest = [
            max([len(HEADINGS[column]), *(row[column].cell_len for row in rows)])
            for column in range(len(HEADINGS))
        ]
        number, time, source, kind, who, what = widest
        source = min(source, max(_SHORTEST_SOURCE, told_apart([row[2].plain for row in rows])))
        what = min(max(what, _ROOM_TO_FOLLOW if follow else 0), _LONGEST_HAPPENED)
        room = width - number - time - source - what - _GAP * (len(HEADINGS) - 1)
        fair = max(_SHORTEST, room - min(who, _FAIR_WHO))
        if room - (apart := told_apart([row[3].plain for row in rows])) >= _SHORTEST:
            fair = max(fair, apart)
        kind = min(kind, fair)
        who = min(who, max(_SHORTEST, room - kind))
        what = max(_SHORTEST, what + room - kind - who)
        return cls((number, time, source, kind, who, what))

    def print(
        self, console: Console, events: Iterable[EventSummary], now: float, *, heading: bool = False
    ) -> None:
        """Values that are too long end with an ellipsis; what happened goes on on the next line."""
        table = Table(
            box=None,
            padding=(0, _GAP, 0, 0),
            pad_edge=False,
            show_header=heading,
            header_style="dim",
        )
        for name, width in zip(HEADINGS, self.widths, strict=True):
            last = name == HEADINGS[-1]
            table.add_column(
                name,
                width=width,
                no_wrap=not last,
                overflow="fold" if last else "ellipsis",
                justify="right" if name == "id" else "left",
            )
        for event in events:
            table.add_row(*_cells(event, now))
        console.print(table)


def told_apart(names: Iterable[str]) -> int:
    """The width at which no two of them look alike, though longer ones end with an ellipsis."""
    different = sorted(set(names))
    longest = max(map(len, different), default=0)
    for width in range(1, longest):
        if len({_cut(name, width) for name in different}) == len(different):
            return width
    return longest


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 1] + "…"


def _cells(event: EventSummary, now: float) -> list[Text]:
    return [
        Text(event.id, style="bold"),
        Text(clock_time(event.received_at, now), style="dim"),
        Text(clean(event.source)),
        Text(clean(event.type)),
        Text(clean(event.who or "")),
        happened(event, now),
    ]
