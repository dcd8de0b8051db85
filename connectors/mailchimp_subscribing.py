"""Subscribing people one by one and in bulk, so that nobody who has left comes back.

A bulk creation leaves members alone whatever their status, but takes an archived
one for somebody new (https://github.com/strangerstudios/pmpro-mailchimp/pull/152
relies on that): who is archived is asked before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bridge.connector import Outcome, Rejected, Retry
from connectors.mailchimp_answers import Answer, delivered, kept_out, no_audience, refusal
from connectors.mailchimp_bulk import Bulk, bulk, hashes_of, refused_in_bulk, tags_of
from connectors.mailchimp_crew import Crew, Outcomes, Settled
from connectors.mailchimp_members import (
    MailchimpSettings,
    Person,
    Subscribe,
    member,
    member_hash,
    merged,
    newcomers,
    tagging,
)

PAGE = 1000
"""The most members that Mailchimp lists in one answer."""

_ARCHIVED = Answer(200, {"status": "archived"})

People = Sequence[Person[Subscribe]]


@dataclass(frozen=True)
class Subscribing:
    """One batch. `ask` calls a method of the SDK's lists; the crew makes the calls."""

    settings: MailchimpSettings
    ask: Callable[..., Answer]
    crew: Crew

    def people(self, people: People) -> Settled:
        """People of one audience; raises Halted. One alone needs no bulk."""
        if len(people) == 1 or not people[0].list_id:
            return self.crew.each(self._person, people)
        settled = dict(self._before_bulk(people))
        new = [person for person in people if person not in settled]
        settled.update(self._in_bulk(new) if new else {})
        left = [person for person in new if person not in settled]
        return settled | dict(self.crew.each(self._person, left))

    # One person

    def _person(self, person: Person[Subscribe]) -> Outcomes:
        return self._each(person, self._one(merged(person.items)))

    def _each(self, person: Person[Subscribe], outcome: Outcome) -> Outcomes:
        """Merged items share what becomes of them, unless one of them is wrong: which?"""
        if len(person.items) == 1 or not isinstance(outcome, Rejected):
            return [outcome] * len(person.items)
        outcomes: Outcomes = []
        for item in person.items:
            before = outcomes[-1] if outcomes else None
            outcomes.append(before if isinstance(before, Retry) else self._one(item))
        return outcomes

    def _one(self, item: Subscribe) -> Outcome:
        who = (self.settings.list_id(item.audience), member_hash(item.email))
        if not who[0]:
            return no_audience(item.audience)
        seen = self.ask("get_list_member", *who, fields=["status"])
        barrier = None if seen.status == 404 else kept_out(seen, item.audience)
        return barrier or self._put(who, item)

    def _put(self, who: tuple[str, str], item: Subscribe) -> Outcome:
        answer = self.ask("set_list_member", *who, member(self.settings, item))
        if answer.title == "Member Exists":  # somebody subscribed them in between
            known = member(self.settings, item, new=False)
            answer = self.ask("set_list_member", *who, known)
        return kept_out(answer, item.audience) or self._tag(who, item, answer)

    def _tag(self, who: tuple[str, str], item: Subscribe, there: Answer) -> Outcome:
        if item.tags:
            tagged = self.ask("update_list_member_tags", *who, tagging(item))
            if tagged.status != 204:
                return refusal(tagged, item.audience)
        return delivered(there, self.settings.centre)

    # Many people

    def _before_bulk(self, people: People) -> Settled:
        """Those who may not be in a bulk creation, with what became of them."""
        first = people[0]
        answer = self.ask(
            "get_list_members_info",
            first.list_id,
            status="archived",
            count=PAGE,
            fields=["members.id", "total_items"],
        )
        archived = hashes_of(answer)
        if archived is not None:
            gone = kept_out(_ARCHIVED, first.audience)
            return {
                person: [gone] * len(person.items)
                for person in people
                if gone and person.hash in archived
            }
        told = answer.ok or answer.status == 404
        barrier = None if told else refusal(answer, first.audience)
        if isinstance(barrier, Retry) and barrier.whole_account:
            return {person: [barrier] * len(person.items) for person in people}
        return self.crew.each(self._unless_new, people)

    def _unless_new(self, person: Person[Subscribe]) -> Outcomes | None:
        """None for somebody whom Mailchimp does not know; the rest are brought up to date."""
        who = (person.list_id, person.hash)
        seen = self.ask("get_list_member", *who, fields=["status"])
        if seen.status == 404:
            return None
        known = merged(person.items)
        return self._each(person, kept_out(seen, person.audience) or self._put(who, known))

    def _in_bulk(self, people: People) -> Settled:
        """Those who are created, and those who are refused for a reason that is told."""
        if self.crew.wall:
            return {person: [self.crew.wall] * len(person.items) for person in people}
        items = [merged(person.items) for person in people]
        first = people[0]
        answer = self.ask("batch_list_members", first.list_id, newcomers(self.settings, items))
        if not answer.ok:
            whole = refusal(answer, first.audience)
            if answer.status == 404 or (isinstance(whole, Retry) and whole.whole_account):
                return {person: [whole] * len(person.items) for person in people}
            return {}  # somebody spoils it for all, or it took too long: each alone tells more
        said = bulk(answer)
        return self._created(said, people) | dict(_refused(said, people))

    def _created(self, said: Bulk, people: People) -> dict[Person[Subscribe], Outcomes]:
        """Created, and tagged where the bulk creation did not do so."""
        created = [person for person in people if person.address in said.created]
        return dict(self.crew.each(lambda person: self._finished(person, said), created))

    def _finished(self, person: Person[Subscribe], said: Bulk) -> Outcomes:
        there, wanted = said.created[person.address], merged(person.items)
        barrier = kept_out(there, person.audience)
        if barrier:
            return self._each(person, barrier)
        has = tags_of(there)
        missing = [tag for tag in wanted.tags if tag.casefold() not in has]
        who = (person.list_id, person.hash)
        todo = wanted.model_copy(update={"tags": missing})
        return self._each(person, self._tag(who, todo, there))


def _refused(said: Bulk, people: People) -> Mapping[Person[Subscribe], Outcomes]:
    refused = {
        person: refused_in_bulk(said.refused[person.address], person.audience)
        for person in people
        if person.address in said.refused and person.address not in said.created
    }
    return {
        person: [outcome] * len(person.items)
        for person, outcome in refused.items()
        # Of several items that were merged, one alone may be wrong.
        if outcome and not (isinstance(outcome, Rejected) and len(person.items) > 1)
    }
