"""Mailchimp: subscribing people who agreed, and unsubscribing them.

People are found by a hash of their address, and by their status it is seen who has left:
https://developer.mailchimp.com/documentation/mailchimp/guides/manage-subscribers-with-the-mailchimp-api/.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any

from mailchimp_marketing import Client
from pydantic import AfterValidator, BeforeValidator, field_validator

from bridge.connector import (
    Call,
    Connector,
    ConnectorSettings,
    Delivered,
    EmailAddress,
    Field,
    Halted,
    Item,
    NonEmpty,
    Outcome,
    SecretStr,
    Suppressed,
    action,
)
from connectors.mailchimp_answers import Answer, answered, kept_out, no_audience, refusal

LONGEST_TAG = 100


class MailchimpSettings(ConnectorSettings):
    """`audiences` gives names to audience ids: `newsletter: a1b2c3d4e5`.

    `express_opt_in` says that the box in the checkout is an express opt-in by
    the law that counts. Without it, new people get Mailchimp's confirmation mail.
    """

    api_key: SecretStr | None = None
    audiences: dict[str, str] = Field(default_factory=dict)
    express_opt_in: bool = False

    @field_validator("api_key")
    @classmethod
    def _with_its_centre(cls, key: SecretStr | None) -> SecretStr | None:
        if key and not re.fullmatch(r".+-[a-z]{2,4}\d{1,4}", key.get_secret_value()):
            raise ValueError(
                "a Mailchimp API key ends with a hyphen and its data centre, like `-us6`; "
                "copy the whole key"
            )
        return key


def _texts(value: Any) -> Any:
    """Merge fields without the empty ones: those would blank what Mailchimp has."""
    if not isinstance(value, Mapping):
        return value
    texts = {str(name): _text(given) for name, given in value.items()}
    return {name: text for name, text in texts.items() if text.strip()}


def _text(value: Any) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value).replace("\0", "")
    if value is None:
        return ""
    raise ValueError("a merge field is one text or number")


def _tags(tags: list[str]) -> list[str]:
    cut = (tag.replace("\0", "").strip()[:LONGEST_TAG].strip() for tag in tags)
    return list(dict.fromkeys(tag for tag in cut if tag))


class Subscribe(Item):
    """`audience` is a name from the account's `audiences`, or an audience id."""

    audience: NonEmpty
    email: EmailAddress
    merge_fields: Annotated[dict[str, str], BeforeValidator(_texts)] = Field(default_factory=dict)
    tags: Annotated[list[str], AfterValidator(_tags)] = Field(default_factory=list)


class Unsubscribe(Item):
    """`audience` is a name from the account's `audiences`, or an audience id."""

    audience: NonEmpty
    email: EmailAddress


def _list_id(settings: MailchimpSettings, audience: str) -> str:
    """Empty where the text can be no id: dots and slashes would lead to another address."""
    named = settings.audiences.get(audience, audience)
    return named if re.fullmatch(r"[0-9A-Za-z_-]{1,64}", named) else ""


def _hash(address: str) -> str:
    return hashlib.md5(address.lower().encode(), usedforsecurity=False).hexdigest()


def _member(settings: MailchimpSettings, item: Subscribe, *, new: bool = True) -> dict[str, Any]:
    # Never `status`: it would bring back those who left.
    member: dict[str, Any] = {"email_address": item.email}
    if new:
        member["status_if_new"] = "subscribed" if settings.express_opt_in else "pending"
    if item.merge_fields:
        member["merge_fields"] = item.merge_fields
    return member


def _tagging(item: Subscribe) -> dict[str, Any]:
    return {"tags": [{"name": tag, "status": "active"} for tag in item.tags]}


def _path(settings: MailchimpSettings, item: Subscribe | Unsubscribe) -> str:
    return f"/3.0/lists/{_list_id(settings, item.audience)}/members/{_hash(item.email)}"


def _preview_subscribe(settings: MailchimpSettings, item: Subscribe) -> list[Call]:
    if not _list_id(settings, item.audience):
        return []
    path, member = _path(settings, item), _member(settings, item)
    calls = [
        Call("GET", path, {"fields": "status"}),
        Call("PUT", path, body=member, when="unless this person has left the audience"),
    ]
    if item.tags:
        calls.append(Call("POST", f"{path}/tags", body=_tagging(item), when="after that"))
    return calls


def _preview_unsubscribe(settings: MailchimpSettings, item: Unsubscribe) -> list[Call]:
    if not _list_id(settings, item.audience):
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
        lane="audience",
        together="members",
        shards=4,
        consent_for="email",
    )
    def subscribe(self, items: Sequence[Subscribe]) -> list[Outcome]:
        """Subscribe a person who has agreed to it, and tag them.

        Somebody who is there is brought up to date; somebody who has left
        (unsubscribed, bounced, archived, deleted for good) is left alone.
        """
        return [self._subscribe(item) for item in items]

    @action(
        Unsubscribe, preview=_preview_unsubscribe, lane="audience", together="members", shards=4
    )
    def unsubscribe(self, items: Sequence[Unsubscribe]) -> list[Outcome]:
        """Unsubscribe a person from an audience."""
        return [self._unsubscribe(item) for item in items]

    def _subscribe(self, item: Subscribe) -> Outcome:
        who = (_list_id(self.settings, item.audience), _hash(item.email))
        if not who[0]:
            return no_audience(item.audience)
        seen = self._ask("get_list_member", *who, fields=["status"])
        barrier = None if seen.status == 404 else kept_out(seen, item.audience)
        return barrier or self._put(who, item)

    def _put(self, who: tuple[str, str], item: Subscribe) -> Outcome:
        answer = self._ask("set_list_member", *who, _member(self.settings, item))
        if answer.title == "Member Exists":  # somebody subscribed them in between
            known = _member(self.settings, item, new=False)
            answer = self._ask("set_list_member", *who, known)
        barrier = kept_out(answer, item.audience)
        if barrier:
            return barrier
        if item.tags:
            tagged = self._ask("update_list_member_tags", *who, _tagging(item))
            if tagged.status != 204:
                return refusal(tagged, item.audience)
        return self._delivered(answer)

    def _unsubscribe(self, item: Unsubscribe) -> Outcome:
        who = (_list_id(self.settings, item.audience), _hash(item.email))
        if not who[0]:
            return no_audience(item.audience)
        answer = self._ask("update_list_member", *who, {"status": "unsubscribed"})
        if answer.status == 404:
            return Suppressed("this person is not in this audience, if there is such an audience")
        if answer.ok and answer.body.get("status") == "unsubscribed":
            return self._delivered(answer)
        return refusal(answer, item.audience)

    def _delivered(self, answer: Answer) -> Delivered:
        pending = answer.body.get("status") == "pending"
        web_id, centre = answer.body.get("web_id"), self._centre
        page = f"https://{centre}.admin.mailchimp.com/lists/members/view?id={web_id}"
        return Delivered(
            reference=str(answer.body.get("contact_id") or ""),
            link=page if isinstance(web_id, int) else "",
            remark="waits until this person confirms by mail" if pending else "",
        )

    @property
    def _centre(self) -> str:
        return str(self.settings.api_key.get_secret_value()).rpartition("-")[2]

    @cached_property
    def _lists(self) -> Any:
        if self.settings.api_key is None:
            raise Halted("no API key is set; put one into `api_key` of this account")
        key, seconds = self.settings.api_key.get_secret_value(), self.settings.timeout
        # With a `server`, the SDK would replace that very word wherever a URL holds it.
        client = Client({"api_key": key, "server": "", "timeout": seconds})
        host = self.settings.base_url or f"https://{self._centre}.api.mailchimp.com"
        client.api_client.host = f"{host.rstrip('/')}/3.0"
        return client.lists

    def _ask(self, method: str, *args: Any, **options: Any) -> Answer:
        call = getattr(self._lists, method)
        return answered(lambda: call(*args, **options))
