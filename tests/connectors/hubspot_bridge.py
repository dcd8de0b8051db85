"""The whole bridge with rules of a test's own, led to a HubSpot on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from redis import Redis

from bridge.config import load
from bridge.engine import assemble
from bridge.engine.queue import LaneQueue
from bridge.engine.wake import Waker
from bridge.ledger.database import Database
from bridge.ledger.migrate import migrate
from bridge.testing.vendor import VendorServer
from bridge.web.app import create_app
from tests.conftest import Now
from tests.connectors.hubspot_bench import TOKEN
from tests.test_previewed_is_sent import SECRETS, SHIPPED, Bridge


@contextmanager
def bridge_with(rules: str, folder: Path, redis: Redis, vendor: VendorServer) -> Iterator[Bridge]:
    """The shipped configuration otherwise, on SQLite; only HubSpot is live."""
    shipped = yaml.safe_load((SHIPPED / "bridge.yaml").read_text("utf-8"))
    shipped["accounts"]["hubspot"]["base_url"] = vendor.url
    (folder / "bridge.yaml").write_text(yaml.safe_dump(shipped))
    (folder / "rules.yaml").write_text(rules)
    environ = {**SECRETS, "HUBSPOT_ACCESS_TOKEN": TOKEN, "SHOWBRIDGE_DATA": str(folder)}
    config = load(environ, folder)
    database = Database(config.database_url)
    migrate(database)
    now, queue = Now(), LaneQueue(redis)
    app = create_app(config, database, redis, now)
    turns = assemble.turns(config, database, queue, now)
    waker = Waker(database, queue, now)
    yield Bridge(config, database, app.test_client(), turns, waker, now, vendor)
    app.extensions["bell"].stop()
    database.close()
