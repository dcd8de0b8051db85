"""From webhook to vendor call when idle: python -m benchmarks.latency

Everything as `showbridge run` starts it: receiver, workers, clock, Redis,
SQLite. One signed purchase at a time; the clock runs from before it is sent
until a local server, in Slack's place, has its message; each in a channel of its own,
since Slack takes one message a second in each.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.load import run
from benchmarks.purchases import requests
from benchmarks.servers import environ, running, showbridge
from bridge.testing.vendor import Answer, Request, VendorServer
from tests.servers import free_port

EVENTS = 60
PAUSE = 0.15

BRIDGE_YAML = """
sources:
  showpass: {{secrets: {{env: SHOWPASS_SECRETS}}}}
accounts:
  slack: {{bot_token: {{env: SLACK_BOT_TOKEN}}, base_url: "{url}"}}
"""
RULES_YAML = """
rules:
  - name: Buyers
    when: {source: showpass, event: invoice.purchase}
    do:
      - slack.post_message: {channel: "c-{{ order.id }}", text: "{{ order.id }}"}
"""


def main() -> None:
    arrived = threading.Event()
    at = [0.0]

    def answer(_: Request) -> Answer:
        at[0] = time.perf_counter()
        arrived.set()
        return Answer(200, {"ok": True, "ts": "1.1", "channel": "C0123456789"})

    with tempfile.TemporaryDirectory(prefix="sb-") as name, VendorServer(handler=answer) as slack:
        folder, port = Path(name), free_port()
        (folder / "bridge.yaml").write_text(BRIDGE_YAML.format(url=slack.url))
        (folder / "rules.yaml").write_text(RULES_YAML)
        ours = environ(
            folder / "data", port, SHOWBRIDGE_CONFIG=name, SLACK_BOT_TOKEN="xoxb-benchmark"
        )
        url = f"http://127.0.0.1:{port}/healthz"
        with running(showbridge("run"), ours, url, folder / "log"):
            time.sleep(2)
            delays = [_one(port, arrived, at) for _ in range(EVENTS)][5:]
    _report(delays)


def _one(port: int, arrived: threading.Event, at: list[float]) -> float:
    """Seconds from sending one purchase to the vendor having its message."""
    time.sleep(PAUSE)
    arrived.clear()
    prepared = requests(1)
    began = time.perf_counter()
    run(port, prepared, 1)
    if not arrived.wait(20):
        raise RuntimeError("no message came within 20 seconds")
    return at[0] - began


def _report(delays: list[float]) -> None:
    ordered = sorted(1000 * delay for delay in delays)
    print(
        f"webhook to vendor call, {len(ordered)} events: median {statistics.median(ordered):.0f} ms"
        f", least {ordered[0]:.0f} ms, 95 % below {ordered[int(len(ordered) * 0.95)]:.0f} ms"
    )


if __name__ == "__main__":
    main()
