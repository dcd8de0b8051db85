"""A whole installation in one folder: its settings, its servers, its processes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.ledger.database import Database
from bridge.settings_schema import DeliveryText
from tests.chaos.parts import House, OwnPostgreSQL, OwnRedis, bridge_parts
from tests.chaos.plan import AUDIENCE
from tests.chaos.sender import SECRET
from tests.servers import free_port

LEASE_SECONDS = 3

BRIDGE_YAML = """
sources:
  showpass: {{secrets: {{env: SHOWPASS_SECRETS}}}}
accounts:
  hubspot: {{access_token: {{env: HUBSPOT_ACCESS_TOKEN}}, base_url: "{url}"}}
  slack: {{bot_token: {{env: SLACK_BOT_TOKEN}}, base_url: "{url}"}}
  mailchimp:
    api_key: {{env: MAILCHIMP_API_KEY}}
    base_url: "{url}"
    opt_in: {{wording: Send me news, version: "1"}}
    double_opt_in: false
delivery:
  attempts: 100
  lease: {lease} seconds
  backoff: 1 second
  backoff_cap: 3 seconds
"""
RULES_YAML = """
rules:
  - name: Buyers
    when: {source: showpass, event: invoice.purchase}
    do:
      - hubspot.upsert_contact:
          email: "{{ contact.email }}"
          properties:
            last_event: "{{ tickets[0].type_id }}"
            state: paid
            poison: "{{ tickets[0].product or '' }}"
      - slack.post_message:
          channel: "{{ tickets[0].type }}"
          text: "{{ tickets[0].event_name }} {{ order.id }} {{ tickets[0].type_id }}"
      - mailchimp.subscribe:
          audience: AUDIENCE
          email: "{{ contact.email }}"
          merge_fields: {LAST: "{{ tickets[0].type_id }}"}
          tags: [chaos]
  - name: Refunds
    when: {source: showpass, event: invoice.refund}
    do:
      - hubspot.upsert_contact:
          email: "{{ contact.email }}"
          properties:
            last_event: "{{ tickets[0].type_id }}"
            state: refunded
            poison: "{{ tickets[0].product or '' }}"
      - slack.post_message:
          channel: "{{ tickets[0].type }}"
          text: "{{ tickets[0].event_name }} {{ order.id }} {{ tickets[0].type_id }}"
""".replace("AUDIENCE", AUDIENCE)


@dataclass(frozen=True)
class Installation:
    house: House
    redis: OwnRedis
    port: int
    database_url: str
    environ: Mapping[str, str]


@contextmanager
def installed(
    folder: Path, kind: str, vendors_url: str, workers: int, without: str | None
) -> Iterator[Installation]:
    """Its servers run, its processes are started by the first `tend`; all ends with the block."""
    with ExitStack() as stack:
        redis = OwnRedis(folder / "redis")
        servers = [redis.part(folder / "redis.log")]
        database_url = f"sqlite:///{folder / 'data' / 'ledger.db'}"
        if kind == "postgresql":
            postgresql = OwnPostgreSQL()
            stack.callback(postgresql.remove)
            servers.append(postgresql.part(folder / "database.log"))
            database_url = postgresql.url
        _write_settings(folder, vendors_url)
        environ = _environ(folder, database_url, redis.url)
        parts = [*servers, *bridge_parts(environ, folder, workers, without)]
        house = House(parts, folder / "journal.log")
        stack.callback(house.end)
        yield Installation(house, redis, int(environ["PORT"]), database_url, environ)


def _write_settings(folder: Path, vendors_url: str) -> None:
    text = BRIDGE_YAML.format(url=vendors_url, lease=LEASE_SECONDS)
    if "digest_after" in DeliveryText.model_fields:
        # Each message is to be seen by itself.
        text += "  digest_after: 7 days\n"
    (folder / "bridge.yaml").write_text(text)
    (folder / "rules.yaml").write_text(RULES_YAML)


def _environ(folder: Path, database_url: str, redis_url: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "SHOWBRIDGE_CONFIG": str(folder),
        "SHOWBRIDGE_DATA": str(folder / "data"),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "PORT": str(free_port()),
        "SHOWPASS_SECRETS": SECRET,
        "HUBSPOT_ACCESS_TOKEN": "pat-for-chaos",
        "SLACK_BOT_TOKEN": "xoxb-for-chaos",
        "MAILCHIMP_API_KEY": "key-for-chaos-us6",
    }


def ledger(installation: Installation) -> Database:
    return Database(installation.database_url)
