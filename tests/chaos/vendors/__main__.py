"""HubSpot, Slack and Mailchimp on one port: python -m tests.chaos.vendors --seed 1

POST /_control/faults  {"all": {"reset": 0.05, "latency": 0.03}, "slack": {"slow": 0.1}}
POST /_control/people  {"hubspot": ["a@b.ca"], "mailchimp": {"LIST": {"a@b.ca": "unsubscribed"}}}
POST /_control/reset
GET  /_control/effects?since=0   what was done, in order
GET  /_control/counters          calls, 429s over the limits, faults, peaks
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time

from tests.chaos.vendors.faults import Faults
from tests.chaos.vendors.serving import Connection
from tests.chaos.vendors.vendors import RESET, Limits, Vendors


def main() -> None:
    options = _options()
    limits = Limits(
        hubspot_calls=options.hubspot_calls,
        slack_burst=options.slack_burst,
        mailchimp_at_once=options.mailchimp_at_once,
    )
    asyncio.run(_serve(Vendors(Faults(options.seed), limits, time.time), options.port))


def _options() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--port", type=int, default=0, help="a free one unless given")
    parser.add_argument("--hubspot-calls", type=int, default=100, help="in any 10 s: 100 or 190")
    parser.add_argument("--slack-burst", type=int, default=5, help="messages at once in a channel")
    parser.add_argument("--mailchimp-at-once", type=int, default=10, help="calls under way")
    return parser.parse_args()


async def _serve(vendors: Vendors, port: int) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = await loop.create_server(
        lambda: Connection(vendors.take, RESET), "127.0.0.1", port, backlog=512
    )
    sys.stdout.write(json.dumps({"port": server.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    await ended.wait()


if __name__ == "__main__":
    main()
