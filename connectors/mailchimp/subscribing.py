"""Subscribing people one by one and in bulk, so that nobody who has left comes back.

A bulk creation leaves members alone whatever their status, but takes an archived
one for somebody new (https://github.com/strangerstudios/pmpro-mailchimp/pull/152
relies on that): who is archived is asked before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from bridge.connector import Outcome, Rejected, Retry
from connectors.mailchimp.answers import CUSTOMER, Answer, delivered, kept_out, refusal
from connectors.mailchimp.bulk import Bulk, bulk, hashes_of, refused_in_bulk, tags_of
from connectors.mailchimp.crew import Crew
from connectors.mailchimp.members import (
    Person,
    Wanted,
    customer,
    merged,
    newcomer,
    newcomers,
    present,
    tagging,
    told_of,
)
from connectors.mailchimp.rounds import Outcomes, Settled, one_by_one
from connectors.mailchimp.settings import MailchimpSettings

PAGE = 1000
"""The most members that Mailchimp lists in one answer."""

_ARCHIVED = Answer(200, {"status": "archived"})

People = Sequence[Person]


@dataclass(frozen=True)
class Subscribing:
    """One batch. `ask` calls a method of the SDK; the crew makes the calls side by side."""

    settings: MailchimpSettings
    ask: Callable[..., Answer]
    crew: Crew

    def people(self, people: People) -> Settled:
        """Each in one audience; raises Halted."""
        settled: dict[Person, Outcomes] = {}
        by_audience = sorted(people, key=lambda person: person.list_id)
        for _, group in groupby(by_audience, key=lambda person: person.list_id):
            settled |= self._audience(list(group))
        return settled

    def _audience(self, people: People) -> Settled:
        """A bulk creation takes no permissions; and one person alone needs none."""
        alone = [person for person in people if _wanted(person).permissions]
        others = [person for person in people if person not in alone]
        if len(others) < 2:
            return self.crew.each(self._person, people)
        settled = dict(self._before_bulk(others))
        new = [person for person in others if person not in settled]
        settled |= self._in_bulk(new) if new else {}
        left = [person for person in people if person not in settled]
        return settled | dict(self.crew.each(self._person, left))

    # One person

    def _person(self, person: Person) -> Outcomes:
        return self._each(person, self._one(person, _wanted(person)))

    def _each(self, person: Person, outcome: Outcome) -> Outcomes:
        """Merged wishes share what becomes of them, unless one of them is wrong: which?"""
        if len(person.wishes) == 1 or not isinstance(outcome, Rejected):
            return [outcome] * len(person.wishes)
        return one_by_one(person, lambda wish: self._one(person, wish.wanted))

    def _one(self, person: Person, wanted: Wanted) -> Outcome:
        seen = self.ask("lists.get_list_member", *person.who, fields=["status"])
        if seen.status == 404:
            return self._put(person, wanted, is_new=True)
        if seen.ok and seen.body.get("status") == CUSTOMER:
            return self._welcome(person, wanted)
        return kept_out(seen, person.audience) or self._put(person, wanted)

    def _put(self, person: Person, wanted: Wanted, *, is_new: bool = False) -> Outcome:
        told = (newcomer if is_new else present)(self.settings, wanted)
        answer = self.ask("lists.set_list_member", *person.who, told)
        if answer.title == "Member Exists":  # somebody subscribed them in between
            answer = self.ask("lists.set_list_member", *person.who, told_of(wanted))
        if answer.ok and answer.body.get("status") == CUSTOMER:  # somebody sold them something
            return self._welcome(person, wanted)
        return kept_out(answer, person.audience) or self._tag(person, wanted.tags, answer)

    def _welcome(self, person: Person, wanted: Wanted) -> Outcome:
        """Somebody who bought before, and agrees for the first time: nobody who has left."""
        told = customer(self.settings, wanted)
        answer = self.ask("lists.update_list_member", *person.who, told)
        return kept_out(answer, person.audience) or self._tag(person, wanted.tags, answer)

    def _tag(self, person: Person, tags: Mapping[str, bool], there: Answer) -> Outcome:
        if tags:
            tagged = self.ask("lists.update_list_member_tags", *person.who, tagging(tags))
            if tagged.status != 204:
                return refusal(tagged, person.audience)
        return delivered(there, self.settings.centre)

    # Many people

    def _before_bulk(self, people: People) -> Settled:
        """Those who may not be in a bulk creation, with what became of them."""
        if self.crew.wall:
            return _all(people, self.crew.wall)
        first = people[0]
        answer = self.ask(
            "lists.get_list_members_info",
            first.list_id,
            status="archived",
            count=PAGE,
            fields=["members.id", "total_items"],
        )
        archived = hashes_of(answer)
        if archived is not None:
            gone = kept_out(_ARCHIVED, first.audience)
            return _all([one for one in people if one.who[1] in archived], gone) if gone else {}
        told = answer.ok or answer.status == 404
        barrier = None if told else refusal(answer, first.audience)
        if isinstance(barrier, Retry) and barrier.whole_account:
            self.crew.note(barrier)
            return _all(people, barrier)
        return self.crew.each(self._unless_new, people)

    def _unless_new(self, person: Person) -> Outcomes | None:
        """None for somebody whom Mailchimp does not know; the rest are brought up to date."""
        seen = self.ask("lists.get_list_member", *person.who, fields=["status"])
        if seen.status == 404:
            return None
        if seen.ok and seen.body.get("status") == CUSTOMER:
            return self._each(person, self._welcome(person, _wanted(person)))
        known = _wanted(person)
        return self._each(person, kept_out(seen, person.audience) or self._put(person, known))

    def _in_bulk(self, people: People) -> Settled:
        """Those who are created, and those who are refused for a reason that is told."""
        if self.crew.wall:
            return _all(people, self.crew.wall)
        told = newcomers(self.settings, [_wanted(person) for person in people])
        first = people[0]
        answer = self.ask("lists.batch_list_members", first.list_id, told)
        if not answer.ok:
            whole = refusal(answer, first.audience)
            self.crew.note(whole)
            if answer.status == 404 or (isinstance(whole, Retry) and whole.whole_account):
                return _all(people, whole)
            return {}  # somebody spoils it for all, or it took too long: each alone tells more
        said = bulk(answer)
        return self._created(said, people) | dict(_refused(said, people))

    def _created(self, said: Bulk, people: People) -> dict[Person, Outcomes]:
        """Created, and tagged where the bulk creation did not do so."""
        created = [person for person in people if person.address in said.created]
        return dict(self.crew.each(lambda person: self._finished(person, said), created))

    def _finished(self, person: Person, said: Bulk) -> Outcomes:
        there = said.created[person.address]
        barrier = kept_out(there, person.audience)
        if barrier:
            return self._each(person, barrier)
        has = tags_of(there)
        wanted = [tag for tag, is_on in _wanted(person).tags.items() if is_on]
        missing = {tag: True for tag in wanted if tag.casefold() not in has}
        return self._each(person, self._tag(person, missing, there))


def _wanted(person: Person) -> Wanted:
    return merged([wish.wanted for wish in person.wishes])


def _all(people: People, outcome: Outcome) -> Settled:
    return {person: [outcome] * len(person.wishes) for person in people}


def _refused(said: Bulk, people: People) -> Settled:
    refused = {
        person: refused_in_bulk(said.refused[person.address], person.audience)
        for person in people
        if person.address in said.refused and person.address not in said.created
    }
    return {
        person: [outcome] * len(person.wishes)
        for person, outcome in refused.items()
        # Of several that were merged, one alone may be wrong.
        if outcome and not (isinstance(outcome, Rejected) and len(person.wishes) > 1)
    }
