"""What HubSpot's answers mean for one contact.

Refusals: https://developers.hubspot.com/docs/api-reference/error-handling, limits
https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bridge.connector import Delivered, Halted, Outcome, Rejected, Retry, Seen

BURST_PAUSE = 10.0
SECONDLY_PAUSE = 1.0
DAILY_PAUSE = 3600.0
"""The day ends at midnight of the HubSpot account, whose time zone nobody tells."""

DAY = 86_400.0

_LIMIT = "X-HubSpot-RateLimit-"
_WANTED = "grant it crm.objects.contacts.read and crm.objects.contacts.write"


@dataclass(frozen=True)
class Answer:
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

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def outcome(answer: Answer, properties: Iterable[str] = ()) -> Outcome:
    """What a call for one contact came to; `properties` were sent. Raises Halted."""
    if answer.trouble:
        return answer.trouble
    if answer.status in (401, 403):
        return _barred(answer)
    if answer.status == 429:
        return _limited(answer)
    if answer.ok:
        return _delivered(answer)
    if _passing(answer):
        outage = answer.status in (502, 503, 504)
        reason = f"HubSpot has a problem of its own ({answer.status}{_trace(answer)})"
        return Retry(reason, _retry_after(answer), whole_account=outage)
    return _rejected(answer, properties)


def existing(answer: Answer) -> str:
    """The id of the contact that is in the way of a new one; empty where there is none."""
    found = re.search(r"Existing ID: (\d+)", str(answer.body.get("message")))
    return found[1] if answer.status == 409 and found else ""


def seen(headers: Mapping[str, str]) -> list[Seen]:
    """The limits that an answer tells: of a short window, and of the day."""
    window = _number(headers, "Interval-Milliseconds") or 0
    found = [
        (_number(headers, "Max"), window / 1000, _number(headers, "Remaining")),
        (_number(headers, "Daily"), DAY, _number(headers, "Daily-Remaining")),
    ]
    return [Seen(calls, seconds, left) for calls, seconds, left in found if calls and seconds]


def _number(headers: Mapping[str, str], name: str) -> int | None:
    given = str(headers.get(_LIMIT + name))
    return int(given) if re.fullmatch(r"[0-9]{1,9}", given) else None


def _passing(answer: Answer) -> bool:
    # 404 merged or deleted in between, 408 timed out, 423 locked, 477 moving to another data centre
    return answer.status >= 500 or answer.status in (404, 408, 423, 477) or not answer.body


def _delivered(answer: Answer) -> Outcome:
    contact = answer.body.get("id")
    if isinstance(contact, str | int) and contact:
        return Delivered(str(contact))
    return Retry("HubSpot answered without a contact")


def _barred(answer: Answer) -> Outcome:
    if answer.status == 401:
        raise Halted(
            f"HubSpot does not accept the access token ({_code(answer)}); "
            "copy it again from the Service Key"
        )
    if not answer.body:
        return Retry("something before HubSpot refuses our calls (403)", whole_account=True)
    raise Halted(f"HubSpot's access token may not do this ({_code(answer)}); {_WANTED}")


def _limited(answer: Answer) -> Retry:
    asked = _retry_after(answer)
    said = answer.text.lower()
    daily_left = answer.headers.get(f"{_LIMIT}Daily-Remaining")
    if "daily" in said or daily_left == "0":
        reason, after = "HubSpot's limit for the day is used up", max(asked or 0, DAILY_PAUSE)
    elif "secondly" in said and "ten_secondly" not in said:
        reason, after = "HubSpot's limit per second is used up", asked or SECONDLY_PAUSE
    else:
        reason, after = "HubSpot's limit per ten seconds is used up", asked or BURST_PAUSE
    return Retry(f"{reason} (429{_trace(answer)})", after, whole_account=True)


def _rejected(answer: Answer, properties: Iterable[str]) -> Rejected:
    said = answer.text.replace('\\"', '"')
    named = set(re.findall(r'"(?:name|in|propertyName)":\s*\[?\s*"(\w+)"', said))
    known = sorted(named & {"email", *properties})
    about = f" because of {', '.join(known)}" if known else ""
    codes = sorted(set(re.findall(r'"(?:error|code)":\s*"([A-Z][A-Z_]+)"', said)))
    why = f": {', '.join(codes)}" if codes else ""
    return Rejected(f"HubSpot refuses the contact{about} ({_code(answer)}{why})")


def _code(answer: Answer) -> str:
    category = str(answer.body.get("category"))
    named = f" {category}" if re.fullmatch(r"[A-Z_]{1,60}", category) else ""
    return f"{answer.status}{named}{_trace(answer)}"


def _trace(answer: Answer) -> str:
    trace = str(answer.body.get("correlationId"))
    return f", correlation id {trace}" if re.fullmatch(r"[0-9a-fA-F-]{8,64}", trace) else ""


def _retry_after(answer: Answer) -> float | None:
    seconds = str(answer.headers.get("Retry-After"))
    return float(seconds) if re.fullmatch(r"\d{1,6}(\.\d+)?", seconds) else None
