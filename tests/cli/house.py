"""A folder with both files, a ledger filled through the real ledger functions, and the command."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from bridge.cli import cli
from bridge.config import Config, load, world
from bridge.connector import Outcome
from bridge.engine import backoff
from bridge.engine.route import Router
from bridge.event import Webhook
from bridge.ledger.accept import Arrival, keep
from bridge.ledger.claim import Batch, Claimed, claim
from bridge.ledger.database import Database
from bridge.ledger.due import due_lanes
from bridge.ledger.migrate import migrate
from bridge.ledger.plan import record, waiting
from bridge.ledger.rule_versions import How, live, publish
from bridge.ledger.settle import Settlement, settle
from bridge.rule_files import read_files
from bridge.rules import RuleSet
from tests.engine.scripted import patience

BRIDGE = """\
sources:
  showpass:
    secrets: {env: SHOWPASS_SECRETS}
  showpad:
    secrets: {env: SHOWPAD_SECRETS}
    path_secret: {env: SHOWPAD_PATH}
accounts:
  hubspot: {access_token: {env: HUBSPOT_ACCESS_TOKEN}}
  slack: {bot_token: {env: SLACK_BOT_TOKEN}}
"""
RULES = """\
rules:
  - name: Buyers
    when: {source: showpass, event: invoice.purchase}
    do:
      - hubspot.upsert_contact: {email: "{{ contact.email }}"}
      - slack.post_message: {channel: "#sales", text: "{{ contact.name }} bought"}
  - name: Refunds
    when: {source: showpass, event: invoice.refund}
    do:
      - slack.post_message: {channel: "#sales", text: "refunded"}
"""
SECRETS = {
    "SHOWPASS_SECRETS": "showpass-secret-4711",
    "SHOWPAD_SECRETS": "showpad-secret-4711",
    "SHOWPAD_PATH": "path-secret-4711-4711",
    "SLACK_BOT_TOKEN": "xoxb-secret-4711",
}
UNSET = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "HUBSPOT_ACCESS_TOKEN", "NO_COLOR", "PORT"))


@dataclass
class House:
    """`environ` is what the command sees beside the rest of this process's environment."""

    folder: Path
    environ: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        config = self.folder / "config"
        config.mkdir()
        (config / "bridge.yaml").write_text(BRIDGE)
        (config / "rules.yaml").write_text(RULES)
        own = {"SHOWBRIDGE_CONFIG": str(config), "SHOWBRIDGE_DATA": str(self.folder / "data")}
        self.environ = {**UNSET, **SECRETS, **own, "COLUMNS": "80"}

    @property
    def config(self) -> Config:
        return load({name: value for name, value in self.environ.items() if value is not None})

    def write(self, name: str, text: str) -> None:
        (self.folder / "config" / name).write_text(text)

    def run(self, *arguments: str) -> Result:
        with _in_zone(self.environ.get("TZ")):
            return CliRunner().invoke(cli, arguments, env=self.environ, prog_name="showbridge")

    def open(self) -> Ledger:
        config = self.config
        config.data.mkdir(exist_ok=True)
        database = Database(config.database_url)
        migrate(database)
        return Ledger(config, database)


@contextmanager
def _in_zone(name: str | None) -> Iterator[None]:
    """As a process that starts with this TZ; it is read only then. None: the machine's own zone."""
    if name is None:
        yield
        return
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("TZ", name)
        time.tzset()
        try:
            yield
        finally:
            changed.undo()
            time.tzset()


@dataclass
class Ledger:
    """What the processes of the bridge would write, written here one step at a time."""

    config: Config
    database: Database

    def receive(self, sample: str = "invoice.purchase", **changes: object) -> int:
        """A sample as it arrives now, with changes to its `data`; the webhook's number."""
        source = "showpass" if "." in sample else "showpad"
        text = next(
            each.text
            for each in self.config.sources[source].source.samples()
            if each.name == sample
        )
        payload = json.loads(text.replace("{{ uuid }}", str(uuid4())))
        payload["data"].update(changes)
        return self.keep(source, json.dumps(payload).encode())

    def keep(self, source: str, body: bytes) -> int:
        headers = {"x-showpad-signature-timestamp": str(int(time.time()))}
        webhook = Webhook(source, body, headers, time.time())
        arrival = Arrival(webhook, self.config.sources[source].source.identify(webhook))
        with self.database.write() as connection:
            keep(connection, [arrival])
        with self.database.read() as connection:
            return max([each.number for each in waiting(connection, 10_000)], default=0)

    def route(self) -> None:
        rules = self.publish()
        router = Router(
            {name: each.source for name, each in self.config.sources.items()},
            {name: each.connector for name, each in self.config.accounts.items()},
            rules,
        )
        with self.database.write() as connection:
            plans = [router.plan(each, time.time()) for each in waiting(connection, 10_000)]
            record(connection, plans, time.time())

    def publish(self, rules: RuleSet | None = None, how: How = "saved") -> RuleSet:
        """The rules of the files, live, as the bridge does it when they are saved."""
        rules = rules or read_files(self.config.folder).compiled(world(self.config))
        with self.database.write() as connection:
            before = live(connection)
            if before is None or before.version != rules.version:
                version, files, now = rules.version, rules.files, time.time()
                publish(connection, version, files, author="ana", how=how, now=now)
        return rules

    def deliver(self, account: str, outcome: Outcome | None = None) -> None:
        """All that waits for an account, with one outcome; None is a preview."""
        while claimed := self._claimed(account):
            self._settle([self._settlement(each, outcome) for each in claimed])

    def _settlement(self, delivery: Claimed, outcome: Outcome | None) -> Settlement:
        calls, now = self._calls(delivery), time.time()
        if outcome is None:
            return backoff.previewed(delivery, calls, now)
        return backoff.settlement(delivery, outcome, calls, patience(), now)

    def _claimed(self, account: str) -> list[Claimed]:
        now = time.time()
        with self.database.write() as connection:
            lanes = [lane for lane in due_lanes(connection, now) if lane.startswith(account)]
            batches = [claim(connection, lane, "turn", 100, Batch, now) for lane in lanes]
            return [each for batch in batches for each in batch.deliveries]

    def _calls(self, delivery: Claimed) -> backoff.Calls:
        account = self.config.accounts[delivery.account]
        action = account.connector.actions()[delivery.action]
        item = action.item.model_validate(delivery.item).for_delivery(delivery.id)
        return [asdict(call) for call in action.preview(account.settings, item)]

    def _settle(self, settlements: Sequence[Settlement]) -> None:
        with self.database.write() as connection:
            settle(connection, settlements, "turn", time.time())
