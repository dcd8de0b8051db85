"""What an account has: audiences, their merge fields, groups and permissions, and stores.

Read when a rule names one, remembered for some minutes, and read once more before
a name is said to be missing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bridge.connector import Outcome, Rejected, Retry
from connectors.mailchimp.answers import Answer, is_plain, no_audience, refusal
from connectors.mailchimp.fields import MergeField, merge_field

FRESH = 600.0
"""The seconds for which what was read is believed."""
PATIENT = 30.0
"""The seconds in which a name that was not found is not asked for again."""
PAUSE = 2.0
"""The seconds in which what could not be read is not asked for again."""
MOST = 1000
"""The most that Mailchimp lists in one answer."""

Record = Mapping[str, Any]
Ask = Callable[..., Answer]
_Found = TypeVar("_Found")


class Unresolved(Exception):
    """What a rule names cannot be found, or not now: its items come to `outcome`."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("not found")
        self.outcome = outcome


@dataclass(frozen=True)
class Shelf:
    """One kind of thing that can be listed: by which method, where in the answer, what of it."""

    method: str
    within: str
    parts: tuple[str, ...]
    count: int = MOST

    @property
    def asked(self) -> dict[str, Any]:
        return {"count": self.count, "fields": [f"{self.within}.{part}" for part in self.parts]}


AUDIENCES = Shelf("lists.get_all_lists", "lists", ("id", "name"))
FIELDS = Shelf("lists.get_list_merge_fields", "merge_fields", ("tag", "name", "type", "options"))
CATEGORIES = Shelf("lists.get_list_interest_categories", "categories", ("id", "title"))
GROUPS = Shelf("lists.list_interest_category_interests", "interests", ("id", "name"))
PERMISSIONS = Shelf("lists.get_list_members_info", "members", ("marketing_permissions",), 1)
STORES = Shelf("ecommerce.stores", "stores", ("id", "list_id", "name"))

Key = tuple[Shelf, tuple[str, ...]]


@dataclass(frozen=True)
class Place:
    """An audience: its id, and what the rule calls it."""

    list_id: str
    audience: str


@dataclass(frozen=True)
class Store:
    """A store, and the audience to which its customers belong."""

    id: str
    list_id: str


@dataclass
class Directory:
    """One account's. Its methods raise Unresolved, and Halted where the key is refused."""

    ask: Ask
    now: Callable[[], float] = time.monotonic
    _read: dict[Key, tuple[Sequence[Record], float]] = field(default_factory=dict)
    _failed: dict[Key, tuple[Outcome, float]] = field(default_factory=dict)

    def place(self, named: str, audience: str) -> Place:
        """By name or id; what looks like an id is one. `audience` is what the rule calls it."""
        if is_list_id(named):
            return Place(named, audience)
        key = (AUDIENCES, ())
        found = self._find(key, audience, lambda told: _ids(told, named)) or []
        if len(found) > 1:
            raise Unresolved(
                Rejected(
                    f"Mailchimp has several audiences with the name `{_shown(named)}`; "
                    "write the id of the right one"
                )
            )
        if not found or not _is_part_of_path(found[0]):
            raise Unresolved(no_audience(audience))
        return Place(found[0], audience)

    def merge_fields(self, place: Place) -> Sequence[MergeField]:
        """All of an audience; no audience, no fields."""
        told = self._recall((FIELDS, (place.list_id,)), place.audience, FRESH)
        return [merge_field(one) for one in told]

    def merge_field(self, place: Place, named: str) -> MergeField:
        """By its tag, or by its name."""
        key = (FIELDS, (place.list_id,))
        found = self._find(key, place.audience, lambda told: _field(told, named))
        if found is None:
            raise Unresolved(
                Rejected(
                    f"this audience has no merge field `{_shown(named)}`; create it in Mailchimp "
                    "under Audience, Settings, or correct the rule"
                )
            )
        return found

    def group(self, place: Place, category: str, named: str) -> str:
        """The id of a group, by the names of its category and its own."""
        key = (CATEGORIES, (place.list_id,))
        ids = self._find(key, place.audience, lambda told: _ids(told, category, "title"))
        if not ids or not _is_part_of_path(ids[0]):
            raise Unresolved(
                Rejected(
                    f"this audience has no group category `{_shown(category)}`; create it in "
                    "Mailchimp under Audience, Groups, or correct the rule"
                )
            )
        within = (GROUPS, (place.list_id, ids[0]))
        groups = self._find(within, place.audience, lambda told: _ids(told, named))
        if not groups:
            raise Unresolved(
                Rejected(
                    f"the group category `{_shown(category)}` has no group `{_shown(named)}`; "
                    "create it in Mailchimp under Audience, Groups, or correct the rule"
                )
            )
        return groups[0]

    def permission(self, place: Place, named: str) -> str:
        """The id of a marketing permission, by its text; Mailchimp tells them of contacts only.

        https://mailchimp.com/help/gdpr-faq/#API
        """
        key = (PERMISSIONS, (place.list_id,))
        identity = "marketing_permission_id"
        found = self._find(
            key, place.audience, lambda told: _ids(_permissions(told), named, "text", identity)
        )
        if found:
            return found[0]
        if not _permissions(self._recall(key, place.audience, FRESH)):
            raise Unresolved(
                Rejected(
                    "Mailchimp shows no marketing permissions for this audience; switch on its "
                    "GDPR fields, and add one contact to it if it has none"
                )
            )
        raise Unresolved(
            Rejected(
                f"this audience has no marketing permission `{_shown(named)}`; "
                "write its text as it stands in Mailchimp"
            )
        )

    def store(self, named: str) -> Store:
        """By its id, or by its name."""
        found = self._find((STORES, ()), "", lambda told: _store(told, named))
        if found is None:
            raise Unresolved(
                Rejected(
                    f"Mailchimp has no store `{_shown(named)}`; connect one to the audience, "
                    "or write the name or id of one that is there"
                )
            )
        return found

    def _find(
        self, key: Key, audience: str, find: Callable[[Sequence[Record]], _Found | None]
    ) -> _Found | None:
        found = find(self._recall(key, audience, FRESH))
        return found or find(self._recall(key, audience, PATIENT))

    def _recall(self, key: Key, audience: str, fresh: float) -> Sequence[Record]:
        """What is older than `fresh` seconds is read anew, and still believed where that fails."""
        known = self._read.get(key)
        if known and self.now() - known[1] < fresh:
            return known[0]
        failed = self._failed.get(key)
        if failed is None or self.now() - failed[1] >= PAUSE:
            shelf, ids = key
            answer = self.ask(shelf.method, *ids, **shelf.asked)
            told = answer.body.get(shelf.within)
            if answer.ok and isinstance(told, list):
                self._read[key] = (_records(told), self.now())
                return self._read[key][0]
            failed = self._failed[key] = (refusal(answer, audience), self.now())
        if known and fresh == FRESH and isinstance(failed[0], Retry):
            return known[0]
        raise Unresolved(failed[0])


def is_list_id(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{10}", text) is not None


def _is_part_of_path(text: str) -> bool:
    """Dots and slashes would lead to another address."""
    return re.fullmatch(r"[0-9A-Za-z_-]{1,64}", text) is not None


def _records(listed: Any) -> list[Record]:
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _ids(
    records: Sequence[Record], wanted: str, name: str = "name", identity: str = "id"
) -> list[str]:
    """The ids of all with this id or, where there is none, with this name."""
    ids = [str(one.get(identity)) for one in records]
    if wanted in ids:
        return [wanted]
    same = _plain(wanted)
    return [key for one, key in zip(records, ids, strict=True) if _plain(one.get(name)) == same]


def _plain(text: Any) -> str:
    return " ".join(str(text).split()).casefold()


def _field(records: Sequence[Record], wanted: str) -> MergeField | None:
    fields = [merge_field(one) for one in records]
    same = _plain(wanted)
    tagged = [one for one in fields if one.tag and _plain(one.tag) == same]
    return next(iter(tagged or [one for one in fields if _plain(one.name) == same]), None)


def _store(records: Sequence[Record], wanted: str) -> Store | None:
    ids = _ids(records, wanted)
    stores = [Store(str(one.get("id")), str(one.get("list_id"))) for one in records]
    usable = (one for one in stores if "/" not in one.id and _is_part_of_path(one.list_id))
    return next((one for one in usable if one.id in ids), None)


def _permissions(members: Sequence[Record]) -> list[Record]:
    return _records(members[0].get("marketing_permissions")) if members else []


def _shown(name: str) -> str:
    return name if is_plain(name) else "…"
