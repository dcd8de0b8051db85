"""What Mailchimp answers about many people at once.

A bulk creation says 200 even where it refuses some, or all:
https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.connector import Outcome
from connectors.mailchimp.answers import Answer, refusal

# What an error says, and what a call for its person alone would be refused with.
_TITLES = {
    "permanently deleted": "Forgotten Email Not Subscribed",
    "in a compliance state": "Member In Compliance State",
    "signed up to a lot of lists": "Invalid Resource",
    "email address": "Invalid Resource",
}


@dataclass(frozen=True)
class Bulk:
    """By address, in lower case: the members that were created, and the errors."""

    created: Mapping[str, Answer]
    refused: Mapping[str, Mapping[str, Any]]


def bulk(answer: Answer) -> Bulk:
    """What a bulk creation's answer says; nothing where it is no such answer."""
    created = {who: Answer(200, one) for who, one in _by_address(answer.body, "new_members")}
    return Bulk(created, dict(_by_address(answer.body, "errors")))


def _by_address(body: Mapping[str, Any], key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for one in _records(body.get(key)):
        yield str(one.get("email_address")).strip('"').lower(), one


def _records(listed: Any) -> list[Mapping[str, Any]]:
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def refused_in_bulk(error: Mapping[str, Any], audience: str) -> Outcome | None:
    """What an error means for its person; None where a call for them alone has to tell."""
    said, field = str(error.get("error")), str(error.get("field") or "")
    title = next((title for words, title in _TITLES.items() if words in said), "")
    if error.get("error_code") != "ERROR_GENERIC" or not (title or field):
        return None
    errors = [{"field": field, "message": error.get("field_message")}]
    told = {"title": title or "Invalid Resource", "detail": said, "errors": errors}
    return refusal(Answer(400, told), audience)


def hashes_of(answer: Answer) -> frozenset[str] | None:
    """The members of an audience's only page; None where there are more, or none can be told."""
    members = answer.body.get("members")
    if not (answer.ok and isinstance(members, list)):
        return None
    hashes = frozenset(str(one.get("id")) for one in _records(members))
    return hashes if len(hashes) == answer.body.get("total_items") else None


def tags_of(member: Answer) -> frozenset[str]:
    """The member's tags, to be compared as Mailchimp does: without regard to case."""
    return frozenset(str(tag.get("name")).casefold() for tag in _records(member.body.get("tags")))
