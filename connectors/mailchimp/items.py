"""What rules can ask of an audience, field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, model_validator

from bridge.connector import EmailAddress, Field, Item, NonEmpty, Skipped

LONGEST_TAG = 100

Value = str | dict[str, str]
"""One text, or the parts of an address."""


def _values(value: Any) -> Any:
    """Without the empty ones: those would blank what Mailchimp has."""
    if not isinstance(value, Mapping):
        return value
    values = {str(name): _value(given) for name, given in value.items()}
    return {name: given for name, given in values.items() if given}


def _value(given: Any) -> Value:
    if isinstance(given, Mapping):
        parts = {str(name): _text(part) for name, part in given.items()}
        return {name: part for name, part in parts.items() if part}
    return _text(given)


def _text(given: Any) -> str:
    if isinstance(given, str | int | float) and not isinstance(given, bool):
        return str(given).replace("\0", "").strip()
    if given is None:
        return ""
    raise ValueError("a merge field is one text or number, or the parts of an address")


def _names(names: Any) -> Any:
    """A name or a list of them, without empty ones and repetitions."""
    listed = [names] if isinstance(names, str) else names
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        return names
    cleaned = (name.replace("\0", "").strip() for name in listed)
    return list(dict.fromkeys(name for name in cleaned if name))


def _groups(groups: Any) -> Any:
    if not isinstance(groups, Mapping):
        return groups
    named = {str(category): _names(names) for category, names in groups.items()}
    return {category: names for category, names in named.items() if names}


def _tags(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tag[:LONGEST_TAG].strip() for tag in tags))


def _language(value: Any) -> Any:
    """Codes as Mailchimp has them: https://mailchimp.com/help/view-and-edit-contact-languages/."""
    text = value.strip().replace("-", "_") if isinstance(value, str) else value
    if not text:
        return ""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z]{2,3}(?:_[A-Za-z]{2})?", text):
        raise ValueError("a language is a code such as `fr` or `pt_PT`")
    first, _, region = text.partition("_")
    return f"{first.lower()}_{region.upper()}" if region else first.lower()


MergeFields = Annotated[dict[str, Value], BeforeValidator(_values)]
Names = Annotated[list[str], BeforeValidator(_names)]
Tags = Annotated[list[str], BeforeValidator(_names), AfterValidator(_tags)]
Groups = Annotated[dict[str, list[str]], BeforeValidator(_groups)]
Language = Annotated[str, BeforeValidator(_language)]


class Member(Item):
    """One person in one audience."""

    audience: NonEmpty = Field(
        description="The audience: its name, its id, or a name from `audiences` of the account."
    )
    email: EmailAddress = Field(description="The person's e-mail address.")


class Subscribe(Member):
    """Whom to subscribe, and what to write of them."""

    example: ClassVar[Mapping[str, Any]] = {
        "audience": "newsletter",
        "email": "{{ contact.email }}",
        "merge_fields": {
            "FNAME": "{{ contact.first_name }}",
            "LNAME": "{{ contact.last_name }}",
        },
        "groups": {"Interests": ["Concerts"]},
        "tags": ["{{ tickets[0].event_name }}"],
    }

    merge_fields: MergeFields = Field(
        default_factory=dict,
        description="What to write into the audience's fields, by their tags or names; "
        "an empty value leaves what is there alone.",
    )
    tags: Tags = Field(default_factory=list, description="Tags to add.")
    remove_tags: Tags = Field(
        default_factory=list, description="Tags to take away, but for those in `tags`."
    )
    groups: Groups = Field(
        default_factory=dict,
        description="Groups to put the person into: the names of groups, by their category.",
    )
    permissions: Names = Field(
        default_factory=list,
        description="GDPR marketing permissions to give on behalf of somebody who is new, "
        "by their texts in Mailchimp.",
    )
    language: Language = Field(
        default="", description="The person's language, as a code such as `fr`."
    )


class Unsubscribe(Member):
    """Whom to unsubscribe."""

    example: ClassVar[Mapping[str, Any]] = {
        "audience": "newsletter",
        "email": "{{ contact.email }}",
    }


class Archive(Member):
    """Whom to archive."""

    example: ClassVar[Mapping[str, Any]] = {
        "audience": "newsletter",
        "email": "{{ contact.email }}",
    }


class AddTags(Member):
    """Whom to tag."""

    example: ClassVar[Mapping[str, Any]] = {
        "audience": "newsletter",
        "email": "{{ contact.email }}",
        "tags": ["{{ tickets[0].event_name }}"],
    }

    tags: Tags = Field(default_factory=list, description="Tags to add.")
    remove_tags: Tags = Field(
        default_factory=list, description="Tags to take away, but for those in `tags`."
    )

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        if not (self.tags or self.remove_tags):
            raise Skipped("there is no tag to add or to take away")
        return self


class LogEvent(Member):
    """What a person did; Mailchimp's limits of names are in its API file."""

    example: ClassVar[Mapping[str, Any]] = {
        "audience": "newsletter",
        "email": "{{ contact.email }}",
        "name": "bought_tickets",
        "properties": {"event": "{{ tickets[0].event_name }}", "total": "{{ order.total }}"},
    }

    name: Annotated[NonEmpty, Field(min_length=2, max_length=30)] = Field(
        description="What happened, in 2 to 30 characters: automations in Mailchimp wait for it."
    )
    properties: Annotated[dict[str, str], BeforeValidator(_values)] = Field(
        default_factory=dict, description="More about it, as names and texts."
    )


def tag_changes(tags: list[str], remove_tags: list[str]) -> dict[str, bool]:
    """Whether each tag is to be there, by its name: one that is added is not taken away."""
    kept = {tag.casefold() for tag in tags}
    taken = {tag: False for tag in remove_tags if tag.casefold() not in kept}
    return taken | dict.fromkeys(tags, True)
