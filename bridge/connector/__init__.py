"""The connector contract: the one module of the bridge that a connector imports.

A connector is a class published under the entry-point group
`showbridge.connectors`. It turns *items*, the filled-in `do` steps of rules,
into calls of one vendor's own SDK, and says what became of each. It never
sees queues, rules, events or other deliveries, and it never retries: the
engine alone does. `bridge.testing.connectors` holds the conformance suite.
"""

from pydantic import Field, SecretStr

from bridge.connector.declarations import (
    Action,
    Connector,
    ConnectorSettings,
    Digest,
    OptIn,
    Refusal,
    action,
)
from bridge.connector.items import Call, Earlier, EmailAddress, Gist, Item, NonEmpty, Skipped
from bridge.connector.json_api import JsonApi
from bridge.connector.money import in_figures
from bridge.connector.outcomes import (
    Delivered,
    Halted,
    NotNow,
    Outcome,
    Rejected,
    Retry,
    Suppressed,
    Unknown,
)
from bridge.connector.pacing import Pacer, Rate, Seen, Unpaced
from bridge.connector.surveying import Change, Checked, Use, is_filled_in
from bridge.days import day_in
from bridge.hosts import read_host, with_port

__all__ = [
    "Action",
    "Call",
    "Change",
    "Checked",
    "Connector",
    "ConnectorSettings",
    "Delivered",
    "Digest",
    "Earlier",
    "EmailAddress",
    "Field",
    "Gist",
    "Halted",
    "Item",
    "JsonApi",
    "NonEmpty",
    "NotNow",
    "OptIn",
    "Outcome",
    "Pacer",
    "Rate",
    "Refusal",
    "Rejected",
    "Retry",
    "SecretStr",
    "Seen",
    "Skipped",
    "Suppressed",
    "Unknown",
    "Unpaced",
    "Use",
    "action",
    "day_in",
    "in_figures",
    "is_filled_in",
    "read_host",
    "with_port",
]
