"""Mailchimp: subscribing people who agreed, taking them off, and telling what they did.

People are found by a hash of their address, and by their status it is seen who has left:
https://developer.mailchimp.com/documentation/mailchimp/guides/manage-subscribers-with-the-mailchimp-api/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bridge.connector import (
    Checked,
    Connector,
    Delivered,
    Halted,
    Item,
    Outcome,
    Pacer,
    Retry,
    Unknown,
    Use,
    action,
)
from connectors.mailchimp import previews
from connectors.mailchimp.calls import Line
from connectors.mailchimp.crew import Crew
from connectors.mailchimp.directory import Directory, Unresolved
from connectors.mailchimp.items import (
    AddTags,
    Archive,
    LogEvent,
    Subscribe,
    Unsubscribe,
    tag_changes,
)
from connectors.mailchimp.leaving import Leaving
from connectors.mailchimp.marking import Marking
from connectors.mailchimp.members import Person, Wish
from connectors.mailchimp.ordering import Ordering
from connectors.mailchimp.orders import AddOrder, RefundOrder
from connectors.mailchimp.rounds import Settled, one_by_one, settle
from connectors.mailchimp.settings import MailchimpSettings
from connectors.mailchimp.subscribing import Subscribing
from connectors.mailchimp.survey import Surveyor
from connectors.mailchimp.wishes import Wishes

__all__ = [
    "AddOrder",
    "AddTags",
    "Archive",
    "LogEvent",
    "Mailchimp",
    "MailchimpSettings",
    "RefundOrder",
    "Subscribe",
    "Unsubscribe",
]

LARGEST_BATCH = 100
"""Mailchimp takes 500 in one bulk call; it has to be done within `timeout`."""
MOST_ALONE = 50
TOGETHER = "members"
"""All actions wait for each other: a person's subscription, tags, events and orders keep order."""
SHARDS = 2
"""Each makes its calls side by side already."""


class Mailchimp(Connector):
    """One Mailchimp account, by an API key. Mailchimp takes 10 calls at once; half is ours.

    The lanes hold all audiences: a rule may call one by its id and another by its name.
    """

    name = "mailchimp"
    title = "Mailchimp"
    Settings = MailchimpSettings
    concurrency = 5

    def __init__(self, settings: Any, pacer: Pacer | None = None) -> None:
        super().__init__(settings, pacer)
        line = Line(self.settings, self.pacer)
        self._ask = line.ask
        self._directory = Directory(line.ask)
        self._ordering = Ordering(line.ask, self._directory)

    @action(
        Subscribe,
        preview=previews.subscribe,
        batch=LARGEST_BATCH,
        merges=True,
        together=TOGETHER,
        shards=SHARDS,
        consent_for="email",
    )
    def subscribe(self, items: Sequence[Subscribe]) -> list[Outcome]:
        """Subscribe a person who has agreed to it, and write and tag what is known of them.

        Somebody who is there is brought up to date; somebody who has left
        (unsubscribed, bounced, archived, deleted for good) is left alone.
        """
        crew = Crew(self.concurrency)
        wishes = self._wishes(crew)
        subscribing = Subscribing(self.settings, self._ask, crew)
        return settle(wishes.of(items, wishes.subscription), subscribing.people)

    @action(
        Unsubscribe,
        preview=previews.unsubscribe,
        batch=MOST_ALONE,
        merges=True,
        together=TOGETHER,
        shards=SHARDS,
        withdraws_for="email",
    )
    def unsubscribe(self, items: Sequence[Unsubscribe]) -> list[Outcome]:
        """Unsubscribe a person from an audience."""
        leaving = Leaving(self.settings, self._ask)
        return self._side_by_side(items, lambda person, _: leaving.unsubscribe(person))

    @action(
        Archive,
        preview=previews.archive,
        batch=MOST_ALONE,
        merges=True,
        together=TOGETHER,
        shards=SHARDS,
        withdraws_for="email",
    )
    def archive(self, items: Sequence[Archive]) -> list[Outcome]:
        """Archive a person, who then gets no mail of this audience and is not paid for."""
        leaving = Leaving(self.settings, self._ask)
        return self._side_by_side(items, lambda person, _: leaving.archive(person))

    @action(
        AddTags,
        preview=previews.add_tags,
        batch=MOST_ALONE,
        merges=True,
        together=TOGETHER,
        shards=SHARDS,
    )
    def add_tags(self, items: Sequence[AddTags]) -> list[Outcome]:
        """Tag a person who is in an audience already; nobody is subscribed by it."""
        marking = Marking(self.settings, self._ask)

        def tag(person: Person, item: AddTags) -> Outcome:
            return marking.tags(person, tag_changes(item.tags, item.remove_tags))

        return self._side_by_side(items, tag)

    @action(
        LogEvent,
        preview=previews.log_event,
        together=TOGETHER,
        shards=SHARDS,
        idempotent=False,
        event=True,
    )
    def log_event(self, items: Sequence[LogEvent]) -> list[Outcome]:
        """Log what a person in an audience did, for automations and segments."""
        marking = Marking(self.settings, self._ask)
        return self._side_by_side(
            items, lambda person, item: marking.event(person, previews.happening(item))
        )

    @action(
        AddOrder,
        preview=previews.add_order,
        together=TOGETHER,
        shards=SHARDS,
        event=True,
    )
    def add_order(self, items: Sequence[AddOrder]) -> list[Outcome]:
        """Add an order to a store, once; whoever is not in the audience is not subscribed by it."""
        return [self._ordering.add(item) for item in items]

    @action(
        RefundOrder,
        preview=previews.refund_order,
        together=TOGETHER,
        shards=SHARDS,
    )
    def refund_order(self, items: Sequence[RefundOrder]) -> list[Outcome]:
        """Mark an order as refunded, or as partially refunded."""
        return [self._ordering.refund(item) for item in items]

    def find(self, action: str, item: Item) -> Delivered | Retry | Unknown | None:
        """Events carry the delivery's id; everything else may be done twice."""
        if not isinstance(item, LogEvent):
            return Unknown("this vendor cannot be asked")
        marking = Marking(self.settings, self._ask)
        try:
            named = self.settings.audience(item.audience)
            place = self._directory.place(named, item.audience)
            return marking.logged(place.list_id, item.email, item.sent_as)
        except Unresolved as why:
            gone = "the audience of this event cannot be found"
            return why.outcome if isinstance(why.outcome, Retry) else Unknown(gone)
        except Halted as refused:
            return Unknown(str(refused))

    def survey(self, uses: Sequence[Use]) -> list[Checked]:
        """The key, and the audiences, merge fields, groups, permissions and stores of rules."""
        return Surveyor(self.settings, self._ask, self._directory).survey(uses)

    def _wishes(self, crew: Crew) -> Wishes:
        return Wishes(self.settings, self._directory, crew)

    def _side_by_side(
        self, items: Sequence[Any], do: Callable[[Person, Any], Outcome]
    ) -> list[Outcome]:
        """One person beside the other, and what is wanted of one in its order."""
        crew = Crew(self.concurrency)

        def each(person: Person) -> list[Outcome]:
            def one(wish: Wish) -> Outcome:
                return do(person, wish.wanted)

            return one_by_one(person, one)

        def people(persons: Sequence[Person]) -> Settled:
            return crew.each(each, persons)

        return settle(self._wishes(crew).of(items), people)
