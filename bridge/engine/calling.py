"""Calling a connector so that neither its bugs nor lost answers do harm."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from bridge.connector import (
    Action,
    Call,
    Connector,
    Delivered,
    Earlier,
    Gist,
    Halted,
    Item,
    NotNow,
    Outcome,
    Rejected,
    Retry,
    Unknown,
)
from bridge.engine.backoff import within_reason
from bridge.errors import LeaseLost
from bridge.ledger.claim import Claimed
from bridge.logs import place_of

log = logging.getLogger(__name__)

Calls = Sequence[Mapping[str, Any]]

MAX_CALLS = 20
"""Requests that are recorded of one attempt."""

MAX_CALL = 20_000
"""Characters, as JSON, that are recorded of one request."""

_BEGINS = 2_000


@dataclass(frozen=True)
class Tried:
    """What one claimed delivery came to, and the calls that were made or would be."""

    claimed: Claimed
    outcome: Outcome
    calls: Calls = ()


def item_of(action: Action, claimed: Claimed, sent_as: str = "") -> Item | Rejected:
    """The item as it was filled in; the action's fields may have changed since."""
    try:
        item = action.item.model_validate(claimed.item)
    except ValidationError as error:
        fields = ", ".join(str(each["loc"][0]) for each in error.errors() if each["loc"])
        return Rejected(f"no longer fits {action.name} ({fields}); replay the event")
    asks = action.threads is not None and bool(getattr(item, action.threads))
    return item.for_delivery(
        claimed.id,
        sent_as=sent_as,
        gist=_gist(claimed),
        planned_at=claimed.planned_at,
        event=claimed.event,
        earlier=Earlier(claimed.earlier) if asks and claimed.earlier else None,
    )


def _gist(claimed: Claimed) -> Gist | None:
    known = claimed.gist
    if not known:
        return None
    amount = known.get("amount")
    return Gist(known["what"], Decimal(amount) if amount else None, known.get("currency", ""))


def calls_of(action: Action, preview: Callable[[], Sequence[Call]]) -> Calls:
    """The preview as plain data; nothing where it fails, which must not stop the delivery."""
    try:
        calls = [vars(call) for call in preview()[:MAX_CALLS]]
        plain: Calls = json.loads(json.dumps([_short(each) for each in calls], default=str))
    except Exception as error:  # noqa: BLE001  # a connector's bug: its place is told
        log.error("the preview of %s failed: %s", action.name, place_of(error))
        return []
    return plain


def _short(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same; what is too long to be kept for each attempt says so, and how it begins."""
    length = len(json.dumps(call, default=str))
    if length <= MAX_CALL:
        return call
    text = json.dumps(call["body"], default=str)
    said = f"{len(text):,} characters, of which the first {_BEGINS:,} are kept"
    path = str(call["path"])[:_BEGINS]
    return {**call, "path": path, "query": {}, "body": {"cut": said, "begins": text[:_BEGINS]}}


def send(connector: Connector, action: Action, items: Sequence[Item]) -> Sequence[Outcome]:
    """One outcome for each item, in order; raises Halted and LeaseLost."""
    if not items:
        return []
    outcomes = _guarded(connector, action, lambda: getattr(connector, action.name)(items))
    if isinstance(outcomes, Retry | Unknown):
        return [outcomes] * len(items)
    if not (isinstance(outcomes, list) and all(map(_is_outcome, outcomes))):
        log.error("%s.%s answers with what is no outcome", connector.name, action.name)
        return [_no_idea(action, "the connector's answer makes no sense")] * len(items)
    if len(outcomes) != len(items):
        reason = f"the connector answered {len(outcomes)} of {len(items)} items"
        return [_no_idea(action, reason)] * len(items)
    return [within_reason(each) if isinstance(each, Retry) else each for each in outcomes]


def send_digest(
    connector: Connector, action: Action, items: Sequence[Item], seconds: float
) -> Outcome:
    """One message for all; raises Halted and LeaseLost."""
    assert action.digest is not None  # noqa: S101  # only such batches are digests
    method = getattr(connector, action.digest.method)
    outcome = _guarded(connector, action, lambda: method(items, seconds))
    if _is_outcome(outcome):
        sent: Outcome = within_reason(outcome) if isinstance(outcome, Retry) else outcome
        return sent
    return _no_idea(action, "the connector's answer makes no sense")


def look_up(connector: Connector, action: Action, item: Item) -> Delivered | Retry | Unknown | None:
    """Whether it was done already (see `Connector.find`); raises Halted and LeaseLost."""
    try:
        found: Delivered | Retry | Unknown | None = connector.find(action.name, item)
    except (Halted, LeaseLost):
        raise
    except NotNow as busy:
        return Retry(str(busy), busy.after, limited=True)
    except Exception as error:  # noqa: BLE001  # a connector's bug: its place is told
        log.error("%s.find failed: %s", connector.name, place_of(error))
        return Retry("it could not be looked up whether it was done already")
    return within_reason(found) if isinstance(found, Retry) else found


def _guarded(connector: Connector, action: Action, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (Halted, LeaseLost):
        raise
    except NotNow as busy:
        # Whoever sends several one by one has to say itself which of them went out.
        return Retry(str(busy), busy.after, whole_account=True)
    except Exception as error:  # noqa: BLE001  # a connector's bug: its place is told
        log.error("%s.%s failed: %s", connector.name, action.name, place_of(error))
        return _no_idea(action, f"the connector failed with {type(error).__name__}")


def _is_outcome(value: Any) -> bool:
    if isinstance(value, Retry):
        return value.after is None or isinstance(value.after, int | float)
    return isinstance(value, Outcome)


def _no_idea(action: Action, reason: str) -> Retry | Unknown:
    return Retry(reason) if action.idempotent else Unknown(reason)
