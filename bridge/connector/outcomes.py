"""What became of an item."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Delivered:
    """The vendor has it. `reference` is the vendor's id, `link` a page a person can open."""

    reference: str = ""
    link: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Retry:
    """Not now. `after` is in seconds, where the vendor says so.

    `whole_account`: the vendor refuses everything for a while (a rate limit, an
    outage), so the account rests and no other delivery runs into the same wall.
    `limited`: a limit of this lane alone is the reason (one Slack channel's).
    Neither counts as a failure of the item.
    """

    reason: str
    after: float | None = None
    whole_account: bool = False
    limited: bool = False


@dataclass(frozen=True)
class Rejected:
    """Never: the vendor says that this item is wrong. A person has to look."""

    reason: str


@dataclass(frozen=True)
class Suppressed:
    """The vendor or the person says no (unsubscribed, forgotten): not an error, not retried."""

    reason: str


@dataclass(frozen=True)
class Unknown:
    """The call went out and no answer came back: it may have been done."""

    reason: str


Outcome = Delivered | Retry | Rejected | Suppressed | Unknown


class Halted(Exception):
    """Raised by an action when the account itself is refused (a revoked token, a missing scope).

    The account rests until a person acts; no delivery spends an attempt.
    """


class NotNow(Exception):
    """Raised by a pacer: the account's limits allow no call for the next `after` seconds.

    A connector makes `Retry(reason, after, whole_account=True)` of it for each
    item that was not sent.
    """

    def __init__(self, after: float) -> None:
        super().__init__(f"the account's limits allow no call for {after:.0f} seconds")
        self.after = after
