"""What an outcome means for a delivery: pure decisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge.connector import Delivered, Outcome, Rejected, Retry, Suppressed, Unknown
from bridge.ledger.claim import Claimed
from bridge.ledger.selection import KEPT
from bridge.ledger.settle import Settlement

# Before age alone ends a delivery.
LEAST_ATTEMPTS = 3
# What a vendor may ask for: a day's limit, too, is tried again after an hour, by one call.
LONGEST_PAUSE = 3600.0

Calls = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Patience:
    """How long the bridge tries: times in seconds; `jitter` gives numbers from 0 to 1."""

    attempts: int
    max_age: float
    first: float
    cap: float
    jitter: Callable[[], float]

    def delay(self, failures: int) -> float:
        """Exponential with full jitter: anything up to the doubled, capped step.

        https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        return float(self._ceiling(failures) * self.jitter())

    def rest(self, rests: int) -> float:
        """For a whole account, which nobody else has to be kept apart from: at least half."""
        return float(self._ceiling(rests) * (1 + self.jitter()) / 2)

    def _ceiling(self, times: int) -> float:
        return min(self.cap, self.first * 2.0 ** min(times, 40))


def within_reason(retry: Retry) -> Retry:
    """No header, a vendor's or of something in between, keeps anything waiting for days.

    What it asked for is told.
    """
    if retry.after is None or retry.after <= LONGEST_PAUSE:
        return retry
    asked = f"asked for {retry.after / 3600:,.0f} hours, tried again after one"
    return replace(retry, after=LONGEST_PAUSE, reason=f"{retry.reason} ({asked})")


def settlement(
    claimed: Claimed, outcome: Outcome, calls: Calls, patience: Patience, now: float
) -> Settlement:
    match outcome:
        case Delivered():
            return _settled(
                claimed,
                "delivered",
                calls,
                now,
                reason=outcome.remark or None,
                reference=outcome.reference or None,
                link=outcome.link or None,
            )
        case Rejected():
            return _settled(claimed, "rejected", calls, now, reason=outcome.reason)
        case Suppressed():
            return _settled(claimed, "suppressed", calls, now, reason=outcome.reason)
        case Retry():
            return _again(claimed, outcome, calls, patience, now)
        case Unknown():
            return doubtful(claimed, outcome, calls, 0.0, patience, now)


def doubtful(
    claimed: Claimed, outcome: Unknown, calls: Calls, pause: float, patience: Patience, now: float
) -> Settlement:
    """To be looked for, after `pause` seconds at least."""
    again = Retry(outcome.reason, pause)
    return _again(claimed, again, calls, patience, now, uncertain=True)


def previewed(claimed: Claimed, calls: Calls, now: float) -> Settlement:
    return _settled(claimed, "previewed", calls, now)


def halted(claimed: Claimed, reason: str, calls: Calls, now: float) -> Settlement:
    """Back to waiting as if nothing had been tried."""
    return Settlement(
        webhook=claimed.webhook,
        delivery=claimed.id,
        attempt=claimed.attempt,
        outcome="halted",
        state="waiting",
        due_at=now,
        failures=claimed.failures,
        uncertain=claimed.uncertain,
        reason=reason,
        calls=calls,
    )


def _settled(
    claimed: Claimed,
    outcome: str,
    calls: Calls,
    now: float,
    *,
    reason: str | None = None,
    reference: str | None = None,
    link: str | None = None,
) -> Settlement:
    return Settlement(
        webhook=claimed.webhook,
        delivery=claimed.id,
        attempt=claimed.attempt,
        outcome=outcome,
        state=outcome,
        due_at=now,
        failures=claimed.failures,
        reason=reason,
        reference=reference,
        link=link,
        calls=calls,
        topic=claimed.topic,
    )


def _again(
    claimed: Claimed,
    retry: Retry,
    calls: Calls,
    patience: Patience,
    now: float,
    *,
    uncertain: bool = False,
) -> Settlement:
    # The vendor's limit or outage is not this delivery's failure.
    spared = retry.whole_account or retry.limited
    failures = claimed.failures + (0 if spared else 1)
    reason = None if spared else _why_dead(claimed, retry, failures, patience, now)
    # Where the whole account rests, its rest is the delay.
    delay = 0.0 if retry.whole_account else patience.delay(claimed.failures)
    return Settlement(
        webhook=claimed.webhook,
        delivery=claimed.id,
        attempt=claimed.attempt,
        outcome="unknown" if uncertain else "retry",
        state="dead" if reason else "waiting",
        due_at=now + max(retry.after or 0.0, delay),
        failures=failures,
        uncertain=uncertain or claimed.uncertain,
        reason=reason or retry.reason,
        calls=calls,
    )


def _why_dead(
    claimed: Claimed, retry: Retry, failures: int, patience: Patience, now: float
) -> str | None:
    if failures >= patience.attempts:
        return f"gave up after {failures} attempts: {retry.reason}"
    # What had to wait for a halted account has not been tried in earnest yet.
    if failures >= LEAST_ATTEMPTS and now - claimed.planned_at >= patience.max_age:
        return f"gave up after {patience.max_age / 3600:.0f} hours: {retry.reason}"
    return None


def absent(claimed: Claimed, now: float) -> Settlement:
    """Looked for and not there: it is sent as if for the first time."""
    return _sent_again(claimed, "absent", "it was not there, so it is sent again", now)


def repeated(claimed: Claimed, outcome: Unknown, now: float) -> Settlement:
    """Nobody can tell, and a second message is better than none."""
    reason = f"sent again, though it may be there, as `if_unknown` says: {outcome.reason}"
    return _sent_again(claimed, "unknown", reason, now)


def kept_for_a_person(claimed: Claimed, outcome: Unknown, now: float) -> Settlement:
    """Nobody can tell, and none is better than a second message."""
    reason = f"{KEPT}, it may have been done already: {outcome.reason}"
    return replace(_settled(claimed, "unknown", (), now, reason=reason), state="dead")


def _sent_again(claimed: Claimed, outcome: str, reason: str, now: float) -> Settlement:
    return Settlement(
        webhook=claimed.webhook,
        delivery=claimed.id,
        attempt=claimed.attempt,
        outcome=outcome,
        state="waiting",
        due_at=now,
        failures=claimed.failures,
        reason=reason,
    )
