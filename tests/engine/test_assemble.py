"""What a worker does at its start about accounts whose credentials came or went."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import Config, load
from bridge.engine.assemble import note_accounts, resume_corrected
from bridge.engine.lane_names import lane_of
from bridge.ledger.accounts import standings
from bridge.ledger.alerts import open_alerts
from bridge.ledger.database import Database
from connectors.mailchimp import Mailchimp

NOW = 100.0
LIVE = {"SLACK_BOT_TOKEN": "xoxb-for-tests"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(folder: Path, more: str = "") -> None:
    text = "sources:\n  showpass: {secrets: {env: S}}\naccounts:\n"
    (folder / "bridge.yaml").write_text(
        f"{text}  slack: {{bot_token: {{env: SLACK_BOT_TOKEN}}{more}}}\n"
    )


def start(folder: Path, database: Database, environ: dict[str, str]) -> list[str]:
    """The accounts that are halted after a worker's start."""
    config: Config = load({"S": "secret-for-tests", **environ}, folder)
    resume_corrected(config, database, NOW)
    note_accounts(config, database, NOW)
    with database.read() as connection:
        return [standing.name for standing in standings(connection, NOW)]


def test_an_account_that_never_had_credentials_is_in_preview(
    folder: Path, database: Database
) -> None:
    assert start(folder, database, {}) == []


def test_a_live_account_that_loses_its_credentials_waits_and_a_person_is_told(
    folder: Path, database: Database
) -> None:
    assert start(folder, database, LIVE) == []
    assert start(folder, database, {}) == ["slack"]
    with database.read() as connection:
        assert "SLACK_BOT_TOKEN" in open_alerts(connection)[0].text


def test_it_goes_on_when_they_are_back(folder: Path, database: Database) -> None:
    start(folder, database, LIVE)
    start(folder, database, {})
    assert start(folder, database, LIVE) == []
    with database.read() as connection:
        assert open_alerts(connection) == []


def test_it_is_in_preview_where_somebody_says_so(folder: Path, database: Database) -> None:
    start(folder, database, LIVE)
    start(folder, database, {})
    write(folder, ", preview: true")
    assert start(folder, database, {}) == []


def test_subscribing_and_unsubscribing_one_person_share_a_lane() -> None:
    actions = Mailchimp.actions()
    lanes = {
        lane_of(
            "mailchimp",
            actions[name],
            actions[name].item(audience="newsletter", email="ana@example.com"),  # type: ignore[call-arg]
            "ana@example.com",
        )
        for name in ("subscribe", "unsubscribe")
    }
    assert len(lanes) == 1
