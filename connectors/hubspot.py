"""HubSpot: contacts, kept up to date by their e-mail address.

Pages that this rests on: updating by address
https://developers.hubspot.com/docs/api-reference/2026-03/crm/objects/contacts/update-contact,
refusals https://developers.hubspot.com/docs/api-reference/error-handling, limits
https://developers.hubspot.com/changelog/increasing-our-api-limits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import quote

import urllib3
from hubspot import Client
from hubspot.crm.contacts.exceptions import OpenApiException
from pydantic import BeforeValidator

from bridge.connector import (
    Call,
    Connector,
    ConnectorSettings,
    Delivered,
    EmailAddress,
    Field,
    Halted,
    Item,
    Outcome,
    Rate,
    Rejected,
    Retry,
    SecretStr,
    action,
)

CONTACTS = "/crm/v3/objects/contacts"
"""The path that the pinned SDK speaks; another SDK may speak another version."""

BURST_PAUSE = 10.0
SECONDLY_PAUSE = 1.0
DAILY_PAUSE = 3600.0
"""The day ends at midnight of the HubSpot account, whose time zone nobody tells."""

_ADDRESS = "email"
_WANTED = "grant it crm.objects.contacts.read and crm.objects.contacts.write"


class HubSpotSettings(ConnectorSettings):
    """`access_token`: of a Service Key, or of a private app that still has one."""

    access_token: SecretStr | None = None


def _texts(value: Any) -> Any:
    """Texts without what would blank a property: HubSpot clears a value that is sent empty."""
    if not isinstance(value, Mapping):
        return value
    if any(str(name).lower() == _ADDRESS for name in value):
        raise ValueError("the address belongs into `email:`, beside `properties:`")
    texts = {str(name): _text(name, given) for name, given in value.items()}
    return {name: text for name, text in texts.items() if text.strip()}


def _text(name: Any, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value).replace("\0", "")
    raise ValueError(f"`{name}` must be one text, number or true/false")


class UpsertContact(Item):
    """`properties` by HubSpot's internal names; an empty value leaves the contact's own alone."""

    email: EmailAddress
    properties: Annotated[dict[str, str], BeforeValidator(_texts)] = Field(default_factory=dict)


def _preview(settings: HubSpotSettings, item: UpsertContact) -> list[Call]:
    create = {"properties": {_ADDRESS: item.email, **item.properties}}
    if not item.properties:
        return [Call("POST", CONTACTS, body=create)]
    path = f"{CONTACTS}/{quote(item.email, safe='')}"
    return [
        Call("PATCH", path, {"idProperty": _ADDRESS}, {"properties": item.properties}),
        Call("POST", CONTACTS, body=create, when="no contact with this address yet"),
    ]


@dataclass(frozen=True)
class _Answer:
    """What HubSpot said, or in `trouble` why it said nothing."""

    status: int = 0
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    trouble: Retry | None = None

    @cached_property
    def body(self) -> dict[str, Any]:
        try:
            body = json.loads(self.text)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}


class HubSpot(Connector):
    """One HubSpot account.

    The declared limit is the smallest that HubSpot sells: 100 calls per 10 s;
    of the day's limit only the refusal tells.
    """

    name = "hubspot"
    title = "HubSpot"
    Settings = HubSpotSettings
    rates = (Rate(100, 10.0),)

    @action(UpsertContact, preview=_preview, shards=4)
    def upsert_contact(self, items: Sequence[UpsertContact]) -> list[Outcome]:
        """Create the contact with this e-mail address, or update the one that is there.

        HubSpot has no such call for addresses: the contact is updated, else
        created, and where somebody created it in between, updated by its id.
        """
        return [self._upsert(item) for item in items]

    def _upsert(self, item: UpsertContact) -> Outcome:
        if not item.properties:
            return self._create(item)
        answer = self._ask("update", item.email, _body(item.properties), id_property=_ADDRESS)
        return self._create(item) if answer.status == 404 else _outcome(answer, item)

    def _create(self, item: UpsertContact) -> Outcome:
        answer = self._ask("create", _body({_ADDRESS: item.email, **item.properties}))
        contact = _existing(answer)
        if not contact:
            return _outcome(answer, item)
        if not item.properties:
            return Delivered(contact, remark="the contact was there already")
        return _outcome(self._ask("update", contact, _body(item.properties)), item)

    @cached_property
    def _contacts(self) -> Any:
        token = self.settings.access_token
        if token is None:
            raise Halted("no access token is set; put one into `access_token` of this account")
        host = (self.settings.base_url or "").rstrip("/") or None
        retry = urllib3.Retry(0, redirect=0)  # the engine alone retries
        secret = token.get_secret_value()
        return Client.create(access_token=secret, host=host, retry=retry).crm.contacts.basic_api

    def _ask(self, method: str, *args: Any, **options: Any) -> _Answer:
        call = getattr(self._contacts, method)
        seconds = self.settings.timeout
        return _answer(
            # Unparsed: the SDK's models take a page of HTML for a contact without fields.
            lambda: call(
                *args, _request_timeout=(seconds, seconds), _preload_content=False, **options
            )
        )


def _body(properties: Mapping[str, str]) -> dict[str, Any]:
    return {"properties": dict(properties)}


def _answer(call: Callable[[], Any]) -> _Answer:
    try:
        response = call()
        return _Answer(response.status, response.data.decode(errors="replace"))
    except OpenApiException as error:
        # One class per SDK package, and status 0 where TLS failed.
        status = getattr(error, "status", None) or 0
        text, headers = getattr(error, "body", None), getattr(error, "headers", None)
        if status:
            return _Answer(status, text if isinstance(text, str) else "", headers or {})
        return _Answer(trouble=Retry("no safe connection to HubSpot could be made"))
    except urllib3.exceptions.MaxRetryError as error:
        away = isinstance(error.reason, urllib3.exceptions.NewConnectionError)
        return _Answer(trouble=Retry("HubSpot could not be reached", whole_account=away))
    except urllib3.exceptions.HTTPError:
        return _Answer(trouble=Retry("HubSpot did not answer in time, or the connection broke"))
    except ValueError:
        return _Answer(trouble=Retry("HubSpot's answer could not be read"))


def _existing(answer: _Answer) -> str:
    found = re.search(r"Existing ID: (\d+)", str(answer.body.get("message")))
    return found[1] if answer.status == 409 and found else ""


def _outcome(answer: _Answer, item: UpsertContact) -> Outcome:
    if answer.trouble:
        return answer.trouble
    if answer.status in (401, 403):
        return _barred(answer)
    if answer.status == 429:
        return _limited(answer)
    if 200 <= answer.status < 300:
        return _delivered(answer)
    if _passing(answer):
        outage = answer.status in (502, 503, 504)
        reason = f"HubSpot has a problem of its own ({answer.status}{_trace(answer)})"
        return Retry(reason, _retry_after(answer), whole_account=outage)
    return _rejected(answer, item)


def _passing(answer: _Answer) -> bool:
    # 404 merged or deleted in between, 408 timed out, 423 locked, 477 moving to another data centre
    return answer.status >= 500 or answer.status in (404, 408, 423, 477) or not answer.body


def _delivered(answer: _Answer) -> Outcome:
    contact = answer.body.get("id")
    if isinstance(contact, str | int) and contact:
        return Delivered(str(contact))
    return Retry("HubSpot answered without a contact")


def _barred(answer: _Answer) -> Outcome:
    if answer.status == 401:
        raise Halted(
            f"HubSpot does not accept the access token ({_code(answer)}); "
            "copy it again from the Service Key"
        )
    if not answer.body:
        return Retry("something before HubSpot refuses our calls (403)", whole_account=True)
    raise Halted(f"HubSpot's access token may not do this ({_code(answer)}); {_WANTED}")


def _limited(answer: _Answer) -> Retry:
    asked = _retry_after(answer)
    said = answer.text.lower()
    daily_left = answer.headers.get("X-HubSpot-RateLimit-Daily-Remaining")
    if "daily" in said or daily_left == "0":
        reason, after = "HubSpot's limit for the day is used up", max(asked or 0, DAILY_PAUSE)
    elif "secondly" in said and "ten_secondly" not in said:
        reason, after = "HubSpot's limit per second is used up", asked or SECONDLY_PAUSE
    else:
        reason, after = "HubSpot's limit per ten seconds is used up", asked or BURST_PAUSE
    return Retry(f"{reason} (429{_trace(answer)})", after, whole_account=True)


def _rejected(answer: _Answer, item: UpsertContact) -> Rejected:
    said = answer.text.replace('\\"', '"')
    named = set(re.findall(r'"(?:name|in|propertyName)":\s*\[?\s*"(\w+)"', said))
    known = sorted(named & {_ADDRESS, *item.properties})
    about = f" because of {', '.join(known)}" if known else ""
    codes = sorted(set(re.findall(r'"(?:error|code)":\s*"([A-Z][A-Z_]+)"', said)))
    why = f": {', '.join(codes)}" if codes else ""
    return Rejected(f"HubSpot refuses the contact{about} ({_code(answer)}{why})")


def _code(answer: _Answer) -> str:
    category = str(answer.body.get("category"))
    named = f" {category}" if re.fullmatch(r"[A-Z_]{1,60}", category) else ""
    return f"{answer.status}{named}{_trace(answer)}"


def _trace(answer: _Answer) -> str:
    trace = str(answer.body.get("correlationId"))
    return f", correlation id {trace}" if re.fullmatch(r"[0-9a-fA-F-]{8,64}", trace) else ""


def _retry_after(answer: _Answer) -> float | None:
    seconds = str(answer.headers.get("Retry-After"))
    return float(seconds) if re.fullmatch(r"\d{1,6}(\.\d+)?", seconds) else None
