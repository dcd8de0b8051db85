"""The receiver with real sources and a real ledger; Redis is away unless a test brings one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from bridge.config import Config, load
from bridge.engine.queue import connect
from bridge.ledger.alerts import open_alerts
from bridge.ledger.bodies import body_of
from bridge.ledger.database import Database
from bridge.ledger.tables import webhooks
from bridge.web.app import create_app
from tests.conftest import Now

SECRET, ROTATED = "first-secret", "second-secret"
AWAY = "unix:///nowhere/redis.sock"

BRIDGE_YAML = """
sources:
  showpass: {secrets: {env: SHOWPASS_SECRETS}}
  showpad: {secrets: {env: SHOWPAD_SECRETS}}
  second: {kind: showpass, secrets: {env: SECOND_SECRETS}, organization: "20"}
  hidden: {kind: showpass, secrets: {env: SHOWPASS_SECRETS}, path_secret: {env: PATH_SECRET}}
  listed:
    kind: showpass
    secrets: {env: SHOWPASS_SECRETS}
    allow_from: [34.83.8.110, 10.1.0.0/16]
  unlisted: {kind: showpass, secrets: {env: SHOWPASS_SECRETS}, allow_from: []}
  small:
    kind: showpass
    secrets: {env: SHOWPASS_SECRETS}
    max_body: 2000
    bad_signature_status: 200
  zipped: {kind: showpad, secrets: {env: SHOWPAD_SECRETS}, accept_gzip: true}
  strict: {kind: showpass, secrets: {env: SHOWPASS_SECRETS}, transaction_mismatch: quarantine}
accounts: {}
server: {trusted_proxies: [127.0.0.1]}
"""
ENVIRON = {
    "SHOWPASS_SECRETS": f"{SECRET},{ROTATED}",
    "SHOWPAD_SECRETS": f"{SECRET},{ROTATED}",
    "SECOND_SECRETS": "secret-of-the-second",
    "PATH_SECRET": "an-unguessable-path",
}


@dataclass
class Receiver:
    """Sends as a vendor does, and looks into the ledger."""

    config: Config
    client: FlaskClient
    database: Database
    now: Now

    def post(
        self,
        source: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        path: str | None = None,
        **options: Any,
    ) -> TestResponse:
        """Signed by the source's first secret unless `headers` say otherwise."""
        signed = self.sign(source, body) if headers is None else headers
        url = f"/hooks/{source}" if path is None else path
        return self.client.post(url, data=body, headers=dict(signed), **options)

    def sign(self, source: str, body: bytes, secret: str | None = None) -> Mapping[str, str]:
        configured = self.config.sources[source]
        return configured.source.sign(body, secret or configured.secrets[0], self.now())

    def stored(self) -> list[Mapping[Any, Any]]:
        with self.database.read() as connection:
            query = select(webhooks).order_by(webhooks.c.number)
            rows = connection.execute(query).mappings()
            return [{**row, "body": body_of(row)} for row in rows]

    def alerts(self) -> list[str]:
        with self.database.read() as connection:
            return [alert.text for alert in open_alerts(connection)]


@pytest.fixture
def receiver(tmp_path: Path, database: Database, database_url: str, now: Now) -> Iterator[Receiver]:
    (tmp_path / "bridge.yaml").write_text(BRIDGE_YAML)
    environ = {**ENVIRON, "DATABASE_URL": database_url, "SHOWBRIDGE_DATA": str(tmp_path)}
    config = load(environ, tmp_path)
    app = create_app(config, database, connect(AWAY), now)
    yield Receiver(config, app.test_client(), database, now)
    app.extensions["bell"].stop()


def purchase(**changes: Any) -> bytes:
    """A purchase with changes; `...` leaves a member out."""
    data = {
        "transaction_id": "f1-1068-4af6-be8f-1222417da0f2",
        "showpass_organization_id": "20",
        "customer_name": "Ana Díaz",
        "customer_email": "ana@example.com",
        "subscribe_to_venue": True,
        "currency": "CAD",
        "net_sales": "107.00",
        "ticket_items": [],
        "invoice_items": [],
        **changes.pop("data", {}),
    }
    whole = {
        "id": "f1-1068-4af6-be8f-1222417da0f2",
        "event_type": "invoice.purchase",
        "webhook_event_uuid": "09117c09-e1f8-4913-b2f5-52cc161cf5f7",
        "data": data,
        **changes,
    }
    return json.dumps({name: value for name, value in whole.items() if value is not ...}).encode()


def joined(**changes: Any) -> bytes:
    """Somebody joined a shared space."""
    whole = {
        "type": "shared-space-user-added",
        "specversion": "1",
        "id": "c40b30f2-fabf-4c89-aed0-f5f5aaac9a24",
        "time": "2022-11-30T06:45:00.250Z",
        "data": {"inviter": {}, "invitee": {"email": "bo@example.com"}, "sharedSpace": {"id": "1"}},
        **changes,
    }
    return json.dumps(whole).encode()
