"""A batch in order: nothing of a person is done after what has to be tried again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from bridge.connector import Outcome, Retry
from connectors.mailchimp.members import Person, Wish, people_of

Outcomes = list[Outcome]
Settled = Mapping[Person, Outcomes]


def settle(wishes: Sequence[Wish], do: Callable[[Sequence[Person]], Settled]) -> list[Outcome]:
    """One outcome for each wish; `do` gets people of whom each is in one audience only."""
    outcomes: dict[int, Outcome] = {}
    held: dict[str, Retry] = {}
    for places in _rounds(wishes):
        ready = {}
        for place in places:
            wish = wishes[place]
            stopped = held.get(wish.address) or wish.refused
            if stopped is None:
                ready[place] = wish
                continue
            outcomes[place] = stopped
            if isinstance(stopped, Retry):
                held[wish.address] = stopped
        outcomes |= _done(do(people_of(ready)) if ready else {}, held)
    return [outcomes[place] for place in range(len(wishes))]


def _done(settled: Settled, held: dict[str, Retry]) -> Iterator[tuple[int, Outcome]]:
    for person, said in settled.items():
        last = said[-1]
        if isinstance(last, Retry):
            held[person.address] = last
        yield from zip(person.places, said, strict=True)


def _rounds(wishes: Sequence[Wish]) -> list[list[int]]:
    """The places of the wishes, in order; whoever turns to another audience is in a later one."""
    latest: dict[str, tuple[int, str]] = {}
    rounds: list[list[int]] = []
    for place, wish in enumerate(wishes):
        number, list_id = latest.get(wish.address, (0, wish.list_id))
        number += wish.list_id != list_id
        latest[wish.address] = (number, wish.list_id)
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(place)
    return rounds


def one_by_one(person: Person, do: Callable[[Wish], Outcome]) -> Outcomes:
    """Each wish of a person by itself, until one has to be tried again."""
    outcomes: Outcomes = []
    for wish in person.wishes:
        before = outcomes[-1] if outcomes else None
        outcomes.append(before if isinstance(before, Retry) else do(wish))
    return outcomes
