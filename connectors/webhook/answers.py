"""What a receiver's status means for a delivery.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#delivery-success-and-failure
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bridge.connector import Delivered, Halted, Outcome, Rejected, Retry
from connectors.webhook.exchange import Answer
from connectors.webhook.settings import WebhookSettings, within

LONGEST_PAUSE = 86_400.0
"""In seconds: whoever asks for more gets a day."""


def outcome(settings: WebhookSettings, answer: Answer, now: datetime) -> Outcome:
    """What the answer comes to; raises Halted."""
    if answer.trouble:
        return answer.trouble
    status = answer.status
    if within(status, settings.success):
        return Delivered()
    if 300 <= status < 400:
        return Rejected(
            f"the receiver redirects to another address ({status}), which is never followed; put "
            "the right address into `url`"
        )
    if within(status, settings.retry):
        return _later(answer, now)
    if within(status, settings.halt):
        raise _halted(status)
    if status == 404:
        return Rejected(
            "the receiver knows no such address (404); see that the workflow there is switched on "
            "and that `url` and `path` are right"
        )
    return Rejected(f"the receiver refuses the message ({status}); see what it expects")


def _later(answer: Answer, now: datetime) -> Retry:
    after = pause(answer.headers.get("retry-after", ""), now)
    if answer.status == 429:
        return Retry("the receiver wants fewer messages for a while", after, whole_account=True)
    whole = answer.status in (502, 503, 504)
    return Retry(f"the receiver has a problem ({answer.status})", after, whole_account=whole)


def _halted(status: int) -> Halted:
    if status == 410:
        return Halted(
            "the receiver wants no more messages (410): the webhook was switched off or deleted "
            "there; switch it on or take the account out, then `showbridge resume`"
        )
    return Halted(
        f"the receiver does not let us in ({status}); check `url`, `signing_secret` and "
        "`secret_headers`"
    )


def pause(asked: str, now: datetime) -> float | None:
    """Seconds of a Retry-After header, which names seconds or a date."""
    text = asked.strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return min(float(text), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_PAUSE)
