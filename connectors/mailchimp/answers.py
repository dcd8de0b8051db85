"""What Mailchimp's answers mean for the person or the order that a delivery is about.

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

STAYING = ("subscribed", "pending")
CUSTOMER = "transactional"
"""Somebody who bought and never subscribed: https://mailchimp.com/developer/marketing/docs/e-commerce/."""

_BARRED = frozenset(("User Disabled", "Wrong Datacenter", "Forbidden", "API Key Invalid"))


@dataclass(frozen=True)
class Answer:
    """What Mailchimp said, or in `trouble` why it said nothing; `lost`: it may have done it."""

    status: int = 0
    body: Mapping[str, Any] = field(default_factory=dict)
    trouble: Retry | None = None
    lost: bool = False

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def title(self) -> str:
        title = str(self.body.get("title"))
        return title if re.fullmatch(r"[A-Za-z ]{3,60}", title) and "title" in self.body else ""

    @property
    def detail(self) -> str:
        """May hold an address: never to be shown."""
        return str(self.body.get("detail") or "")


def answered(call: Callable[[], Any]) -> Answer:
    """The SDK's answer in one shape: it raises some, returns others, and some without a body."""
    try:
        data = call()
    except ApiClientError as error:
        if error.status_code is None:
            return _trouble(error.text)
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


def _trouble(error: Any) -> Answer:
    inner = error.args[0] if getattr(error, "args", ()) else None
    if isinstance(getattr(inner, "reason", None), NewConnectionError):
        return Answer(trouble=Retry("Mailchimp could not be reached", whole_account=True))
    silent = Retry("Mailchimp did not answer in time, or the connection broke")
    return Answer(trouble=silent, lost=True)


def kept_out(seen: Answer, audience: str) -> Outcome | None:
    """Why somebody whom Mailchimp knows is to be left alone; None: they are there."""
    status = seen.body.get("status")
    if not seen.ok or not isinstance(status, str):
        return refusal(seen, audience)
    if status in STAYING:
        return None
    match status:
        case "unsubscribed":
            return Suppressed("this person has unsubscribed")
        case "cleaned":
            return Suppressed(
                "mail to this address bounced, so Mailchimp has stopped sending to it"
            )
        case "archived":
            return Suppressed("this person was archived in Mailchimp")
    return Suppressed("this person is in a state in which nobody else may subscribe them")


def refusal(answer: Answer, audience: str) -> Outcome:
    """What becomes of a delivery that was not taken; raises Halted for the key's own faults."""
    if answer.trouble:
        return answer.trouble
    _halt(answer)
    if answer.status == 429 or answer.status >= 500 or not answer.title:
        return _passing(answer)
    if answer.title == "Member In Compliance State":
        return Suppressed(
            "this person has unsubscribed, bounced or complained; "
            "only they themselves can subscribe again"
        )
    if answer.title == "Forgotten Email Not Subscribed":
        return Suppressed(
            "this person was deleted for good; only they themselves can subscribe again"
        )
    if answer.status == 404:
        return no_audience(audience)
    return _rejected(answer)


def _halt(answer: Answer) -> None:
    if answer.status == 401 or (answer.status == 403 and answer.title in _BARRED):
        raise Halted(f"Mailchimp refuses the API key ({code(answer)}); make a new one or ask why")
    if answer.title == "Compliance Related":
        raise Halted(
            f"Mailchimp has barred this account ({code(answer)}); log in to see what it asks for"
        )


def _passing(answer: Answer) -> Retry:
    if answer.status in (403, 429, 503):
        return Retry(
            f"Mailchimp wants fewer calls at once ({answer.status})",
            CROWDED_PAUSE,
            whole_account=True,
        )
    if answer.ok:
        return Retry("Mailchimp's answer could not be understood")
    return Retry(f"Mailchimp has a problem of its own ({answer.status})")


def _rejected(answer: Answer) -> Outcome:
    detail = answer.detail
    if "signed up to a lot of lists" in detail:
        return Retry("Mailchimp takes no more sign-ups of this person for now", SIGNUPS_PAUSE)
    if "looks fake or invalid" in detail:
        return Rejected("Mailchimp takes this e-mail address for a fake one")
    if "valid email address" in detail:
        return Rejected("Mailchimp says that this is no e-mail address")
    if re.search(
        r"\b(?:plan|contact) limit|\blimit of your plan|exceed\w* .*\blimit", detail, re.I
    ):
        return Rejected(
            f"Mailchimp has no room for more ({code(answer)}); look at your plan's limits, "
            "then `showbridge replay`"
        )
    return _misfit(answer)


def _misfit(answer: Answer) -> Rejected:
    errors = answer.body.get("errors")
    told = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    missing = _fields(one for one in told if one.get("message") == "Please enter a value")
    if missing:
        return Rejected(
            f"this audience requires {missing}: fill it in the rule, "
            "or make it optional in Mailchimp"
        )
    if named := _fields(told):
        return Rejected(f"Mailchimp refuses the data because of {named} ({code(answer)})")
    return Rejected(f"Mailchimp refuses the data ({code(answer)})")


def _fields(errors: Any) -> str:
    named = {str(one.get("field") or "") for one in errors}
    return ", ".join(sorted(name for name in named if re.fullmatch(r"[\w. ]{1,60}", name)))


def delivered(answer: Answer, centre: str, remark: str | None = None) -> Delivered:
    """With the person's page in Mailchimp, at this data centre."""
    web_id = answer.body.get("web_id")
    page = f"https://{centre}.admin.mailchimp.com/lists/members/view?id={web_id}"
    waits = "waits until this person confirms by mail"
    is_pending = answer.body.get("status") == "pending"
    return Delivered(
        reference=str(answer.body.get("contact_id") or ""),
        link=page if isinstance(web_id, int) else "",
        remark=(waits if is_pending else "") if remark is None else remark,
    )


def no_audience(audience: str) -> Rejected:
    named = f" `{audience}`" if is_plain(audience) else ""
    return Rejected(
        f"Mailchimp has no audience{named}: write its name or its id into the rule, or under "
        "`audiences:` of this account (Mailchimp shows both under Audience, Settings)"
    )


def is_plain(name: str) -> bool:
    """Whether a name from a rule may be shown: an event may have filled in anything."""
    return re.fullmatch(r"[\w .,:&'/+-]{1,80}", name) is not None


def code(answer: Answer) -> str:
    """The status, the title and Mailchimp's own number of the call, for its support."""
    trace = str(answer.body.get("instance"))
    known = f", instance {trace}" if re.fullmatch(r"[0-9a-fA-F-]{8,64}", trace) else ""
    return f"{answer.status} {answer.title}".strip() + known
