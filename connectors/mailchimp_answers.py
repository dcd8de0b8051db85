"""What Mailchimp's answers mean for the person whom a delivery is about.

Refusals are told apart by their titles: https://mailchimp.com/developer/marketing/docs/errors/;
what a member's status means is told in
https://developer.mailchimp.com/documentation/mailchimp/guides/manage-subscribers-with-the-mailchimp-api/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mailchimp_marketing.api_client import ApiClientError
from urllib3.exceptions import NewConnectionError

from bridge.connector import Delivered, Halted, Outcome, Rejected, Retry, Suppressed

CROWDED_PAUSE = 10.0
"""Seconds after a refusal for too many calls at once; Mailchimp names none."""
SIGNUPS_PAUSE = 3600.0

_STAYING = ("subscribed", "pending")
_LEFT = {
    "unsubscribed": "this person has unsubscribed",
    "cleaned": "mail to this address bounced, so Mailchimp has stopped sending to it",
    "archived": "this person was archived in Mailchimp",
    "transactional": "this person takes no marketing mail",
}
_REFUSED = {
    "Member In Compliance State": "this person has unsubscribed, bounced or complained; "
    "only they themselves can subscribe again",
    "Forgotten Email Not Subscribed": "this person was deleted for good; "
    "only they themselves can subscribe again",
}
_BARRED = frozenset(("User Disabled", "Wrong Datacenter", "Forbidden", "API Key Invalid"))


@dataclass(frozen=True)
class Answer:
    """What Mailchimp said, or in `trouble` why it said nothing."""

    status: int = 0
    body: Mapping[str, Any] = field(default_factory=dict)
    trouble: Retry | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def title(self) -> str:
        title = str(self.body.get("title"))
        return title if re.fullmatch(r"[A-Za-z ]{3,60}", title) and "title" in self.body else ""


def answered(call: Callable[[], Any]) -> Answer:
    """The SDK's answer in one shape: it raises some, returns others, and some without a body."""
    try:
        data = call()
    except ApiClientError as error:
        if error.status_code is None:
            return Answer(trouble=_trouble(error.text))
        return Answer(error.status_code, _problem(error.text))
    if isinstance(data, dict | list | str):
        return Answer(200, _problem(data))
    return Answer(data.status_code)  # the SDK hands out the bare response where there is no body


def _problem(said: Any) -> Mapping[str, Any]:
    try:
        body = json.loads(said) if isinstance(said, str | bytes) else said
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _trouble(error: Any) -> Retry:
    inner = error.args[0] if getattr(error, "args", ()) else None
    if isinstance(getattr(inner, "reason", None), NewConnectionError):
        return Retry("Mailchimp could not be reached", whole_account=True)
    return Retry("Mailchimp did not answer in time, or the connection broke")


def kept_out(seen: Answer, audience: str) -> Outcome | None:
    """Why somebody whom Mailchimp knows must not be subscribed; None: they may."""
    status = seen.body.get("status")
    if not seen.ok or not isinstance(status, str):
        return refusal(seen, audience)
    if status in _STAYING:
        return None
    return Suppressed(_LEFT.get(status, "this person is not to be subscribed by anybody else"))


def refusal(answer: Answer, audience: str) -> Outcome:
    """What becomes of a delivery that was not taken; raises Halted for the key's own faults."""
    if answer.trouble:
        return answer.trouble
    if answer.status == 401 or (answer.status == 403 and answer.title in _BARRED):
        raise Halted(f"Mailchimp refuses the API key ({_code(answer)}); make a new one or ask why")
    if answer.status == 429 or answer.status >= 500 or not answer.title:
        return _passing(answer)
    if answer.title in _REFUSED:
        return Suppressed(_REFUSED[answer.title])
    if answer.status == 404:
        return no_audience(audience)
    return _rejected(answer)


def _passing(answer: Answer) -> Retry:
    if answer.status in (403, 429, 503):
        reason = f"Mailchimp wants fewer calls at once ({answer.status})"
        return Retry(reason, CROWDED_PAUSE, whole_account=True)
    if answer.ok:
        return Retry("Mailchimp's answer could not be understood")
    return Retry(f"Mailchimp has a problem of its own ({answer.status})")


def _rejected(answer: Answer) -> Outcome:
    detail = str(answer.body.get("detail"))
    if "signed up to a lot of lists" in detail:
        return Retry("Mailchimp takes no more sign-ups of this person for now", SIGNUPS_PAUSE)
    about = ", ".join(_fields(answer)) or ("the address" if "email address" in detail else "")
    because = f" because of {about}" if about else ""
    return Rejected(f"Mailchimp refuses the person's data{because} ({_code(answer)})")


def _fields(answer: Answer) -> list[str]:
    errors = answer.body.get("errors")
    named = [one.get("field") for one in errors or [] if isinstance(one, dict)]
    return sorted({name for name in named if re.fullmatch(r"[\w. ]{1,60}", str(name)) and name})


def delivered(answer: Answer, centre: str) -> Delivered:
    """With the person's page in Mailchimp, at this data centre."""
    web_id = answer.body.get("web_id")
    page = f"https://{centre}.admin.mailchimp.com/lists/members/view?id={web_id}"
    pending = answer.body.get("status") == "pending"
    return Delivered(
        reference=str(answer.body.get("contact_id") or ""),
        link=page if isinstance(web_id, int) else "",
        remark="waits until this person confirms by mail" if pending else "",
    )


def no_audience(audience: str) -> Rejected:
    named = f" `{audience}`" if re.fullmatch(r"[\w -]{1,80}", audience) else ""
    return Rejected(
        f"Mailchimp has no audience{named}: name its id in the rule, or under `audiences:` of "
        "this account (Mailchimp shows it under Audience, Settings)"
    )


def _code(answer: Answer) -> str:
    trace = str(answer.body.get("instance"))
    known = f", instance {trace}" if re.fullmatch(r"[0-9a-fA-F-]{8,64}", trace) else ""
    return f"{answer.status} {answer.title}".strip() + known
