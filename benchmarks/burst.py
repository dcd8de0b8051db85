"""Many ticket purchases within a minute, three actions each: python -m benchmarks.burst

The vendors are simulated in a process of their own with their published limits
(see tests/chaos/vendors). Each purchase is of another person and becomes a
HubSpot contact, a Slack message and a Mailchimp subscription. Beside it the
same bridge with one call for each event, for as long as the burst took.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from benchmarks.load import run
from benchmarks.purchases import requests
from benchmarks.servers import environ, running, showbridge
from bridge.ledger.database import Database
from bridge.ledger.look_up import totals
from tests.chaos.simulator import Simulator, running_vendors
from tests.servers import free_port, running_postgresql, running_redis

HUBSPOT_CALLS, HUBSPOT_SECONDS = 100, 10.0
CONNECTIONS = 8

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
"""
RULES_YAML = """
rules:
  - name: Buyers
    when: {source: showpass, event: invoice.purchase}
    do:
      - hubspot.upsert_contact:
          email: "{{ contact.email }}"
          properties: {firstname: "{{ contact.first_name }}", last_order: "{{ order.id }}"}
      - slack.post_message:
          channel: C0123456789
          text: "{{ contact.name }} paid {{ order.total | money(order.currency) }}"
      - mailchimp.subscribe:
          audience: a1b2c3d4e5
          email: "{{ contact.email }}"
          merge_fields: {ORDER: "{{ order.id }}"}
"""
CREDENTIALS = {
    "HUBSPOT_ACCESS_TOKEN": "pat-benchmark",
    "SLACK_BOT_TOKEN": "xoxb-benchmark",
    "MAILCHIMP_API_KEY": "key-benchmark-us6",
}


@dataclass(frozen=True)
class Bridge:
    port: int
    database: Database
    vendors: Simulator

    def delivered(self) -> int:
        with self.database.read() as connection:
            return totals(connection).deliveries.get("delivered", 0)


def main() -> None:
    options = _options()
    with _bridge(options, "bridge") as ours:
        seconds = _burst(ours, options)
    if options.compare:
        with _bridge(options, "benchmarks.one_by_one") as single:
            _one_by_one(single, options, seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--purchases", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=60.0, help="over which they come")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--latency", type=float, default=0.05, help="of each vendor, in seconds")
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    parser.add_argument("--no-compare", dest="compare", action="store_false")
    return parser.parse_args()


def _burst(bridge: Bridge, options: argparse.Namespace) -> float:
    prepared = requests(options.purchases, persons=True)
    began = time.monotonic()
    statuses = run(bridge.port, prepared, CONNECTIONS, len(prepared) / options.seconds).statuses
    sent = time.monotonic() - began
    _wait_until_drained(bridge, 3 * options.purchases)
    seconds = time.monotonic() - began
    counters = bridge.vendors.counters()
    least = max(sent, _least_for_hubspot(options.purchases))
    print(f"{options.purchases} purchases sent in {sent:.1f} s, answers {dict(statuses)}")
    print(f"drained after {seconds:.1f} s; least by the limits {least:.1f} s: ", end="")
    print(f"{seconds / least:.2f} times")
    _report_calls(counters)
    return seconds


def _least_for_hubspot(purchases: int) -> float:
    """To read and create each hundred takes two calls; the first window is free at the start."""
    calls = 2 * ceil(purchases / 100)
    return (ceil(calls / HUBSPOT_CALLS) - 1) * HUBSPOT_SECONDS


def _wait_until_drained(bridge: Bridge, deliveries: int) -> None:
    told = time.monotonic()
    while (done := bridge.delivered()) < deliveries:
        if time.monotonic() > told + 5:
            told = time.monotonic()
            print(f"  {done} of {deliveries} delivered", file=sys.stderr)
        time.sleep(0.25)


def _one_by_one(bridge: Bridge, options: argparse.Namespace, seconds: float) -> None:
    """The rate is steady, so that a part of the burst tells how long all would take."""
    prepared = requests(ceil(options.purchases / 10), persons=True)
    run(bridge.port, prepared, CONNECTIONS, len(prepared) / (seconds / 10))
    began, before = time.monotonic(), _contacts(bridge)
    time.sleep(seconds)
    rate = (_contacts(bridge) - before) / (time.monotonic() - began)
    minutes = options.purchases / rate / 60
    print(f"one call for each event: {rate:.1f} contacts/s, {minutes:.0f} minutes for all contacts")
    _report_calls(bridge.vendors.counters())


def _contacts(bridge: Bridge) -> int:
    return sum(1 for effect in bridge.vendors.effects() if effect["vendor"] == "hubspot")


def _report_calls(counters: dict[str, Any]) -> None:
    for name, value in counters.items():
        print(f"  {name}: {value}")


@contextmanager
def _bridge(options: argparse.Namespace, module: str) -> Iterator[Bridge]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sb-")))
        vendors = stack.enter_context(running_vendors(1))
        vendors.set_faults({"all": {"latency": options.latency}})
        (folder / "bridge.yaml").write_text(BRIDGE_YAML.format(url=vendors.url))
        (folder / "rules.yaml").write_text(RULES_YAML)
        port = free_port()
        more = {
            "SHOWBRIDGE_CONFIG": str(folder),
            "DATABASE_URL": _database_url(stack, folder, options.postgresql),
            "REDIS_URL": stack.enter_context(running_redis(folder)),
            **CREDENTIALS,
        }
        settings = environ(folder / "data", port, **more)
        healthy = f"http://127.0.0.1:{port}/healthz"
        log = folder / "log"
        stack.enter_context(running(showbridge("web"), settings, healthy, log))
        stack.enter_context(running(showbridge("clock"), settings, healthy, log))
        for _ in range(options.workers):
            stack.enter_context(running(_worker(module), settings, healthy, log))
        yield Bridge(port, Database(more["DATABASE_URL"]), vendors)


def _worker(module: str) -> Sequence[str]:
    return [sys.executable, "-m", module, "worker", "--processes", "1"]


def _database_url(stack: ExitStack, folder: Path, postgresql: bool) -> str:
    if postgresql:
        return stack.enter_context(running_postgresql())
    (folder / "data").mkdir()
    return f"sqlite:///{folder / 'data' / 'ledger.db'}"


if __name__ == "__main__":
    main()
