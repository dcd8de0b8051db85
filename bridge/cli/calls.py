"""The requests of a delivery: those that were recorded, or those that it will make."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from pydantic import ValidationError
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge.cli.screen import clean, indented
from bridge.config import AccountConfig, Config
from bridge.ledger.stories import AttemptRecord, DeliveryRecord

_SENT = {
    "started": "being sent",
    "previewed": "would be sent: preview",
    "retry": "was tried",
    "unknown": "may have been sent",
    "halted": "was refused with the account",
}


@dataclass(frozen=True)
class Requests:
    """What a delivery's requests are, and in which tense: `was sent`, `will be sent` ...

    `trouble` says why they cannot be told.
    """

    tense: str
    calls: Sequence[Mapping[str, Any]] = ()
    trouble: str = ""


def requests_of(delivery: DeliveryRecord, config: Config) -> Requests | None:
    """None where nothing is to be sent."""
    if delivery.state in ("waiting", "scheduled"):
        account = config.accounts.get(delivery.account)
        again = ", in preview" if account and account.preview else ""
        return _planned(
            delivery, account, f"will be sent{' again' if delivery.attempts else again}"
        )
    tried = [attempt for attempt in delivery.attempts if attempt.calls]
    if tried:
        return Requests(_SENT.get(tried[-1].outcome, "was sent"), tried[-1].calls)
    if delivery.state == "sending":
        return _planned(delivery, config.accounts.get(delivery.account), "is being sent")
    return None


def _planned(delivery: DeliveryRecord, account: AccountConfig | None, tense: str) -> Requests:
    if account is None:
        return Requests(tense, trouble=f"bridge.yaml has no account {delivery.account}")
    action = account.connector.actions().get(delivery.action)
    if action is None:
        return Requests(
            tense, trouble=f"{delivery.account} has no action {delivery.action} any more"
        )
    try:
        item = action.item.model_validate(delivery.item).for_delivery(delivery.id)
        calls = action.preview(account.settings, item)
    except ValidationError:
        return Requests(tense, trouble="what was filled in no longer fits; replay the event")
    except Exception as error:  # noqa: BLE001  # a connector's bug must not hide the rest
        return Requests(tense, trouble=f"the connector's preview failed: {type(error).__name__}")
    return Requests(tense, [asdict(call) for call in calls])


def attempt_seconds(attempt: AttemptRecord) -> float | None:
    """How long it took; None while it is under way."""
    return None if attempt.finished_at is None else attempt.finished_at - attempt.started_at


def print_requests(console: Console, requests: Requests, indent: int) -> None:
    """`POST /path` and, below it, the body as indented JSON."""
    if requests.trouble:
        line = Text(f"{requests.tense}, but cannot be shown: {clean(requests.trouble)}")
        console.print(indented(line, indent))
        return
    console.print(indented(Text(f"{requests.tense}:", style="italic"), indent))
    for call in requests.calls:
        console.print(indented(_call(call), indent + 2))


def _call(call: Mapping[str, Any]) -> RenderableType:
    query = call.get("query") or {}
    target = Text(clean(f"{call['path']}{'?' + urlencode(query) if query else ''}", 2000))
    if call.get("when"):
        target.append(f"  ({clean(call['when'])})", style="dim")
    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_column(style="bold", no_wrap=True)
    line.add_column(overflow="fold")
    line.add_row(clean(call["method"]), target)
    return line if call.get("body") is None else Group(line, pretty(call["body"]))


MAX_LINES = 500
"""Lines that are shown of one body or request."""


def pretty(value: Any) -> RenderableType:
    """JSON as a person reads it; long lines keep their indent, nothing moves the cursor."""
    lines = json.dumps(value, indent=2, ensure_ascii=False, default=str).split("\n")
    more = len(lines) - MAX_LINES
    hint = [Text(f"and {more:,} more lines: `--json` has them", style="dim")] if more > 0 else []
    return Group(*(_line(line) for line in lines[:MAX_LINES]), *hint)


def _line(line: str) -> Padding:
    text = line.lstrip(" ")
    return indented(Text(clean(text, 5_000), overflow="fold"), len(line) - len(text))
