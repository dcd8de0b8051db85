"""Mailchimp: subscribing people who agreed, and unsubscribing them.

People are found by a hash of their address, and by their status it is seen who has left:
https://developer.mailchimp.com/documentation/mailchimp/guides/manage-subscribers-with-the-mailchimp-api/.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from typing import Any

from mailchimp_marketing import Client

from bridge.connector import Call, Connector, Halted, NotNow, Outcome, Retry, Suppressed, action
from connectors.mailchimp_answers import Answer, answered, delivered, no_audience, refusal
from connectors.mailchimp_crew import Crew, Outcomes, Settled
from connectors.mailchimp_members import (
    MailchimpSettings,
    Member,
    Person,
    Subscribe,
    Unsubscribe,
    member,
    member_hash,
    people_of,
    tagging,
)
from connectors.mailchimp_subscribing import Subscribing

__all__ = ["Mailchimp", "MailchimpSettings", "Subscribe", "Unsubscribe"]

LARGEST_BATCH = 100
"""Mailchimp takes 500 in one bulk call; it has to be done within `timeout`."""
MOST_UNSUBSCRIBED = 50


def _path(settings: MailchimpSettings, item: Member) -> str:
    return f"/3.0/lists/{settings.list_id(item.audience)}/members/{member_hash(item.email)}"


def _preview_subscribe(settings: MailchimpSettings, item: Subscribe) -> list[Call]:
    if not settings.list_id(item.audience):
        return []
    path, told = _path(settings, item), member(settings, item)
    calls = [
        Call("GET", path, {"fields": "status"}),
        Call("PUT", path, body=told, when="unless this person has left the audience"),
    ]
    if item.tags:
        calls.append(Call("POST", f"{path}/tags", body=tagging(item), when="after that"))
    return calls


def _preview_unsubscribe(settings: MailchimpSettings, item: Unsubscribe) -> list[Call]:
    if not settings.list_id(item.audience):
        return []
    return [Call("PATCH", _path(settings, item), body={"status": "unsubscribed"})]


class Mailchimp(Connector):
    """One Mailchimp account, by an API key. Mailchimp takes 10 calls at once; half is ours."""

    name = "mailchimp"
    title = "Mailchimp"
    Settings = MailchimpSettings
    concurrency = 5

    @action(
        Subscribe,
        preview=_preview_subscribe,
        batch=LARGEST_BATCH,
        merges=True,
        lane="audience",
        together="members",
        shards=2,  # each makes its calls side by side already
        consent_for="email",
    )
    def subscribe(self, items: Sequence[Subscribe]) -> list[Outcome]:
        """Subscribe a person who has agreed to it, and tag them.

        Somebody who is there is brought up to date; somebody who has left
        (unsubscribed, bounced, archived, deleted for good) is left alone.
        """
        crew = Crew(self.concurrency)
        subscribing = Subscribing(self.settings, self._ask, crew)
        people = sorted(people_of(self.settings, items), key=lambda person: person.list_id)
        settled: dict[Person[Any], Outcomes] = {}
        for _, group in groupby(people, key=lambda person: person.list_id):
            settled.update(subscribing.people(list(group)))
        return _in_order(settled)

    @action(
        Unsubscribe,
        preview=_preview_unsubscribe,
        batch=MOST_UNSUBSCRIBED,
        merges=True,
        lane="audience",
        together="members",
        shards=2,
        withdraws_for="email",
    )
    def unsubscribe(self, items: Sequence[Unsubscribe]) -> list[Outcome]:
        """Unsubscribe a person from an audience."""
        people = people_of(self.settings, items)
        return _in_order(Crew(self.concurrency).each(self._unsubscribe, people))

    def _unsubscribe(self, person: Person[Unsubscribe]) -> Outcomes:
        return [self._left(person)] * len(person.items)

    def _left(self, person: Person[Unsubscribe]) -> Outcome:
        who = (person.list_id, person.hash)
        if not who[0]:
            return no_audience(person.audience)
        answer = self._ask("update_list_member", *who, {"status": "unsubscribed"})
        if answer.status == 404:
            return Suppressed("this person is not in this audience, if there is such an audience")
        if answer.ok and answer.body.get("status") == "unsubscribed":
            return delivered(answer, self.settings.centre)
        return refusal(answer, person.audience)

    @cached_property
    def _lists(self) -> Any:
        if self.settings.api_key is None:
            raise Halted("no API key is set; put one into `api_key` of this account")
        key, seconds = self.settings.api_key.get_secret_value(), self.settings.timeout
        # With a `server`, the SDK would replace that very word wherever a URL holds it.
        client = Client({"api_key": key, "server": "", "timeout": seconds})
        host = self.settings.base_url or f"https://{self.settings.centre}.api.mailchimp.com"
        client.api_client.host = f"{host.rstrip('/')}/3.0"
        return client.lists

    def _ask(self, method: str, *args: Any, **options: Any) -> Answer:
        # Side by side: the SDK keeps nothing between its calls, each opens its own connection.
        call = getattr(self._lists, method)
        try:
            with self.pacer.call():
                return answered(lambda: call(*args, **options))
        except NotNow as busy:
            return Answer(trouble=Retry(str(busy), busy.after, whole_account=True))


def _in_order(settled: Settled) -> list[Outcome]:
    placed = [
        (place, outcome)
        for person, outcomes in settled.items()
        for place, outcome in zip(person.places, outcomes, strict=True)
    ]
    return [outcome for _, outcome in sorted(placed, key=lambda each: each[0])]
