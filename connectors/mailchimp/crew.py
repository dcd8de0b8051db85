"""Calls for many people side by side, as many at once as the account may make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bridge.connector import Outcome, Retry
from connectors.mailchimp.members import Person
from connectors.mailchimp.rounds import Outcomes, Settled

FAILURES = 5
"""So many in a row without an answer, and Mailchimp is taken to be away."""


class Crew:
    """One batch's calls. Whatever stops the whole account stops what is left of the batch."""

    def __init__(self, hands: int) -> None:
        self._hands = hands
        self._failures = 0
        self.wall: Retry | None = None

    def each(self, work: Callable[[Person], Outcomes | None], people: Sequence[Person]) -> Settled:
        """What `work` says of each person, but for those of whom it says None; raises Halted."""
        if not people:
            return {}
        with ThreadPoolExecutor(min(self._hands, len(people))) as pool:
            done = list(pool.map(lambda person: self._one(work, person), people))
        return {person: said for person, said in zip(people, done, strict=True) if said is not None}

    def note(self, outcome: Outcome | None) -> None:
        """Count what got no answer; what is about the whole account stops the rest."""
        if not isinstance(outcome, Retry):
            self._failures = 0
        elif outcome.whole_account:
            self.wall = outcome
        elif outcome.after is None:
            self._failures += 1
            if self._failures >= FAILURES:
                self.wall = Retry("Mailchimp fails again and again", whole_account=True)

    def _one(self, work: Callable[[Person], Outcomes | None], person: Person) -> Outcomes | None:
        if self.wall is not None:
            return [self.wall] * len(person.wishes)
        said = work(person)
        self.note(said[-1] if said else None)
        return said
