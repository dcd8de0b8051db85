"""From items to wishes: names become ids, and values fit their merge fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bridge.connector import Outcome, Retry
from connectors.mailchimp.crew import Crew
from connectors.mailchimp.directory import Directory, Place, Unresolved
from connectors.mailchimp.fields import fitting
from connectors.mailchimp.items import Member, Subscribe, tag_changes
from connectors.mailchimp.members import Wanted, Wish
from connectors.mailchimp.settings import MailchimpSettings

_Asked = TypeVar("_Asked", bound=Member)


@dataclass(frozen=True)
class Wishes:
    """One batch's. Once a wall stands nothing more is looked up."""

    settings: MailchimpSettings
    directory: Directory
    crew: Crew

    def of(
        self, items: Sequence[_Asked], wanted: Callable[[Place, _Asked], Any] | None = None
    ) -> list[Wish]:
        """In the items' order; `wanted(place, item)` is what the item wants. Raises Halted."""
        return [self._of(item, wanted) for item in items]

    def _of(self, item: _Asked, wanted: Callable[[Place, _Asked], Any] | None) -> Wish:
        if self.crew.wall is not None:
            return Wish(item.audience, item.email, refused=self.crew.wall)
        list_id = ""
        try:
            place = self.directory.place(self.settings.audience(item.audience), item.audience)
            list_id = place.list_id
            told = wanted(place, item) if wanted else item
        except Unresolved as why:
            return Wish(item.audience, item.email, list_id, refused=self._noted(why.outcome))
        return Wish(item.audience, item.email, list_id, told)

    def _noted(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Retry) and outcome.whole_account:
            self.crew.note(outcome)
        return outcome

    def subscription(self, place: Place, item: Subscribe) -> Wanted:
        """Raises Unresolved for a name that the audience lacks, or a value that does not fit."""
        lookup = self.directory
        fields = {}
        for name, value in item.merge_fields.items():
            field = lookup.merge_field(place, name)
            fields[field.tag] = fitting(field, value)
        for misfit in fields.values():
            if isinstance(misfit, Outcome):
                raise Unresolved(misfit)
        return Wanted(
            email=item.email,
            merge_fields=fields,
            interests=[
                lookup.group(place, category, name)
                for category, names in item.groups.items()
                for name in names
            ],
            permissions=[lookup.permission(place, name) for name in item.permissions],
            language=item.language,
            tags=tag_changes(item.tags, item.remove_tags),
        )
