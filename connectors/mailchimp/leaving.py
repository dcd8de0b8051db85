"""Taking people off: unsubscribing and archiving those who are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.connector import Delivered, Outcome, Suppressed
from connectors.mailchimp.answers import CUSTOMER, Answer, delivered, kept_out, refusal
from connectors.mailchimp.members import Person
from connectors.mailchimp.settings import MailchimpSettings

LEAVING = {"status": "unsubscribed"}


@dataclass(frozen=True)
class Leaving:
    """Whoever has left stays as they are: a status over `archived` would bring them back."""

    settings: MailchimpSettings
    ask: Callable[..., Answer]

    def unsubscribe(self, person: Person) -> Outcome:
        seen = self._seen(person)
        status = seen.body.get("status")
        if seen.status == 404:
            return _absent()
        if seen.ok and status == "unsubscribed":
            return delivered(seen, self.settings.centre, "had unsubscribed before")
        if seen.ok and status == CUSTOMER:
            return self._leave(person)
        return kept_out(seen, person.audience) or self._leave(person)

    def archive(self, person: Person) -> Outcome:
        """Nobody who waits for the confirmation mail can be archived: they are unsubscribed first.

        "Can not archive a contact that is bounced, pending or archived" is what Mailchimp says.
        """
        seen = self._seen(person)
        if seen.status == 404:
            return _absent()
        match seen.body.get("status") if seen.ok else None:
            case "archived":
                return delivered(seen, self.settings.centre, "was archived before")
            case "pending":
                left = self._leave(person)
                return self._archive(person, seen) if isinstance(left, Delivered) else left
            case "subscribed" | "unsubscribed" | "transactional":
                return self._archive(person, seen)
        return kept_out(seen, person.audience) or refusal(Answer(200), person.audience)

    def _archive(self, person: Person, seen: Answer) -> Outcome:
        answer = self.ask("lists.delete_list_member", *person.who)
        if answer.status == 204:
            return delivered(Answer(204, {**seen.body, "status": "archived"}), self.settings.centre)
        if answer.status == 405:
            return Suppressed("Mailchimp archives nobody who bounced or has not confirmed yet")
        return _absent() if answer.status == 404 else refusal(answer, person.audience)

    def _leave(self, person: Person) -> Outcome:
        answer = self.ask("lists.update_list_member", *person.who, LEAVING)
        if answer.status == 404:
            return _absent()
        if answer.ok and answer.body.get("status") == "unsubscribed":
            return delivered(answer, self.settings.centre)
        return refusal(answer, person.audience)

    def _seen(self, person: Person) -> Answer:
        parts = ["status", "contact_id", "web_id"]
        return self.ask("lists.get_list_member", *person.who, fields=parts)


def _absent() -> Outcome:
    return Suppressed("this person is not in this audience, if there is such an audience")
