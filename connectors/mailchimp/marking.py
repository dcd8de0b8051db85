"""Tags and events for people who are there; nobody is put on a list by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.connector import Delivered, Outcome, Retry, Suppressed, Unknown
from connectors.mailchimp.answers import CUSTOMER, Answer, delivered, kept_out, refusal
from connectors.mailchimp.members import Person, member_hash, tagging
from connectors.mailchimp.settings import MailchimpSettings

DELIVERY = "delivery"
"""The property of an event by which it is found again."""
LATEST = 100


@dataclass(frozen=True)
class Happening:
    """A member's event; `at` is its time in ISO 8601, where it is known."""

    name: str
    properties: Mapping[str, str] = field(default_factory=dict)
    at: str = ""
    sent_as: str = ""

    def told(self) -> dict[str, Any]:
        properties = {**self.properties, **({DELIVERY: self.sent_as} if self.sent_as else {})}
        told: dict[str, Any] = {"name": self.name}
        told |= {"properties": properties} if properties else {}
        return told | ({"occurred_at": self.at} if self.at else {})


@dataclass(frozen=True)
class Marking:
    """What is said of people beside their standing in the audience."""

    settings: MailchimpSettings
    ask: Callable[..., Answer]

    def tags(self, person: Person, tags: Mapping[str, bool]) -> Outcome:
        seen = self._seen(person)
        barrier = _left(seen, person.audience)
        if barrier:
            return barrier
        return self._done(person, seen, "lists.update_list_member_tags", tagging(tags))

    def event(self, person: Person, happening: Happening) -> Outcome:
        """Unknown where it may have been logged: Mailchimp would log it twice."""
        seen = self._seen(person)
        barrier = _left(seen, person.audience)
        if barrier:
            return barrier
        told = happening.told()
        return self._done(person, seen, "lists.create_list_member_event", told, once=True)

    def logged(self, list_id: str, email: str, sent_as: str) -> Delivered | Retry | Unknown | None:
        """Whether an event is among the person's latest; raises Halted."""
        who = (list_id, member_hash(email))
        answer = self.ask("lists.get_list_member_events", *who, count=LATEST)
        events = answer.body.get("events")
        if answer.status == 404:
            return None
        if not (answer.ok and isinstance(events, list)):
            came_to = refusal(answer, "")
            asked = "Mailchimp's list of this person's events could not be read"
            return came_to if isinstance(came_to, Retry) else Unknown(asked)
        return Delivered() if sent_as in _marks(events) else None

    def _seen(self, person: Person) -> Answer:
        parts = ["status", "contact_id", "web_id"]
        return self.ask("lists.get_list_member", *person.who, fields=parts)

    def _done(
        self, person: Person, seen: Answer, method: str, told: Any, *, once: bool = False
    ) -> Outcome:
        answer = self.ask(method, *person.who, told)
        if answer.status == 204:
            return delivered(seen, self.settings.centre, remark="")
        if answer.lost and once:
            return Unknown("Mailchimp did not answer, so the event may have been logged")
        if answer.status == 404:
            return _absent()
        return refusal(answer, person.audience)


def _left(seen: Answer, audience: str) -> Outcome | None:
    if seen.status == 404:
        return _absent()
    if seen.ok and seen.body.get("status") == CUSTOMER:
        return None
    return kept_out(seen, audience)


def _absent() -> Outcome:
    return Suppressed("this person is not in this audience, if there is such an audience")


def _marks(events: Sequence[Any]) -> set[str]:
    said = [one.get("properties") for one in events if isinstance(one, dict)]
    return {str(one.get(DELIVERY)) for one in said if isinstance(one, dict)}
