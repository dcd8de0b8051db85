"""`showbridge events`: what came in and what became of it, the newest last."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click
from rich.console import Console

from bridge.cli import json_lines
from bridge.cli.event_lines import Layout
from bridge.cli.existing import existing_ledger
from bridge.cli.follow import Follower
from bridge.cli.moment import moment
from bridge.cli.screen import counted, screen
from bridge.config import Config, load
from bridge.ledger.alerts import open_alerts
from bridge.ledger.books import stored_webhooks
from bridge.ledger.database import Database
from bridge.ledger.look_up import SEARCHED, EventSummary, Filters, recent

STATES = (
    *("waiting", "routed", "unrouted", "quarantined"),
    *("delivered", "previewed", "suppressed", "rejected", "dead", "sending", "scheduled"),
)
POLL_SECONDS = 0.3


def select(database: Database, filters: Filters, limit: int | None) -> list[EventSummary]:
    """The newest last."""
    with database.read() as connection:
        return recent(connection, filters, limit)[::-1]


@click.command("events")
@click.option("--limit", default=20, type=click.IntRange(0), show_default=True, help="The newest.")
@click.option("--all", "everything", is_flag=True, help="Without a limit.")
@click.option("--follow", is_flag=True, help="Go on with what comes in; Ctrl-C ends.")
@click.option("--source", help="Of this source.")
@click.option("--type", "kind", metavar="GLOB", help="Such as invoice.* (in quotes).")
@click.option(
    "--state",
    type=click.Choice(STATES),
    metavar="STATE",
    help=f"As the list shows it, of the event or of any of its deliveries: {', '.join(STATES)}.",
)
@click.option("--who", metavar="TEXT", help="Whose address or name holds this text.")
@click.option("--since", callback=moment, metavar="WHEN", help='"2 hours", or an ISO date or time.')
@click.option("--json", "as_json", is_flag=True, help="One JSON object on each line.")
def command(  # noqa: PLR0913, RUF100  # one for each option
    limit: int,
    everything: bool,
    follow: bool,
    source: str | None,
    kind: str | None,
    state: str | None,
    who: str | None,
    since: float | None,
    as_json: bool,
) -> None:
    """List what came in and what became of it, the newest last."""
    filters = Filters(
        source=source,
        type=kind,
        state=state,
        who=who,
        since=since,
    )
    config = load(os.environ)
    with existing_ledger(config) as database:
        listing = _Listing(screen(), as_json, follow)
        follower = Follower(database, filters, time.monotonic) if follow else None
        shown = select(database, filters, None if everything else limit)
        listing.show(shown)
        if filters.searches and not everything and len(shown) < limit:
            _say_bound(database)
        if follower is not None:
            follower.told(shown)
            _follow(follower, listing)
        elif not as_json:
            for hint in _hints(config, database, filters, len(shown)):
                listing.console.print(hint, style="dim")


def _follow(follower: Follower, listing: _Listing) -> None:
    while True:
        listing.show(follower.step())
        time.sleep(POLL_SECONDS)


@dataclass
class _Listing:
    """Shows events in one layout, or as JSON, as often as there are some."""

    console: Console
    as_json: bool
    follows: bool
    layout: Layout | None = None

    def show(self, events: Sequence[EventSummary]) -> None:
        if self.as_json:
            for event in events:
                json_lines.say(as_object(event))
        elif events:
            self._print(events)

    def _print(self, events: Sequence[EventSummary]) -> None:
        now = time.time()
        heading = self.layout is None
        self.layout = self.layout or Layout.fitting(
            events, now, self.console.width, follow=self.follows
        )
        self.layout.print(self.console, events, now, heading=heading)


def as_object(event: EventSummary) -> dict[str, object]:
    """What `--json` prints of an event; times in UTC, deliveries counted by state."""
    return {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "who": event.who,
        "idempotency_key": event.idempotency_key,
        "state": event.state,
        "reason": event.reason,
        "received_at": json_lines.iso(event.received_at),
        "deliveries": dict(event.deliveries),
        "due_at": json_lines.iso(event.due_at),
    }


def _say_bound(database: Database) -> None:
    """On standard error, for whatever reads the lines, and might take them for all there are."""
    with database.read() as connection:
        if stored_webhooks(connection) <= SEARCHED:
            return
    told = f"Looked at the newest {SEARCHED:,} webhooks; `--all` looks at all."
    click.echo(click.style(told, dim=True), err=True)


def _hints(config: Config, database: Database, filters: Filters, shown: int) -> Iterator[str]:
    with database.read() as connection:
        received = stored_webhooks(connection)
        alerts = len(open_alerts(connection))
    if shown:
        yield ""
    if not received:
        yield "Nothing was received yet. Try `showbridge send --all`."
    elif filters != Filters():
        yield f"{counted(shown, 'event')} found; {counted(received, 'webhook')} in all."
    elif shown < received:
        yield f"The newest {shown:,} of {received:,}; `--all` shows all."
    if shown:
        yield "`showbridge event ID` tells the whole story of one."
    if alerts:
        yield f"{counted(alerts, 'open alert')}: `showbridge status` shows what needs a person."
    if config.accounts and all(account.preview for account in config.accounts.values()):
        yield "All accounts are in preview: nothing has left (`showbridge accounts`)."
