"""Calls for many people side by side, as many at once as the account may make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bridge.connector import Outcome, Retry
from connectors.mailchimp_members import Person

FAILURES = 5
"""So many in a row without an answer, and Mailchimp is taken to be away."""

Outcomes = list[Outcome]
Settled = Mapping[Person[Any], Outcomes]


class Crew:
    """One batch's calls. Whatever stops the whole account stops what is left of the batch."""

    def __init__(self, hands: int) -> None:
        self._hands = hands
        self._failures = 0
        self.wall: Retry | None = None

    def each(
        self, work: Callable[[Person[Any]], Outcomes | None], people: Sequence[Person[Any]]
    ) -> Settled:
        """What `work` says of each person, but for those of whom it says None; raises Halted."""
        with ThreadPoolExecutor(self._hands) as pool:
            done = list(pool.map(lambda person: self._one(work, person), people))
        return {person: said for person, said in zip(people, done, strict=True) if said is not None}

    def _one(
        self, work: Callable[[Person[Any]], Outcomes | None], person: Person[Any]
    ) -> Outcomes | None:
        if self.wall is not None:
            return [self.wall] * len(person.items)
        said = work(person)
        self._note(said)
        return said

    def _note(self, said: Outcomes | None) -> None:
        last = said[-1] if said else None
        if not isinstance(last, Retry):
            self._failures = 0
        elif last.whole_account:
            self.wall = last
        elif last.after is None:
            self._failures += 1
            if self._failures >= FAILURES:
                self.wall = Retry("Mailchimp fails again and again", whole_account=True)
