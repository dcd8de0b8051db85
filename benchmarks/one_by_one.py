"""The bridge with one call for each event, to compare: python -m benchmarks.one_by_one worker"""

from __future__ import annotations

from dataclasses import replace

from bridge.cli import main
from connectors.hubspot import HubSpot
from connectors.mailchimp import Mailchimp
from connectors.slack import Slack


def take_batches_away() -> None:
    for connector in (HubSpot, Slack, Mailchimp):
        for name, action in connector.actions().items():
            method = getattr(connector, name)
            method.action = replace(action, batch=1, merges=False, digest=None)
        connector.actions.cache_clear()


if __name__ == "__main__":
    take_batches_away()
    main()
