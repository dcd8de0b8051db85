"""What HubSpot's answers mean for one object: a contact, a deal, a note.

Refusals: https://developers.hubspot.com/docs/api-reference/error-handling, limits
https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines.
What is wrong with a value is told in the text of `message`, as JSON:
`[{"isValid": false, "error": "INVALID_LONG", "name": "closedate", ...}]`.
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
_DAILY_LEFT = f"{_LIMIT}Daily-Remaining"


@dataclass(frozen=True)
class Subject:
    """What a call is about ("contact"), and the scopes that a token needs for it."""

    name: str
    scopes: str


CONTACT = Subject("contact", "crm.objects.contacts.read and crm.objects.contacts.write")


@dataclass(frozen=True)
class Answer:
    """What HubSpot said, or in `trouble` why it said nothing.

    `unheard`: the request went out, so that it may have been done.
    """

    status: int = 0
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    trouble: Retry | None = None
    unheard: bool = False

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


def outcome(answer: Answer, properties: Iterable[str] = (), about: Subject = CONTACT) -> Outcome:
    """What a call for one object came to; `properties` were sent. Raises Halted.

    A 404 is retried: the object was merged away or deleted in between. Where it
    means something else, look at `answer.status` before.
    """
    if answer.trouble:
        return answer.trouble
    if answer.status in (401, 403):
        return _barred(answer, about)
    if answer.status == 429:
        return _limited(answer)
    if answer.ok:
        return _delivered(answer, about)
    if _passing(answer):
        outage = answer.status in (502, 503, 504)
        return Retry(
            f"HubSpot has a problem of its own ({answer.status}{_trace(answer)})",
            _retry_after(answer),
            whole_account=outage,
        )
    return _rejected(answer, properties, about)


@dataclass(frozen=True)
class Refused(Rejected):
    """`because_of`: the properties whose values are refused, as far as HubSpot names them."""

    because_of: frozenset[str] = frozenset()


def written(answer: Answer, properties: Iterable[str]) -> Outcome:
    """The `outcome` of writing one contact; what is rejected is `Refused`. Raises Halted."""
    result = outcome(answer, properties)
    if not isinstance(result, Rejected):
        return result
    named = {name for _, name in _problems(answer)} or _named(answer)
    return Refused(result.reason, frozenset(named & set(properties)))


def existing(answer: Answer) -> str:
    """The id of the contact that is in the way of a new one; empty where there is none."""
    found = re.search(r"Existing ID: (\d+)", str(answer.body.get("message")))
    return found[1] if answer.status == 409 and found else ""


def values_of(told_of: Mapping[str, object]) -> dict[str, str]:
    """What an answer says that an object holds, without what is empty."""
    properties = told_of.get("properties")
    told = properties if isinstance(properties, Mapping) else {}
    return {str(name): str(value) for name, value in told.items() if value not in (None, "")}


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
    if answer.status == 414:  # an address so long that no path holds it
        return False
    return answer.status >= 500 or answer.status in (404, 408, 423, 477) or not answer.body


def _delivered(answer: Answer, about: Subject) -> Outcome:
    made = answer.body.get("id")
    if isinstance(made, str | int) and made:
        return Delivered(str(made))
    return Retry(f"HubSpot answered without a {about.name}")


def _barred(answer: Answer, about: Subject) -> Outcome:
    if answer.status == 401:
        raise Halted(
            f"HubSpot does not accept the access token ({_code(answer)}); "
            "copy it again from the Service Key"
        )
    if not answer.body:
        return Retry("something before HubSpot refuses our calls (403)", whole_account=True)
    raise Halted(
        f"HubSpot's access token may not do this ({_code(answer)}); grant it {about.scopes}"
    )


def _limited(answer: Answer) -> Retry:
    asked, trace = _retry_after(answer), _trace(answer)
    said = answer.text.lower()
    if "daily" in said or answer.headers.get(_DAILY_LEFT) == "0":
        after = max(asked or 0, DAILY_PAUSE)
        return Retry(f"HubSpot's limit for the day is used up (429{trace})", after, True)
    if "secondly" in said and "ten_secondly" not in said:
        after = asked or SECONDLY_PAUSE
        return Retry(f"HubSpot's limit per second is used up (429{trace})", after, True)
    after = asked or BURST_PAUSE
    return Retry(f"HubSpot's limit per ten seconds is used up (429{trace})", after, True)


def _rejected(answer: Answer, properties: Iterable[str], about: Subject) -> Rejected:
    """Names no property that was not sent: HubSpot's texts may hold anything."""
    sent = {"email", *properties}
    problems = [each for each in _problems(answer) if each[1] in sent]
    for error, name in problems:
        if explained := _explained(error, name):
            return explained
    known = sorted({name for _, name in problems} | _named(answer) & sent)
    because = f" because of {', '.join(known)}" if known else ""
    codes = sorted(set(re.findall(r'"(?:error|code)":\s*"([A-Z][A-Z_]+)"', _plain(answer))))
    why = f": {', '.join(codes)}" if codes else ""
    return Rejected(f"HubSpot refuses the {about.name}{because} ({_code(answer)}{why})")


def _explained(error: str, name: str) -> Rejected | None:
    """In a marketer's words, for what a rule or the account's settings can set right."""
    match error:
        case "PROPERTY_DOESNT_EXIST":
            return Rejected(
                f"HubSpot has no property `{name}`; `showbridge hubspot setup` can create it"
            )
        case "READ_ONLY_VALUE":
            return Rejected(
                f"HubSpot sets the property `{name}` by itself; take it out of the rule"
            )
        case "INVALID_OPTION":
            return Rejected(
                f"HubSpot's property `{name}` has no such option; "
                "add it in HubSpot or change the rule"
            )
        case "INVALID_EMAIL":
            return Rejected("HubSpot does not take this e-mail address")
    return None


def _problems(answer: Answer) -> list[tuple[str, str]]:
    """What HubSpot says of single values: the error, and the property's name."""
    objects = re.findall(r"\{[^{}]*\}", _plain(answer))
    told = [(_text(each, "error") or _text(each, "code"), _text(each, "name")) for each in objects]
    pattern = r'"code":\s*"(\w+)",\s*"context":\s*\{"propertyName":\s*\["(\w+)"'
    told += re.findall(pattern, _plain(answer))
    return [(error, name) for error, name in told if error and name]


def _text(written: str, key: str) -> str:
    found = re.search(rf'"{key}":\s*"(\w+)"', written)
    return found[1] if found else ""


def _named(answer: Answer) -> set[str]:
    return set(re.findall(r'"(?:name|in|propertyName)":\s*\[?\s*"(\w+)"', _plain(answer)))


def _plain(answer: Answer) -> str:
    """Also what is JSON within a text of the JSON."""
    return answer.text.replace('\\"', '"')


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
